/* SPDX-License-Identifier: ISC */
/* Executes one program line at a time: own session, rlimits, a deadline after which its whole process group is killed, and
 * nothing inherited but fd 0 (the message), fd 1 and 2 (a pipe, whose first bytes go into the report). A line without a shell's
 * letters and with an absolute program is executed without a shell. Trusts the worker for what the .qmail file says. */
#include "deliver/runner_job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deliver/runner.h"
#include "lib/clock.h"
#include "lib/dotqmail.h"
#include "lib/sandbox.h"
#include "lib/str.h"

enum { WORDS_MAX = 64, VARIABLES_MAX = 64, PROGRAM_MEMORY = 1 << 30, PROGRAM_FILES = 256 };

struct job {
    stralloc command, folder, variables;
    uint64_t seconds;
    int message;
    /* for exec: words points into text */
    stralloc text;
    char *words[WORDS_MAX + 1];
    char *environment[VARIABLES_MAX + 1];
};

/* Cuts the command into words in job->text. False: a shell is needed. */
static bool split(struct job *job)
{
    struct dotqmail_word word;
    size_t at = 0;
    size_t start[WORDS_MAX];
    unsigned n = 0;
    int got;
    job->text.len = 0;
    while ((got = dotqmail_next_word(job->command.s, job->command.len, &at, &word)) == 1 && n < WORDS_MAX) {
        start[n++] = job->text.len;
        str_cat(&job->text, word.text, word.len);
        str_catc(&job->text, '\0');
    }
    if (got != 0 || n == 0 || job->text.s[0] != '/') {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        job->words[i] = job->text.s + start[i];
    }
    job->words[n] = NULL;
    return true;
}

static void use_shell(struct job *job)
{
    static const char shell[] = "/bin/sh\0-c";
    job->text.len = 0;
    str_cat(&job->text, shell, sizeof shell);
    str_cat(&job->text, job->command.s, job->command.len);
    str_text(&job->text);
    job->words[0] = job->text.s;
    job->words[1] = job->text.s + 8;
    job->words[2] = job->text.s + sizeof shell;
    job->words[3] = NULL;
}

static void list_environment(struct job *job)
{
    unsigned n = 0;
    char *end = job->variables.s + job->variables.len;
    for (char *at = job->variables.s; at < end && n < VARIABLES_MAX; at += strlen(at) + 1) {
        job->environment[n++] = at;
    }
    job->environment[n] = NULL;
}

static void limit(__rlimit_resource_t which, rlim_t value)
{
    struct rlimit both = {value, value};
    setrlimit(which, &both);
}

static void set_limits(uint64_t seconds)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, seconds + 1);
    sandbox_limit_memory(PROGRAM_MEMORY);
    limit(RLIMIT_NOFILE, PROGRAM_FILES);
}

/* In the child. Only an errno comes back, through `trouble`, which closes at exec. */
static _Noreturn void execute(struct job *job, int output, int trouble)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid();
    if (dup2(job->message, 0) >= 0 && dup2(output, 1) >= 0 && dup2(output, 2) >= 0 && chdir(job->folder.s) == 0) {
        set_limits(job->seconds);
        execve(job->words[0], job->words, job->environment);
    }
    int error = errno;
    (void)!write(trouble, &error, sizeof error);
    _exit(111);
}

/* Takes what is there; what is over the limit is thrown away. False: the end, or nothing at the moment. */
static bool take_output(int fd, stralloc *out)
{
    char bytes[4096];
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n <= 0) {
        return n < 0 && errno == EINTR;
    }
    for (ssize_t i = 0; i < n && out->len < RUNNER_OUTPUT_MAX; i++) {
        str_catc(out, bytes[i] == '\0' ? ' ' : bytes[i]);
    }
    return true;
}

/* Until the program ends (1) or its time is over (0). */
static int wait_for_end(int pidfd, int output, uint64_t deadline_ms, stralloc *out)
{
    struct pollfd ready[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = output, .events = POLLIN}};
    for (;;) {
        int n = poll(ready, 2, clock_poll_timeout(deadline_ms));
        if (n == 0) {
            return 0;
        }
        if (n < 0) {
            continue;
        }
        if (ready[1].revents != 0 && !take_output(output, out)) {
            ready[1].fd = -1;
        }
        if (ready[0].revents != 0) {
            while (ready[1].fd >= 0 && take_output(output, out)) {
            }
            return 1;
        }
    }
}

