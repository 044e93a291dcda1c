/* SPDX-License-Identifier: ISC */
/* The caller's half of the call protocol. Promise: call_finish always gives a verdict; what could not be asked is Z, never D. */
#include "call.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <poll.h>
#include "clock.h"

enum { CONNECT_TRY_MS = 100, CONNECT_TIME_MS = 5000 };

int call_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, n + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int connect_patiently(const char *path)
{
    uint64_t end = clock_monotonic_ms() + CONNECT_TIME_MS;
    for (;;) {
        int fd = call_connect(path);
        if (fd >= 0 || (errno != ECONNREFUSED && errno != ENOENT && errno != EAGAIN) || clock_monotonic_ms() >= end) {
            return fd;
        }
        poll(NULL, 0, CONNECT_TRY_MS);
    }
}

int call_open(struct call *call, const char *socket_path, unsigned seconds)
{
    const char *slash = strrchr(socket_path, '/');
    int fd = connect_patiently(socket_path);
    int error = errno;
    call_open_fd(call, fd, slash == NULL ? socket_path : slash + 1, seconds);
    errno = error;
    return fd < 0 ? -1 : 0;
}

void call_open_fd(struct call *call, int fd, const char *service, unsigned seconds)
{
    channel_init(&call->channel, fd, fd);
    channel_set_deadline(&call->channel, seconds);
    call->service = service;
}

int call_flush(struct call *call)
{
    if (call->channel.in < 0) {
        call->channel.outbox.len = 0;
        return -1;
    }
    return channel_flush(&call->channel) < 0 && errno != EPIPE && errno != ECONNRESET ? -1 : 0;
}

static void make_trouble(struct call *call, struct verdict *out, const char *what)
{
    static const char key[] = "why=service";
    int n = snprintf(call->trouble, sizeof call->trouble - sizeof key, "4.3.0 service %s %s", call->service, what);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len > sizeof call->trouble - sizeof key - 1) {
        len = sizeof call->trouble - sizeof key - 1;
    }
    memcpy(call->trouble + len + 1, key, sizeof key);
    out->letter = 'Z';
    out->text = call->trouble;
    (void)fields_parse(call->trouble + len + 1, sizeof key, &out->fields);
}

static const char *trouble_text(enum channel_result result)
{
    switch (result) {
    case CHANNEL_EOF:
        return "closed the connection without an answer";
    case CHANNEL_TIMEOUT:
        return "did not answer in time";
    case CHANNEL_BAD:
    case CHANNEL_FRAME:
        return "answered something that is not understood";
    case CHANNEL_ERROR:
        break;
    }
    return "could not be read";
}

void call_finish_each(struct call *call, struct verdict *out, void (*each)(void *ctx, uint64_t number, const struct verdict *v),
                      void *ctx)
{
    if (call_flush(call) < 0) {
        make_trouble(call, out, call->channel.in < 0 ? "does not answer" : "does not take the question");
        return;
    }
    for (;;) {
        struct frame frame;
        uint64_t number;
        enum channel_result result = channel_read(&call->channel, &frame);
        if (result != CHANNEL_FRAME) {
            make_trouble(call, out, trouble_text(result));
            return;
        }
        if (frame.type != 'P') {
            if (!verdict_parse(frame.type, frame.payload, frame.len, out)) {
                make_trouble(call, out, trouble_text(CHANNEL_BAD));
            }
            return;
        }
        if (!verdict_parse_numbered(frame.payload, frame.len, &number, out)) {
            make_trouble(call, out, trouble_text(CHANNEL_BAD));
            return;
        }
        if (each != NULL) {
            each(ctx, number, out);
        }
    }
}

void call_finish(struct call *call, struct verdict *out)
{
    call_finish_each(call, out, NULL, NULL);
}

void call_close(struct call *call)
{
    channel_close(&call->channel);
}
