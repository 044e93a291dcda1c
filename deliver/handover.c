/* SPDX-License-Identifier: ISC */
/* Both files are written whole before the program starts, so nobody waits for anybody, and it never sees half a message. */
#include "deliver/handover.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/str.h"

enum { PERMANENT_MIN = 11, PERMANENT_MAX = 40 };

/* F sender NUL, T recipient NUL …, NUL. */
static void append_envelope(stralloc *out, const struct handover *handover)
{
    str_catc(out, 'F');
    str_cat(out, handover->sender, strlen(handover->sender) + 1);
    const char *end = handover->addresses + handover->addresses_len;
    for (const char *at = handover->addresses; at < end; at += strlen(at) + 1) {
        str_catc(out, 'T');
        str_cat(out, at, strlen(at) + 1);
    }
    str_catc(out, '\0');
}

static bool write_whole(int fd, const stralloc *bytes)
{
    size_t done = 0;
    while (done < bytes->len) {
        ssize_t n = write(fd, bytes->s + done, bytes->len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

/* The file at its start; -1 where it was not written well, and it is closed. */
static int rewound(int fd, bool is_good)
{
    if (fd >= 0 && (!is_good || lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int envelope_file(const struct handover *handover)
{
    stralloc bytes = STRALLOC_ZERO;
    append_envelope(&bytes, handover);
    int fd = memfd_create("envelope", MFD_CLOEXEC);
    int file = rewound(fd, fd >= 0 && write_whole(fd, &bytes));
    stralloc_free(&bytes);
    return file;
}

static int message_file(const struct handover *handover, struct message *message)
{
    int fd = memfd_create("message", MFD_CLOEXEC);
    return rewound(fd, fd >= 0 && message_copy(message, handover->head, handover->head_len, fd, NULL) == 0);
}

/* Exit code; -1: no such thing. */
static int run(const char *program, int message, int envelope)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(message, 0) >= 0 && dup2(envelope, 1) >= 0) {
            execl(program, program, (char *)NULL);
        }
        _exit(120);
    }
    if (pid < 0) {
        return -1;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum handover_result handover_run(const struct handover *handover, struct message *message, int *code_out)
{
    int envelope = envelope_file(handover);
    int body = message_file(handover, message);
    int code = envelope >= 0 && body >= 0 ? run(handover->program, body, envelope) : -1;
    if (envelope >= 0) {
        close(envelope);
    }
    if (body >= 0) {
        close(body);
    }
    *code_out = code;
    if (code == 0) {
        return HANDOVER_DONE;
    }
    return code >= PERMANENT_MIN && code <= PERMANENT_MAX ? HANDOVER_NEVER : HANDOVER_LATER;
}
