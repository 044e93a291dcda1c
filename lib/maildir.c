/* SPDX-License-Identifier: ISC */
/* One message into a Maildir. No reader ever sees a torn file: it is written in tmp/, synced, and only then renamed to new/.
 * Every byte of the final name comes from the message's id and its sizes, so a second try of the same recipient meets its own
 * file instead of making another. Folders below a Maildir are opened without following links: a mailbox's owner may have put
 * anything there. */
#include "lib/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/durable.h"
#include "lib/log.h"
#include "lib/msgid.h"
#include "lib/scan.h"
#include "lib/str.h"

enum { RENAME_TRIES = 8, FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static void append_host(stralloc *out, const char *me)
{
    size_t n = 0;
    while (n < MAILDIR_HOST_MAX && is_host_byte(me[n])) {
        n++;
    }
    if (n == 0) {
        str_cats(out, "localhost");
    } else {
        str_cat(out, me, n);
    }
}

void maildir_base_append(stralloc *out, const char *id, uint64_t n, const char *me)
{
    uint64_t us = msgid_time_us(id);
    str_catf(out, "%llu.M%06lluQ", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
    str_cat(out, id + MSGID_RANDOM_AT, MSGID_LEN - MSGID_RANDOM_AT);
    str_catf(out, "R%llu.", (unsigned long long)n);
    append_host(out, me);
}

/* A folder that is there already is good; what else has its name shows when it is opened. */
static int make_folder(int dir_at, const char *name)
{
    return mkdirat(dir_at, name, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

static int make_inner(int maildir)
{
    static const char *const inner[] = {"tmp", "new", "cur"};
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        if (make_folder(maildir, inner[i]) < 0) {
            return -1;
        }
        int fd = openat(maildir, inner[i], FOLDER_FLAGS);
        if (fd < 0) {
            return -1;
        }
        close(fd);
    }
    return fsync(maildir);
}

static void close_keeping_errno(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
}

static int sync_parent(int dir_at, const char *path)
{
    stralloc parent = STRALLOC_ZERO;
    size_t n = strlen(path);
    while (n > 0 && path[n - 1] == '/') {
        n--;
    }
    while (n > 0 && path[n - 1] != '/') {
        n--;
    }
    str_copy(&parent, n == 0 ? "." : path, n == 0 ? 1 : n);
    int result = durable_sync_folder(dir_at, str_text(&parent));
    stralloc_free(&parent);
    return result;
}

int maildir_create(int dir_at, const char *path)
{
    if (make_folder(dir_at, path) < 0) {
        return -1;
    }
    int fd = openat(dir_at, path, FOLDER_FLAGS);
    if (fd < 0) {
        return -1;
    }
    int result = make_inner(fd);
    close_keeping_errno(fd);
    return result < 0 ? -1 : sync_parent(dir_at, path);
}

/* openat(2) follows a link whose name ends in a slash, even with O_NOFOLLOW: the slash goes. */
static void copy_without_slash(stralloc *out, const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    str_copy(out, path, n);
}

int maildir_open(int dir_at, const char *path, bool may_create)
{
    stralloc name = STRALLOC_ZERO;
    copy_without_slash(&name, path);
    const char *plain = str_text(&name);
    int fd = openat(dir_at, plain, FOLDER_FLAGS);
    if (fd < 0 && errno == ENOENT && may_create && maildir_create(dir_at, plain) == 0) {
        fd = openat(dir_at, plain, FOLDER_FLAGS);
    }
    int saved = errno;
    stralloc_free(&name);
    errno = saved;
    return fd;
}

/* Opens tmp/ and new/, and makes them once where they are missing. */
static int open_inner(struct maildir_message *message, int maildir)
{
    message->tmp = openat(maildir, "tmp", FOLDER_FLAGS);
    message->fresh = openat(maildir, "new", FOLDER_FLAGS);
    if ((message->tmp < 0 || message->fresh < 0) && errno == ENOENT) {
        close(message->tmp);
        close(message->fresh);
        if (make_inner(maildir) < 0) {
            message->tmp = message->fresh = -1;
            return -1;
        }
        message->tmp = openat(maildir, "tmp", FOLDER_FLAGS);
        message->fresh = openat(maildir, "new", FOLDER_FLAGS);
    }
    return message->tmp < 0 || message->fresh < 0 ? -1 : 0;
}

static int create_file(struct maildir_message *message)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };
    message->fd = openat(message->tmp, message->tmp_name, FLAGS, 0600);
    if (message->fd < 0 && errno == EEXIST && unlinkat(message->tmp, message->tmp_name, 0) == 0) {
        /* the rest of a process that had our number before us */
        message->fd = openat(message->tmp, message->tmp_name, FLAGS, 0600);
    }
    return message->fd < 0 ? -1 : 0;
}

static void close_all(struct maildir_message *message)
{
    int saved = errno;
    int *all[] = {&message->fd, &message->tmp, &message->fresh};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (*all[i] >= 0) {
            close(*all[i]);
            *all[i] = -1;
        }
    }
    errno = saved;
}

