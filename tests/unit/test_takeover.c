/* SPDX-License-Identifier: ISC */
/* lib/takeover: what a session is given, what it refuses, and who then has the client. Each session is a process of its own, with
 * the caller on its descriptor 0. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/str.h"
#include "lib/takeover.h"
#include "tests/tap.h"

enum { TAKEN = 10, REFUSED = 11, LOST = 12 };
static int client[2], front[2], caller[2];
static stralloc text;

/* In the session: takes the client and says what it knows to it. */
static int session(void)
{
    static struct takeover takeover;
    if (!takeover_receive(&takeover, "imap")) {
        return REFUSED;
    }
    if (!takeover_welcome(&takeover)) {
        return LOST;
    }
    takeover_take_client(&takeover);
    const struct fields *fields = &takeover.fields;
    str_catf(&text, "%s %s %s tag=%s early=", fields_get(fields, "user"), fields_get(fields, "home"), fields_get(fields, "ip"),
             fields_get_or(fields, "tag", "none"));
    str_cat_printable(&text, takeover.early.s, takeover.early.len);
    (void)!write(1, text.s, text.len);
    return TAKEN;
}

static pid_t begin(void)
{
    int *pairs[] = {client, front, caller};
    for (size_t i = 0; i < 3; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]) < 0) {
            perror("socketpair");
            exit(111);
        }
    }
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(caller[1], 0);
        dup2(caller[1], 1);
        dup2(null, 2);
        for (size_t i = 0; i < 3; i++) { /* all that it has came on descriptor 0 */
            close(pairs[i][0]);
            close(pairs[i][1]);
        }
        text.len = 0;
        _exit(session());
    }
    close(caller[1]);
    return pid;
}

/* Fields by spaces. */
static void put_question(struct channel *channel, const char *fields)
{
    char key[32];
    char value[64];
    size_t start = frame_begin(&channel->outbox, 'Q');
    for (int n; sscanf(fields, " %31[^=]=%63[^ ]%n", key, value, &n) == 2; fields += n) {
        field_put(&channel->outbox, key, strcmp(value, "EMPTY") == 0 ? "" : value);
    }
    frame_end(&channel->outbox, start);
}

static const char *read_all(int fd)
{
    text.len = 0;
    ssize_t n;
    while ((n = read(fd, str_room(&text, 512), 512)) > 0) {
        text.len += (size_t)n;
    }
    return str_text(&text);
}

/* The verdict as `K text|why=…`. */
static const char *verdict_on(int fd)
{
    static char words[200];
    struct channel channel;
    struct frame frame;
    struct verdict verdict;
    channel_init(&channel, fd, fd);
    channel_set_deadline(&channel, 5);
    if (channel_read(&channel, &frame) != CHANNEL_FRAME || !verdict_parse(frame.type, frame.payload, frame.len, &verdict)) {
        return "none";
    }
    (void)snprintf(words, sizeof words, "%c %s|%s", verdict.letter, verdict.text, fields_get_or(&verdict.fields, "why", ""));
    return words;
}

