/* SPDX-License-Identifier: ISC */
/* Reads and marks one file of cur/. The intake wrote it; its lengths are believed after the sums agreed, and again checked by
 * every parser. The lock tells a later send that a worker may still be at it (CONTRACTS section 3, step 5). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/str.h"
#include "queue/send_message.h"

static int open_file(const struct scheduler *scheduler, const struct message *message, int flags)
{
    return openat(scheduler->spool.cur, message->id, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static ssize_t read_at(int fd, char *bytes, size_t n, uint64_t at)
{
    ssize_t got;
    do {
        got = pread(fd, bytes, n, (off_t)at);
    } while (got < 0 && errno == EINTR);
    return got;
}

static enum message_open from_fault(int fault)
{
    if (fault < 0) {
        return MESSAGE_ERROR;
    }
    return fault == SPOOLFILE_GOOD ? MESSAGE_GOOD : fault == SPOOLFILE_TORN ? MESSAGE_TORN : MESSAGE_DAMAGED;
}

static enum message_open read_header(struct message *message, bool is_checked)
{
    char bytes[SPOOLFILE_HEADER];
    struct stat st;
    if (fstat(message->fd, &st) < 0) {
        return MESSAGE_ERROR;
    }
    if (!S_ISREG(st.st_mode)) {
        return MESSAGE_DAMAGED;
    }
    if (!is_checked) {
        return from_fault(spoolfile_check(message->fd, &message->header));
    }
    ssize_t n = read_at(message->fd, bytes, sizeof bytes, 0);
    if (n < 0) {
        return MESSAGE_ERROR;
    }
    return n < SPOOLFILE_HEADER ? MESSAGE_TORN
                                : from_fault((int)spoolfile_decode_header(bytes, (uint64_t)st.st_size, &message->header));
}

/* A window of the envelope from message->at on; its length, -1. */
static ssize_t read_envelope(struct scheduler *scheduler, const struct message *message)
{
    uint64_t left = spoolfile_marks_at(&message->header) - message->at;
    size_t wanted = left < sizeof scheduler->window ? (size_t)left : sizeof scheduler->window;
    ssize_t n = read_at(message->fd, scheduler->window, wanted, message->at);
    return n == (ssize_t)wanted ? n : -1;
}

/* Marks from number n on, as many as fit; their number, -1. */
static ssize_t read_marks(struct scheduler *scheduler, const struct message *message, uint32_t n)
{
    size_t left = message->header.n - n;
    size_t wanted = left < sizeof scheduler->marks ? left : sizeof scheduler->marks;
    ssize_t got = read_at(message->fd, scheduler->marks, wanted, spoolfile_marks_at(&message->header) + n);
    return got == (ssize_t)wanted ? got : -1;
}

static enum message_open count_marks(struct scheduler *scheduler, struct message *message)
{
    message->waiting = message->failed = 0;
    for (uint32_t n = 0; n < message->header.n;) {
        ssize_t got = read_marks(scheduler, message, n);
        if (got <= 0) {
            return MESSAGE_ERROR;
        }
        for (ssize_t i = 0; i < got; i++) {
            message->waiting += scheduler->marks[i] == '.';
            message->failed += scheduler->marks[i] == 'D';
        }
        n += (uint32_t)got;
    }
    return MESSAGE_GOOD;
}

static enum message_open read_sender(struct scheduler *scheduler, struct message *message, const char **uid_out)
{
    struct spoolfile_envelope envelope;
    size_t used;
    message->at = spoolfile_envelope_at(&message->header);
    ssize_t n = read_envelope(scheduler, message);
    if (n < 0) {
        return MESSAGE_ERROR;
    }
    if (!spoolfile_envelope_read(scheduler->window, (size_t)n, &envelope, &used)) {
        return MESSAGE_DAMAGED;
    }
    str_copys(&message->sender, envelope.sender);
    (void)str_text(&message->sender);
    message->at += used;
    *uid_out = envelope.uid;
    return MESSAGE_GOOD;
}

enum message_open message_load(struct scheduler *scheduler, struct message *message, bool is_checked, const char **uid_out)
{
    enum message_open result = read_header(message, is_checked);
    if (result == MESSAGE_GOOD) {
        result = count_marks(scheduler, message);
    }
    return result == MESSAGE_GOOD ? read_sender(scheduler, message, uid_out) : result;
}

enum message_open message_open(struct scheduler *scheduler, struct message *message, bool is_new, bool is_checked,
                               const char **uid_out)
{
    message->write_fd = -1;
    message->fd = open_file(scheduler, message, O_RDONLY);
    if (message->fd < 0) {
        return errno == ENOENT ? MESSAGE_GONE : errno == ELOOP ? MESSAGE_DAMAGED : MESSAGE_ERROR;
    }
    if (!is_new && flock(message->fd, LOCK_EX | LOCK_NB) < 0) {
        return errno == EWOULDBLOCK ? MESSAGE_BUSY : MESSAGE_ERROR;
    }
    if (flock(message->fd, LOCK_SH | LOCK_NB) < 0) {
        return MESSAGE_ERROR;
    }
    return message_load(scheduler, message, is_checked, uid_out);
}