static void judge_status(int status, struct runner_result *out)
{
    if (WIFEXITED(status)) {
        out->end = RUNNER_EXIT;
        out->code = WEXITSTATUS(status);
    } else {
        out->end = RUNNER_SIGNAL;
        out->code = WTERMSIG(status);
    }
}

static void attend(const struct job *job, pid_t pid, int output, struct runner_result *out)
{
    int status = 0;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    bool is_over = pidfd >= 0 && wait_for_end(pidfd, output, clock_monotonic_ms() + job->seconds * 1000, &out->output) == 1;
    if (!is_over) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL); /* it may not have its own session yet */
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    judge_status(status, out);
    if (!is_over) {
        out->end = RUNNER_DEADLINE;
        out->code = 0;
    }
    if (pidfd >= 0) {
        close(pidfd);
    }
}

static void not_started(struct runner_result *out, int error)
{
    out->end = RUNNER_NOT_STARTED;
    out->code = error;
}

static void run_forked(struct job *job, const int output[2], const int trouble[2], struct runner_result *out)
{
    pid_t pid = fork();
    int error = errno;
    if (pid == 0) {
        execute(job, output[1], trouble[1]);
    }
    close(output[1]);
    close(trouble[1]);
    if (pid < 0) {
        not_started(out, error);
        return;
    }
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    bool has_failed = read(trouble[0], &error, sizeof error) == (ssize_t)sizeof error;
    attend(job, pid, output[0], out);
    if (has_failed) {
        not_started(out, error);
    }
}

static void run(struct job *job, struct runner_result *out)
{
    int output[2];
    int trouble[2];
    if (!split(job)) {
        use_shell(job);
    }
    list_environment(job);
    if (pipe2(output, O_CLOEXEC) < 0) {
        not_started(out, errno);
        return;
    }
    if (pipe2(trouble, O_CLOEXEC) < 0) {
        not_started(out, errno);
        close(output[1]);
    } else {
        run_forked(job, output, trouble, out);
        close(trouble[0]);
    }
    close(output[0]);
}

static void answer(struct channel *channel, struct runner_result *result)
{
    size_t start = verdict_begin(&channel->outbox, 'K', "2.0.0 done");
    field_put_number(&channel->outbox, "end", (uint64_t)result->end);
    field_put_number(&channel->outbox, "code", (uint64_t)result->code);
    field_put(&channel->outbox, "output", str_text(&result->output));
    frame_end(&channel->outbox, start);
}

static bool take_question(const struct frame *frame, struct channel *channel, struct job *job)
{
    struct fields fields;
    if (!fields_parse(frame->payload, frame->len, &fields) || !fields_get_number(&fields, "seconds", UINT32_MAX, &job->seconds)) {
        return false;
    }
    str_copys(&job->command, fields_get_or(&fields, "command", ""));
    str_copys(&job->folder, fields_get_or(&fields, "folder", ""));
    str_text(&job->command);
    str_text(&job->folder);
    job->variables.len = 0;
    job->message = channel_take_fd(channel);
    return job->message >= 0;
}

/* A whole job; false: the worker has gone. */
static bool read_job(struct channel *channel, struct job *job)
{
    struct frame frame;
    job->message = -1;
    while (channel_read(channel, &frame) == CHANNEL_FRAME) {
        if (frame.type == 'E') {
            return job->message >= 0;
        }
        if (frame.type == 'R') {
            str_cat(&job->variables, frame.payload, frame.len);
            str_catc(&job->variables, '\0');
        } else if (frame.type != 'Q' || !take_question(&frame, channel, job)) {
            return false;
        }
    }
    return false;
}

void runner_serve(int fd)
{
    struct channel channel;
    struct job job = {.seconds = 0};
    struct runner_result result = {.end = RUNNER_LOST};
    channel_init(&channel, fd, fd);
    while (read_job(&channel, &job)) {
        result.output.len = 0;
        run(&job, &result);
        close(job.message);
        answer(&channel, &result);
        if (channel_flush(&channel) < 0) {
            return;
        }
    }
}