/* What the session did: its exit code. Its words to the client are in `text`, its verdict in *verdict. */
static int play(const char *question, const char *early, unsigned n_fds, const char **verdict)
{
    struct channel channel;
    pid_t pid = begin();
    channel_init(&channel, caller[0], caller[0]);
    channel_set_deadline(&channel, 5);
    if (n_fds > 0) {
        channel_attach_fd(&channel, client[1]);
    }
    if (n_fds > 1) {
        channel_attach_fd(&channel, front[1]);
    }
    put_question(&channel, question);
    if (early != NULL) {
        size_t start = frame_begin(&channel.outbox, 'M');
        str_cats(&channel.outbox, early);
        frame_end(&channel.outbox, start);
    }
    (void)!channel_flush(&channel);
    close(client[1]);
    close(front[1]);
    (void)shutdown(caller[0], SHUT_WR);
    *verdict = verdict_on(n_fds == 2 ? front[0] : caller[0]);
    (void)read_all(client[0]);
    int status;
    (void)waitpid(pid, &status, 0);
    close(client[0]);
    close(front[0]);
    close(caller[0]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define GOOD   "op=session sid=abc service=imap user=joe@a.test home=domains/a.test/joe ip=192.0.2.9"
#define NOT_OK "D 5.5.4 not a call that a session of this service understands|bad-request"

static void takes(const char *question, const char *early, const char *want)
{
    const char *verdict;
    is_number(play(question, early, 2, &verdict), TAKEN, question);
    is(verdict, "K 2.7.0 session started|", "the_front_hears_k");
    is(text.s, want, "the_client_is_the_sessions");
}

static void refuses(const char *question, const char *early, unsigned n_fds)
{
    const char *verdict;
    is_number(play(question, early, n_fds, &verdict), REFUSED, question);
    is(verdict, NOT_OK, "whoever_waits_is_told");
    is(text.s, "", "the_client_hears_nothing");
}

static void questions(void)
{
    takes(GOOD, NULL, "joe@a.test domains/a.test/joe 192.0.2.9 tag=none early=");
    takes(GOOD " flags=0 quota=10S lip=192.0.2.1 tls=x tag=a1", NULL, "joe@a.test domains/a.test/joe 192.0.2.9 tag=a1 early=");
    takes(GOOD " early=6", "b NOOP", "joe@a.test domains/a.test/joe 192.0.2.9 tag=none early=b NOOP");
    takes(GOOD " early=0", NULL, "joe@a.test domains/a.test/joe 192.0.2.9 tag=none early=");
    refuses("op=session sid=abc service=pop3 user=joe@a.test home=h ip=192.0.2.9", NULL, 2);
    refuses("op=auth sid=abc service=imap user=joe@a.test home=h ip=192.0.2.9", NULL, 2);
    refuses("op=session service=imap user=joe@a.test home=h ip=192.0.2.9", NULL, 2);
    refuses("op=session sid=abc service=imap home=h ip=192.0.2.9", NULL, 2);
    refuses("op=session sid=abc service=imap user=joe@a.test ip=192.0.2.9", NULL, 2);
    refuses("op=session sid=abc service=imap user=joe@a.test home=EMPTY ip=192.0.2.9", NULL, 2);
    refuses("op=session sid=abc service=imap user=joe@a.test home=h", NULL, 2);
    refuses("op=session sid=abc user=joe@a.test home=h ip=192.0.2.9", NULL, 2);
    refuses("sid=abc service=imap user=joe@a.test home=h ip=192.0.2.9", NULL, 2);
    refuses(GOOD " strange=1", NULL, 2);
    refuses(GOOD " early=x", NULL, 2);
    refuses(GOOD " early=99999", "b NOOP", 2);
    refuses(GOOD " early=7", "b NOOP", 2);
    refuses(GOOD " early=5", "b NOOP", 2);
    refuses(GOOD " early=6", NULL, 2);
    refuses("", NULL, 2);
    refuses(GOOD, NULL, 0);
    refuses(GOOD, NULL, 1);
}

/* The front is gone: nobody would leave the client to us, and it hears nothing. */
static void a_front_that_is_gone(void)
{
    struct channel channel;
    int status;
    pid_t pid = begin();
    channel_init(&channel, caller[0], caller[0]);
    channel_set_deadline(&channel, 5);
    channel_attach_fd(&channel, client[1]);
    channel_attach_fd(&channel, front[1]);
    put_question(&channel, GOOD);
    close(front[0]);
    (void)!channel_flush(&channel);
    close(client[1]);
    close(front[1]);
    is(read_all(client[0]), "", "without_a_front_the_client_hears_nothing");
    (void)waitpid(pid, &status, 0);
    is_number(WEXITSTATUS(status), LOST, "and_is_not_the_sessions");
    close(client[0]);
    channel_close(&channel);
}

static void what_is_no_call(void)
{
    static const char *const calls[] = {"", "1:E,", "3:QopX", "GET / HTTP/1.0\r\n", "5:Mabcd,"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int status;
        pid_t pid = begin();
        (void)!write(caller[0], calls[i], strlen(calls[i]));
        (void)shutdown(caller[0], SHUT_WR);
        is(verdict_on(caller[0]), NOT_OK, "what_is_no_call_is_told_so");
        (void)waitpid(pid, &status, 0);
        is_number(WEXITSTATUS(status), REFUSED, "and_is_none");
        close(caller[0]);
        for (int k = 0; k < 2; k++) {
            close(client[k]);
            close(front[k]);
        }
    }
}

int main(void)
{
    questions();
    a_front_that_is_gone();
    what_is_no_call();
    return done();
}
