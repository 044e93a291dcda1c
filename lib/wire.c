/* SPDX-License-Identifier: ISC */
/* The client's side of a session. Memory is this struct and nothing more, whatever the client sends. */
#include "wire.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include "clock.h"

enum { PARTING_MS = 2000, PARTING_BYTES = 1 << 20 };

void wire_init(struct wire *wire, int in, int out, unsigned idle_seconds)
{
    wire->in = in;
    wire->out = out;
    wire->idle_seconds = idle_seconds;
    wire->end_ms = 0;
    wire->is_broken = wire->is_skipping = wire->has_no_timeouts = false;
    wire->is_slow = false;
    wire->in_waits_for = wire->out_waits_for = 0;
    wire->start = wire->end = wire->out_len = 0;
}

/* 1 ready, 0 too late, -1 error. */
static int wait_for(const struct wire *wire, int fd, short events)
{
    uint64_t deadline = clock_monotonic_ms() + (uint64_t)wire->idle_seconds * 1000;
    if (wire->end_ms != 0 && wire->end_ms < deadline) {
        deadline = wire->end_ms;
    }
    struct pollfd ready = {.fd = fd, .events = events};
    for (;;) {
        int n = poll(&ready, 1, clock_poll_timeout(deadline));
        if (n >= 0) {
            return n;
        }
        if (errno != EINTR) {
            return -1;
        }
    }
}

/* On sockets the kernel keeps the idle time, which saves a poll a read: true when a plain read or write may be tried. */
static bool kernel_waits(struct wire *wire, int fd, int option, unsigned *waits_for)
{
    if (wire->has_no_timeouts ||
        (wire->end_ms != 0 && wire->end_ms <= clock_monotonic_ms() + (uint64_t)wire->idle_seconds * 1000)) {
        return false;
    }
    if (*waits_for != wire->idle_seconds) {
        struct timeval idle = {.tv_sec = (time_t)wire->idle_seconds};
        wire->has_no_timeouts = setsockopt(fd, SOL_SOCKET, option, &idle, sizeof idle) < 0;
        *waits_for = wire->has_no_timeouts ? 0 : wire->idle_seconds;
    }
    return !wire->has_no_timeouts;
}

/* A pipe that polls as writable takes so much without blocking. */
static size_t pipe_room(size_t n)
{
    return n < PIPE_BUF ? n : PIPE_BUF;
}

/* What the peer takes of these. 0: nothing now, wait and try again; -1: it is gone, or took nothing for too long. */
static ssize_t write_some(struct wire *wire, struct iovec *parts, size_t n, bool waits)
{
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = n};
    ssize_t done = wire->has_no_timeouts ? write(wire->out, parts->iov_base, pipe_room(parts->iov_len))
                                         : sendmsg(wire->out, &message, MSG_NOSIGNAL | (waits ? 0 : MSG_DONTWAIT));
    if (done < 0 && errno == ENOTSOCK) {
        wire->has_no_timeouts = true;
        return 0;
    }
    if (done < 0 && errno == EAGAIN && !waits) {
        wire->is_slow = true;
        return 0;
    }
    return done < 0 && errno == EINTR ? 0 : done;
}

/* What waits, and behind it bytes that lie elsewhere, in as few writes as the peer lets us. */
static void write_with(struct wire *wire, const char *bytes, size_t n)
{
    struct iovec parts[2] = {{wire->out_buf, wire->out_len}, {(void *)(uintptr_t)bytes, n}};
    struct iovec *part = parts;
    struct iovec *end = n > 0 ? parts + 2 : parts + 1;
    while (part < end && !wire->is_broken) {
        if (part->iov_len == 0) {
            part++;
            continue;
        }
        bool waits = wire->is_slow && kernel_waits(wire, wire->out, SO_SNDTIMEO, &wire->out_waits_for);
        bool polls = wire->has_no_timeouts || (wire->is_slow && !waits);
        ssize_t done =
            polls && wait_for(wire, wire->out, POLLOUT) <= 0 ? -1 : write_some(wire, part, (size_t)(end - part), waits);
        if (done < 0) {
            wire->is_broken = true;
            break;
        }
        for (struct iovec *each = part; each < end; each++) {
            size_t taken = (size_t)done < each->iov_len ? (size_t)done : each->iov_len;
            each->iov_base = (char *)each->iov_base + taken;
            each->iov_len -= taken;
            done -= (ssize_t)taken;
        }
    }
    wire->out_len = 0;
}

void wire_flush(struct wire *wire)
{
    write_with(wire, NULL, 0);
}

void wire_send(struct wire *wire, const char *bytes, size_t n)
{
    write_with(wire, bytes, n);
}

void wire_put(struct wire *wire, const char *bytes, size_t n)
{
    if (n > WIRE_OUT - wire->out_len) {
        write_with(wire, bytes, n);
        return;
    }
    if (n > 0) {
        memcpy(wire->out_buf + wire->out_len, bytes, n);
    }
    wire->out_len += n;
}

void wire_puts(struct wire *wire, const char *text)
{
    wire_put(wire, text, strlen(text));
}

