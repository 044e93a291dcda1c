/* SPDX-License-Identifier: ISC */
/* Frames and descriptors over a socket, or frames over a pipe. Trusts no peer: whatever is not the grammar is CHANNEL_BAD,
 * surplus descriptors are closed. One deadline bounds every wait. */
#include "channel.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "clock.h"
#include "die.h"
#include "str.h"

enum { READ_ROOM = 16384, BRIEF_ROOM = 1500, FD_FLOOR = 10 };

void channel_init(struct channel *channel, int in, int out)
{
    memset(channel, 0, sizeof *channel);
    channel->in = in;
    channel->out = out;
}

void channel_set_deadline(struct channel *channel, unsigned seconds)
{
    channel->deadline_ms = clock_monotonic_ms() + (uint64_t)seconds * 1000;
}

/* 1 ready, 0 deadline, -1 error. */
static int wait_for(int fd, short events, uint64_t deadline_ms)
{
    struct pollfd ready = {.fd = fd, .events = events};
    for (;;) {
        int n = poll(&ready, 1, clock_poll_timeout(deadline_ms));
        if (n >= 0) {
            return n;
        }
        if (errno != EINTR) {
            return -1;
        }
    }
}

/* Keeps a received descriptor, moved to FD_FLOOR or above; closes it where there is no room. */
static bool keep_fd(struct channel *channel, int fd)
{
    int moved = fd >= FD_FLOOR ? fd : fcntl(fd, F_DUPFD_CLOEXEC, FD_FLOOR);
    if (moved != fd) {
        close(fd);
    }
    if (moved < 0) {
        return false;
    }
    if (channel->n_fds == CHANNEL_FDS) {
        close(moved);
        return false;
    }
    channel->fds[channel->n_fds++] = moved;
    return true;
}

/* Keeps what a message brought; everything is closed when the kernel cut the list or there are too many. */
static bool keep_fds(struct channel *channel, struct msghdr *message)
{
    bool is_good = (message->msg_flags & MSG_CTRUNC) == 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        bool has_fds = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS;
        for (size_t i = 0; has_fds && i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            is_good = keep_fd(channel, fd) && is_good;
        }
    }
    if (!is_good) {
        while (channel->n_fds > 0) {
            close(channel->fds[--channel->n_fds]);
        }
    }
    return is_good;
}