int maildir_start(struct maildir_message *message, int maildir, const char *base)
{
    stralloc tmp_name = STRALLOC_ZERO;
    message->fd = message->tmp = message->fresh = -1;
    str_catf(&tmp_name, "%s.P%ld", base, (long)getpid());
    str_text(&tmp_name);
    bool fits = tmp_name.len < MAILDIR_NAME_MAX;
    if (fits) {
        memcpy(message->base, base, strlen(base) + 1);
        memcpy(message->tmp_name, tmp_name.s, tmp_name.len + 1);
    }
    stralloc_free(&tmp_name);
    if (!fits) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (open_inner(message, maildir) < 0 || create_file(message) < 0) {
        close_all(message);
        return -1;
    }
    return 0;
}

void maildir_abandon(struct maildir_message *message)
{
    int saved = errno;
    if (message->fd >= 0) {
        unlinkat(message->tmp, message->tmp_name, 0);
    }
    errno = saved;
    close_all(message);
}

/* BASE,S=,W=; from the second try on A1, A2 … behind R<n>. */
static void final_name(stralloc *out, const struct maildir_message *message, const struct maildir_sizes *sizes, unsigned try)
{
    const char *dot = strrchr(message->base, '.');
    size_t head = dot == NULL ? strlen(message->base) : (size_t)(dot - message->base);
    out->len = 0;
    str_cat(out, message->base, head);
    if (try > 0) {
        str_catf(out, "A%u", try);
    }
    str_cats(out, message->base + head);
    str_catf(out, ",S=%llu,W=%llu", (unsigned long long)sizes->bytes, (unsigned long long)sizes->wire_bytes);
    str_text(out);
}

static bool is_delivered_already(const struct maildir_message *message, const char *name, uint64_t bytes)
{
    struct stat found;
    return fstatat(message->fresh, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(found.st_mode) &&
           (uint64_t)found.st_size == bytes;
}

static int publish(const struct maildir_message *message, const char *name, bool is_ordered)
{
    if (is_ordered) {
        return durable_publish_ordered(message->fd, message->tmp, message->tmp_name, message->fresh, name);
    }
    return durable_publish(message->fd, message->tmp, message->tmp_name, message->fresh, name);
}

/* The file of an earlier try is as durable as it can be made now: that try may have died before its own sync. */
static int sync_earlier(const struct maildir_message *message, const char *name)
{
    int fd = openat(message->fresh, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? 0 : -1; /* read and moved to cur/ meanwhile */
    }
    int result = fsync(fd);
    close_keeping_errno(fd);
    return result < 0 ? -1 : fsync(message->fresh);
}

enum maildir_result maildir_publish(struct maildir_message *message, const struct maildir_sizes *sizes, bool is_ordered,
                                    stralloc *name_out)
{
    enum maildir_result result = MAILDIR_FAILED;
    for (unsigned try = 0; try < RENAME_TRIES && result == MAILDIR_FAILED; try++) {
        final_name(name_out, message, sizes, try);
        if (publish(message, name_out->s, is_ordered) == 0) {
            result = MAILDIR_DELIVERED;
        } else if (errno != EEXIST) {
            break;
        } else if (is_delivered_already(message, name_out->s, sizes->bytes)) {
            if (sync_earlier(message, name_out->s) < 0) {
                break;
            }
            result = MAILDIR_ALREADY;
        } else {
            log_event("alert", "what=maildir-name-taken name=%s", name_out->s);
        }
    }
    if (result == MAILDIR_DELIVERED) {
        close_all(message);
    } else {
        maildir_abandon(message);
    }
    return result;
}
