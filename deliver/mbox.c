/* SPDX-License-Identifier: ISC */
/* mbox, for those who still have one (qmail-local's format "mboxrd"). The file is only ever longer by whole messages: a failed
 * write is cut off. */
#include "deliver/mbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "deliver/store.h"
#include "lib/clock.h"
#include "lib/str.h"

static const char from_word[] = "From ";

void mbox_append_from_line(stralloc *out, const char *sender, uint64_t seconds)
{
    static const char *const day[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const month[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)seconds;
    struct tm utc;
    str_cats(out, from_word);
    if (sender[0] == '\0') {
        str_cats(out, "MAILER-DAEMON");
    }
    for (const char *p = sender; *p != '\0'; p++) {
        str_catc(out, *p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' ? '-' : *p);
    }
    gmtime_r(&when, &utc);
    str_catf(out, " %s %s %02d %02d:%02d:%02d %d\n", day[utc.tm_wday], month[utc.tm_mon], utc.tm_mday, utc.tm_hour, utc.tm_min,
             utc.tm_sec, utc.tm_year + 1900);
}

/* The line's head is decided: it goes out, with one '>' more when it is `>*From `. */
static void release(struct mbox_quoter *quoter, stralloc *out)
{
    bool is_from = quoter->matched == sizeof from_word - 1;
    for (unsigned i = 0; i < quoter->held + is_from; i++) {
        str_catc(out, '>');
    }
    str_cat(out, from_word, quoter->matched);
    quoter->held = quoter->matched = 0;
    quoter->is_at_start = false;
}

static void quote_head(struct mbox_quoter *quoter, char c, stralloc *out)
{
    if (quoter->matched == 0 && c == '>') {
        quoter->held++;
        return;
    }
    if (c == from_word[quoter->matched]) {
        quoter->matched++;
        if (quoter->matched == sizeof from_word - 1) {
            release(quoter, out);
        }
        return;
    }
    release(quoter, out);
    str_catc(out, c);
    quoter->is_at_start = c == '\n';
}

void mbox_quote(struct mbox_quoter *quoter, const char *bytes, size_t n, stralloc *out)
{
    for (size_t at = 0; at < n;) {
        if (quoter->is_at_start) {
            quote_head(quoter, bytes[at++], out);
            continue;
        }
        const char *lf = memchr(bytes + at, '\n', n - at);
        size_t part = lf == NULL ? n - at : (size_t)(lf - bytes) - at + 1;
        str_cat(out, bytes + at, part);
        quoter->is_at_start = lf != NULL;
        at += part;
    }
    if (n > 0) {
        quoter->ends_with_lf = bytes[n - 1] == '\n';
    }
}

void mbox_quote_end(struct mbox_quoter *quoter, stralloc *out)
{
    if (quoter->is_at_start) {
        release(quoter, out);
    }
    str_cats(out, quoter->ends_with_lf ? "\n" : "\n\n");
}

/* flock within the deadline. 0; -1 errno (EWOULDBLOCK: others hold it). */
static int lock_file(int fd, uint64_t seconds)
{
    enum { PAUSE_NS = 100000000 };
    uint64_t deadline = clock_monotonic_ms() + seconds * 1000;
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || clock_monotonic_ms() >= deadline) {
            return -1;
        }
        struct timespec pause = {.tv_nsec = PAUSE_NS};
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int write_all(int fd, stralloc *bytes)
{
    size_t done = 0;
    while (done < bytes->len) {
        ssize_t n = write(fd, bytes->s + done, bytes->len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        done += (size_t)n;
    }
    bytes->len = 0;
    return 0;
}

static int write_message(struct delivery *delivery, int fd)
{
    stralloc out = STRALLOC_ZERO;
    struct mbox_quoter quoter = {.is_at_start = true, .ends_with_lf = true};
    int result = 0;
    mbox_append_from_line(&out, delivery->message->sender, clock_wall_us() / 1000000);
    str_cat(&out, delivery->prefix.s, delivery->prefix.len);
    for (uint64_t at = 0; at < delivery->message->length && result == 0;) {
        const char *bytes;
        size_t n;
        result = message_read(delivery->message, at, &bytes, &n);
        if (result == 0) {
            mbox_quote(&quoter, bytes, n, &out);
            result = write_all(fd, &out);
            at += n;
        }
    }
    if (result == 0) {
        mbox_quote_end(&quoter, &out);
        result = write_all(fd, &out);
    }
    int saved = errno;
    stralloc_free(&out);
    errno = saved;
    return result;
}

/* The file is locked. */
static void append_locked(struct delivery *delivery, int fd)
{
    off_t end = lseek(fd, 0, SEEK_END);
    if (end < 0 || write_message(delivery, fd) < 0 || fsync(fd) < 0) {
        int error = errno;
        if (end >= 0 && ftruncate(fd, end) == 0) {
            (void)!fsync(fd);
        }
        outcome_set_errno(delivery->outcome, store_write_trouble(error), error);
        return;
    }
    /* From here on the mail is the user's. */
    outcome_set(delivery->outcome, &reply_delivered);
}

void mbox_append(struct delivery *delivery, const char *path)
{
    struct stat found;
    str_copys(&delivery->outcome->where, path);
    str_text(&delivery->outcome->where);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) {
        outcome_set_errno(delivery->outcome, store_write_trouble(errno), errno);
        return;
    }
    if (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode) || found.st_nlink != 1) {
        outcome_set_detail(delivery->outcome, &reply_bad_path, path, strlen(path));
    } else if (lock_file(fd, delivery->settings->mbox_seconds) < 0) {
        outcome_set(delivery->outcome, &reply_mbox_busy);
    } else {
        append_locked(delivery, fd);
    }
    close(fd);
}