/* Bytes read, 0 at the end, -1 errno (EPROTO: bad descriptors). */
static ssize_t receive(struct channel *channel, char *to, size_t room)
{
    union {
        char bytes[CMSG_SPACE(CHANNEL_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec bytes = {.iov_base = to, .iov_len = room};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(channel->in, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0 && errno == ENOTSOCK) {
        return read(channel->in, to, room);
    }
    if (n >= 0 && !keep_fds(channel, &message)) {
        errno = EPROTO;
        return -1;
    }
    return n;
}

enum channel_result channel_fill_now(struct channel *channel)
{
    if (channel->taken > 0) {
        memmove(channel->inbox.s, channel->inbox.s + channel->taken, channel->inbox.len - channel->taken);
        channel->inbox.len -= channel->taken;
        channel->taken = 0;
    }
    size_t room = channel->inbox.len < READ_ROOM / 2 ? READ_ROOM : FRAME_BYTES_MAX;
    room = channel->is_brief && channel->inbox.len == 0 ? BRIEF_ROOM : room;
    ssize_t n = receive(channel, str_room(&channel->inbox, room), room);
    if (n > 0) {
        channel->inbox.len += (size_t)n;
        return CHANNEL_FRAME;
    }
    if (n == 0 || errno == ECONNRESET) {
        return CHANNEL_EOF;
    }
    if (errno == EPROTO) {
        return CHANNEL_BAD;
    }
    return errno == EAGAIN || errno == EINTR ? CHANNEL_TIMEOUT : CHANNEL_ERROR;
}

/* Poll first: on a pipe the read itself would block. */
static enum channel_result fill(struct channel *channel)
{
    for (;;) {
        int ready = wait_for(channel->in, POLLIN, channel->deadline_ms);
        if (ready <= 0) {
            return ready == 0 ? CHANNEL_TIMEOUT : CHANNEL_ERROR;
        }
        enum channel_result result = channel_fill_now(channel);
        if (result != CHANNEL_TIMEOUT) {
            return result;
        }
    }
}

enum channel_result channel_next(struct channel *channel, struct frame *out)
{
    size_t used;
    size_t unread = channel->inbox.len - channel->taken;
    if (unread == 0) {
        return CHANNEL_TIMEOUT;
    }
    switch (frame_parse(channel->inbox.s + channel->taken, unread, out, &used)) {
    case FRAME_WHOLE:
        channel->taken += used;
        return CHANNEL_FRAME;
    case FRAME_BAD:
        return CHANNEL_BAD;
    case FRAME_MORE:
        break;
    }
    return CHANNEL_TIMEOUT;
}

enum channel_result channel_read(struct channel *channel, struct frame *out)
{
    for (;;) {
        enum channel_result result = channel_next(channel, out);
        if (result == CHANNEL_TIMEOUT) {
            result = fill(channel);
            if (result == CHANNEL_FRAME) {
                continue;
            }
        }
        return result;
    }
}

int channel_take_fd(struct channel *channel)
{
    if (channel->n_fds == 0) {
        return -1;
    }
    int fd = channel->fds[0];
    channel->n_fds--;
    memmove(channel->fds, channel->fds + 1, channel->n_fds * sizeof fd);
    return fd;
}

void channel_attach_fd(struct channel *channel, int fd)
{
    if (channel->n_attached == sizeof channel->attached / sizeof channel->attached[0]) {
        die_bug("third descriptor attached");
    }
    channel->attached[channel->n_attached++] = fd;
}

static ssize_t send_some(struct channel *channel, const char *bytes, size_t n)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (channel->n_attached > 0) {
        size_t size = channel->n_attached * sizeof(int);
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(head), channel->attached, size);
    }
    ssize_t sent = sendmsg(channel->out, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == ENOTSOCK && channel->n_attached == 0) {
        return write(channel->out, bytes, n);
    }
    if (sent > 0) {
        channel->n_attached = 0;
    }
    return sent;
}

/* Whatever came behind the gap would be taken for something else. */
static int cut(struct channel *channel)
{
    int error = errno;
    (void)shutdown(channel->out, SHUT_WR);
    channel->is_cut = true;
    channel->outbox.len = 0;
    errno = error;
    return -1;
}

int channel_flush(struct channel *channel)
{
    size_t done = 0;
    if (channel->is_cut) {
        channel->outbox.len = 0;
        errno = EPIPE;
        return -1;
    }
    while (done < channel->outbox.len) {
        ssize_t n = send_some(channel, channel->outbox.s + done, channel->outbox.len - done);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        int ready = n < 0 && errno != EAGAIN ? -1 : wait_for(channel->out, POLLOUT, channel->deadline_ms);
        if (ready <= 0) {
            if (ready == 0) {
                errno = ETIMEDOUT;
            }
            return cut(channel);
        }
    }
    channel->outbox.len = 0;
    return 0;
}

int channel_flush_now(struct channel *channel)
{
    size_t done = 0;
    int result = 1;
    while (done < channel->outbox.len && result == 1) {
        ssize_t n = send_some(channel, channel->outbox.s + done, channel->outbox.len - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            result = n == 0 || errno == EAGAIN ? 0 : -1;
        }
    }
    size_t rest = result == 0 ? channel->outbox.len - done : 0;
    if (rest > 0) {
        memmove(channel->outbox.s, channel->outbox.s + done, rest);
    }
    channel->outbox.len = rest;
    return result;
}

bool channel_answers_probe(struct channel *channel, const struct frame *frame)
{
    struct fields fields;
    if (frame->type != 'Q' || !fields_parse(frame->payload, frame->len, &fields) || fields.n != 1 ||
        strcmp(fields_get_or(&fields, "op", ""), "probe") != 0) {
        return false;
    }
    frame_end(&channel->outbox, verdict_begin(&channel->outbox, 'K', "2.0.0 here"));
    return true;
}

void channel_close(struct channel *channel)
{
    while (channel->n_fds > 0) {
        close(channel->fds[--channel->n_fds]);
    }
    if (channel->out != channel->in && channel->out >= 0) {
        close(channel->out);
    }
    if (channel->in >= 0) {
        close(channel->in);
    }
    channel->in = channel->out = -1;
    stralloc_free(&channel->inbox);
    stralloc_free(&channel->outbox);
    channel->taken = 0;
}