void message_close(struct scheduler *scheduler, struct message *message)
{
    if (message->is_dirty) {
        message->is_dirty = false;
        scheduler->n_dirty--;
    }
    if (message->fd >= 0) {
        close(message->fd);
    }
    if (message->write_fd >= 0) {
        close(message->write_fd);
    }
    message->fd = message->write_fd = -1;
}

int message_descriptor(const struct scheduler *scheduler, const struct message *message)
{
    int fd = open_file(scheduler, message, O_RDONLY);
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* The disk does not give it now: those who were not read yet wait for the next try. */
static void stop_reading(struct message *message)
{
    log_event("alert", "id=%s error=%s reason=%s", message->id, strerror(errno),
              "its recipients cannot be read; they are tried later");
    message->is_read = true;
    if (message->site_kind == SITE_NONE) {
        message->site_kind = SITE_LOCAL;
        message->why = WHY_io;
    }
}

void message_read_recipients(struct scheduler *scheduler, struct message *message, unsigned most,
                             bool (*each)(void *ctx, uint32_t n, char mark, const char *address), void *ctx)
{
    unsigned found = 0;
    while (!message->is_read && found < most) {
        ssize_t n = read_envelope(scheduler, message);
        ssize_t marks = read_marks(scheduler, message, message->next_n);
        size_t used = 0;
        struct spoolfile_recipient recipient;
        ssize_t i = 0;
        while (n > 0 && found < most && i < marks &&
               spoolfile_recipient_next(scheduler->window, (size_t)n, &used, &recipient) == 1) {
            found += each(ctx, message->next_n, scheduler->marks[i++], recipient.address);
            message->next_n++;
        }
        message->at += used;
        message->is_read = message->next_n == message->header.n;
        if (n < 0 || marks < 0) {
            stop_reading(message);
        } else if (used == 0 && !message->is_read) {
            message->is_read = message->is_damaged = true;
            log_event("alert", "id=%s error=%s", message->id, "the envelope is not written as spool(5) says");
        }
    }
}

int message_open_for_writing(struct scheduler *scheduler, struct message *message)
{
    if (message->write_fd < 0) {
        message->write_fd = open_file(scheduler, message, O_RDWR);
    }
    return message->write_fd < 0 ? -1 : 0;
}

static int write_at(int fd, const char *bytes, size_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, bytes, n, (off_t)at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return -1;
        }
        bytes += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return 0;
}

static void set_dirty(struct scheduler *scheduler, struct message *message)
{
    if (!message->is_dirty) {
        message->is_dirty = true;
        message->dirty_ms = scheduler->now_ms;
        scheduler->n_dirty++;
    }
}

int message_mark(struct scheduler *scheduler, struct message *message, uint32_t n, char mark)
{
    if (message_open_for_writing(scheduler, message) < 0 ||
        write_at(message->write_fd, &mark, 1, spoolfile_marks_at(&message->header) + n) < 0) {
        log_event("alert", "id=%s n=%u mark=%c error=%s", message->id, n, mark, strerror(errno));
        return -1;
    }
    set_dirty(scheduler, message);
    return 0;
}

int message_mark_reported(struct scheduler *scheduler, struct message *message)
{
    for (uint32_t n = 0; n < message->header.n;) {
        ssize_t got = read_marks(scheduler, message, n);
        bool is_changed = false;
        for (ssize_t i = 0; i < got; i++) {
            is_changed = is_changed || scheduler->marks[i] == 'D';
            scheduler->marks[i] = scheduler->marks[i] == 'D' ? 'B' : scheduler->marks[i];
        }
        if (got <= 0 || (is_changed && (message_open_for_writing(scheduler, message) < 0 ||
                                        write_at(message->write_fd, scheduler->marks, (size_t)got,
                                                 spoolfile_marks_at(&message->header) + n) < 0))) {
            log_event("alert", "id=%s mark=B error=%s", message->id, strerror(errno));
            return -1;
        }
        n += (uint32_t)got;
    }
    set_dirty(scheduler, message);
    return 0;
}

void message_sync(struct scheduler *scheduler, struct message *message)
{
    if (!message->is_dirty) {
        return;
    }
    message->is_dirty = false;
    scheduler->n_dirty--;
    if (fdatasync(message->write_fd) < 0) {
        log_event("alert", "id=%s error=%s", message->id, strerror(errno));
    }
}