/* Reads more behind what is unread. */
static enum wire_result fill(struct wire *wire)
{
    wire_flush(wire);
    if (wire->start > 0) {
        memmove(wire->in_buf, wire->in_buf + wire->start, wire->end - wire->start);
        wire->end -= wire->start;
        wire->start = 0;
    }
    while (!wire->is_broken) {
        bool kernel_waited = kernel_waits(wire, wire->in, SO_RCVTIMEO, &wire->in_waits_for);
        int ready = kernel_waited ? 1 : wait_for(wire, wire->in, POLLIN);
        if (ready == 0) {
            return WIRE_TIMEOUT;
        }
        ssize_t n = ready < 0 ? -1 : read(wire->in, wire->in_buf + wire->end, WIRE_IN - wire->end);
        if (n > 0) {
            wire->end += (size_t)n;
            return WIRE_LINE;
        }
        if (n == 0) {
            return WIRE_END;
        }
        if (kernel_waited && errno == EAGAIN) {
            return WIRE_TIMEOUT;
        }
        wire->is_broken = ready < 0 || (errno != EAGAIN && errno != EINTR);
    }
    return WIRE_GONE;
}

/* The line in bytes[0..n) ends with its LF. True when no other CR or LF stands in it. */
static bool has_clean_end(const char *bytes, size_t n)
{
    return n >= 2 && bytes[n - 2] == '\r' && memchr(bytes, '\r', n - 2) == NULL;
}

/* Does a line behind this one begin in the middle of what the peer may take for a line? */
static void note_end(struct wire *wire, const char *line, size_t n)
{
    wire->is_behind_bare = n < 2 || line[n - 2] != '\r';
}

static enum wire_result cut_line(struct wire *wire, char *line, size_t n, bool strict, size_t *len_out)
{
    bool is_clean = has_clean_end(line, n) && !wire->is_behind_bare;
    note_end(wire, line, n);
    if (strict && !is_clean) {
        line[n - 1] = '\0';
        *len_out = n - 1;
        return WIRE_BARE;
    }
    size_t len = n >= 2 && line[n - 2] == '\r' ? n - 2 : n - 1;
    line[len] = '\0';
    *len_out = len;
    return WIRE_LINE;
}

enum wire_result wire_read_line(struct wire *wire, size_t limit, bool strict, char **line_out, size_t *len_out)
{
    size_t seen = 0;
    for (;;) {
        size_t unread = wire->end - wire->start;
        char *lf = unread > seen ? memchr(wire->in_buf + wire->start + seen, '\n', unread - seen) : NULL;
        if (lf != NULL) {
            char *line = wire->in_buf + wire->start;
            size_t n = (size_t)(lf - line) + 1;
            wire->start += n;
            if (wire->is_skipping || n > limit) {
                wire->is_skipping = false;
                note_end(wire, line, n);
                return WIRE_LONG;
            }
            *line_out = line;
            return cut_line(wire, line, n, strict, len_out);
        }
        seen = unread;
        if (unread >= limit || wire->is_skipping) {
            wire->is_skipping = true;
            seen = unread > 0;
            wire->start = wire->end - seen; /* the last byte stays: it may be the CR of the end */
        }
        enum wire_result result = fill(wire);
        if (result != WIRE_LINE) {
            return result;
        }
    }
}

enum wire_result wire_peek(struct wire *wire, const char **bytes_out, size_t *len_out)
{
    if (wire->start == wire->end) {
        wire->start = wire->end = 0;
        enum wire_result result = fill(wire);
        if (result != WIRE_LINE) {
            return result;
        }
    }
    *bytes_out = wire->in_buf + wire->start;
    *len_out = wire->end - wire->start;
    return WIRE_LINE;
}

void wire_skip(struct wire *wire, size_t n)
{
    size_t unread = wire->end - wire->start;
    wire->start += n < unread ? n : unread;
}

bool wire_has_input(const struct wire *wire)
{
    if (wire->start < wire->end) {
        return true;
    }
    struct pollfd ready = {.fd = wire->in, .events = POLLIN};
    if (poll(&ready, 1, 0) <= 0 || (ready.revents & POLLIN) == 0) {
        return false;
    }
    char byte; /* a socket is readable at its end too */
    return recv(wire->in, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

bool wire_unread(struct wire *wire, const char *bytes, size_t n)
{
    size_t unread = wire->end - wire->start;
    if (n > WIRE_IN - unread) {
        return false;
    }
    if (n == 0) {
        return true;
    }
    memmove(wire->in_buf + n, wire->in_buf + wire->start, unread);
    memcpy(wire->in_buf, bytes, n);
    wire->start = 0;
    wire->end = n + unread;
    return true;
}

void wire_part(struct wire *wire)
{
    const char *bytes;
    size_t n;
    size_t dropped = 0;
    wire_flush(wire);
    if (shutdown(wire->out, SHUT_WR) < 0) {
        return;
    }
    wire->end_ms = clock_monotonic_ms() + PARTING_MS;
    while (dropped < PARTING_BYTES && wire_peek(wire, &bytes, &n) == WIRE_LINE) {
        wire_skip(wire, n);
        dropped += n;
    }
}
