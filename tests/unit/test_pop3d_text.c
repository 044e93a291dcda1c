/* SPDX-License-Identifier: ISC */
/* pop3d/cmd_text: a disk that fails under RETR. This program's read() takes the place of libc's. */
#include "lib/maildir.h"
#include "pop3d/session.h"
#include "tests/scratch.h"
#include "tests/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIZE = 100000 };
static unsigned good_reads; /* of regular files, before the disk fails */

ssize_t read(int fd, void *to, size_t n)
{
    struct stat stat;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && good_reads-- == 0) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_read, fd, to, n);
}

static struct session session;
static int client;

static void begin(unsigned reads)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || maildrop_open(&session.drop, "box") < 0 ||
        maildrop_read(&session.drop) < 0) {
        exit(1);
    }
    client = pair[0];
    talk_init(&session.talk, pair[1], pair[1], 5);
    good_reads = reads;
}

/* What the client got of RETR 1. */
static const struct reply *retrieve(char *got, size_t room, size_t *n_out)
{
    const struct command command = {.verb = COMMAND_RETR, .n_numbers = 1, .number = {1}};
    const struct reply *reply = cmd_retr(&session, &command);
    ssize_t n;
    *n_out = 0;
    wire_flush(&session.talk.wire);
    close(session.talk.wire.out);
    good_reads = UINT32_MAX;
    while ((n = read(client, got + *n_out, room - *n_out)) > 0) {
        *n_out += (size_t)n;
    }
    close(client);
    mailbox_close(&session.drop.box);
    return reply;
}

int main(void)
{
    static char stored[SIZE];
    static char got[2 * SIZE];
    size_t n;
    scratch_begin();
    int fd = maildir_create(AT_FDCWD, "box") < 0 ? -1 : open("box/cur/1.big,S=100000,W=100002:2,", O_WRONLY | O_CREAT, 0600);
    memset(stored, 'a', sizeof stored);
    ok(fd >= 0 && write(fd, stored, sizeof stored) == SIZE && close(fd) == 0, "a message of more than one read");

    begin(UINT32_MAX);
    ok(retrieve(got, sizeof got, &n) == NULL && n == SIZE + 19 + 5, "it_is_sent_whole");
    ok(!session.talk.wire.is_broken, "and_the_session_goes_on");

    begin(0);
    const struct reply *refusal = retrieve(got, sizeof got, &n);
    ok(refusal == reply(REPLY_UNREADABLE) && n == 0, "a_first_read_that_fails_is_explained");
    is_bytes(session.talk.detail.bytes, session.talk.detail.len, "Input/output error", 18, "with_its_reason");
    ok(!session.talk.wire.is_broken, "and_the_session_goes_on");

    begin(1);
    ok(retrieve(got, sizeof got, &n) == NULL && n < SIZE && got[n - 1] == 'a', "a_later_one_leaves_no_dot");
    ok(session.talk.wire.is_broken, "and_breaks_the_connection");

    ok(rename("box/cur/1.big,S=100000,W=100002:2,", "box/cur/1.big,S=100000:2,") == 0, "a name without a size on the wire");
    begin(0);
    is_number((long long)maildrop_size(&session.drop, 0), SIZE, "a_file_that_cannot_be_measured_counts_with_its_size");
    return scratch_end(done());
}
