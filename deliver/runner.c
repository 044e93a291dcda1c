/* SPDX-License-Identifier: ISC */
/* The worker's side of the runner: forking it, asking it. What it does stands in runner_job.c. */
#include "deliver/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deliver/runner_job.h"
#include "lib/str.h"

/* Longer than any job, since the runner keeps the job's own deadline. */
enum { ANSWER_SPARE_SECONDS = 30 };

/* The runner holds neither the worker's connection nor its end of the pair. */
static _Noreturn void become_runner(int fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0) {
        _exit(111);
    }
    runner_serve(fd);
    exit(0);
}

int runner_start(struct runner *runner)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return -1;
    }
    runner->pid = fork();
    if (runner->pid == 0) {
        close(pair[0]);
        become_runner(pair[1]);
    }
    int saved = errno;
    close(pair[1]);
    if (runner->pid < 0) {
        close(pair[0]);
        errno = saved;
        return -1;
    }
    channel_init(&runner->channel, pair[0], pair[0]);
    return 0;
}

static void put_job(stralloc *out, const struct runner_job *job)
{
    size_t start = frame_begin(out, 'Q');
    field_put(out, "command", job->command);
    field_put(out, "folder", job->folder);
    field_put_number(out, "seconds", job->seconds);
    frame_end(out, start);
    const stralloc *environment = job->environment;
    for (const char *at = environment->s; at < environment->s + environment->len; at += strlen(at) + 1) {
        frame_put(out, 'R', at, strlen(at));
    }
    frame_put(out, 'E', "", 0);
}

static void take_answer(const struct verdict *verdict, struct runner_result *out)
{
    uint64_t end;
    uint64_t code;
    const char *output = fields_get_or(&verdict->fields, "output", "");
    if (fields_get_number(&verdict->fields, "end", RUNNER_LOST, &end) &&
        fields_get_number(&verdict->fields, "code", INT32_MAX, &code)) {
        out->end = (enum runner_end)end;
        out->code = (int)code;
        str_copys(&out->output, output);
    }
}

void runner_run(struct runner *runner, const struct runner_job *job, struct runner_result *out)
{
    struct frame frame;
    struct verdict verdict;
    out->end = RUNNER_LOST;
    out->code = 0;
    out->output.len = 0;
    channel_set_deadline(&runner->channel, job->seconds + ANSWER_SPARE_SECONDS);
    channel_attach_fd(&runner->channel, job->message);
    put_job(&runner->channel.outbox, job);
    bool is_answered = channel_flush(&runner->channel) == 0 && channel_read(&runner->channel, &frame) == CHANNEL_FRAME;
    if (is_answered && verdict_parse(frame.type, frame.payload, frame.len, &verdict)) {
        take_answer(&verdict, out);
    }
    if (out->end == RUNNER_LOST) {
        runner->pid = 0;
    }
}

void runner_end(struct runner *runner)
{
    channel_close(&runner->channel);
    runner->pid = 0;
}
