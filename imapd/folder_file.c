/* SPDX-License-Identifier: ISC */
/* From a message to its file. The record's word is tried first; a name that fails is looked up by one scan, which serves all
 * later ones of the command: another program may have renamed it a moment ago. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/nameinfo.h"
#include "lib/str.h"

enum { TRIES = 64 };

void folder_name_append(struct folder *folder, uint32_t index, stralloc *name)
{
    const struct record *record = folder_record_at(folder, index);
    bool is_new = record->state & RECORD_IS_NEW;
    str_cats(name, is_new ? "new/" : "cur/");
    str_cats(name, folder_base_name(folder, index));
    if (!is_new) {
        nameinfo_append(name, record->flags, record->keywords);
    }
}

void folder_forget_names(struct folder *folder)
{
    if (folder->names_now.message != NULL) {
        folder->names_now.folder = folder->names_now.fresh = folder->names_now.cur = -1;
        mailbox_close(&folder->names_now);
    }
}

static int scan_names(struct folder *folder)
{
    folder_forget_names(folder);
    folder->names_now = (struct mailbox){.folder = folder->dir, .fresh = folder->fresh, .cur = folder->cur};
    return mailbox_scan(&folder->names_now);
}

/* First message that does not stand before one with this arrival and base name. */
static uint32_t lower_bound(const struct mailbox *box, uint64_t order_us, const char *base, size_t len)
{
    uint32_t low = 0;
    uint32_t high = box->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct mailbox_message *message = &box->message[middle];
        size_t shorter = message->base_len < len ? message->base_len : len;
        int order = message->order_us != order_us ? (message->order_us < order_us ? -1 : 1)
                                                  : memcmp(mailbox_name(box, middle), base, shorter);
        if (order < 0 || (order == 0 && message->base_len < len)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* FOLDER_NONE: it is not among the names. A base without a time stands where its mtime put it: all are looked through. */
static uint32_t find_base(const struct mailbox *box, const char *base, size_t len)
{
    struct mailbox_name said;
    bool has_time = mailbox_name_parse(base, len, &said) && said.order_us != MAILBOX_UNKNOWN;
    for (uint32_t i = has_time ? lower_bound(box, said.order_us, base, len) : 0; i < box->n; i++) {
        if (box->message[i].base_len == len && memcmp(mailbox_name(box, i), base, len) == 0) {
            return i;
        }
        if (has_time) {
            break;
        }
    }
    return FOLDER_NONE;
}

int folder_find_name(struct folder *folder, uint32_t index, bool is_fresh_look, stralloc *name)
{
    const char *base = folder_base_name(folder, index);
    if ((is_fresh_look || folder->names_now.message == NULL) && scan_names(folder) < 0) {
        return -1;
    }
    const struct mailbox *box = &folder->names_now;
    uint32_t found = find_base(box, base, strlen(base));
    if (found == FOLDER_NONE) {
        folder->stamp.cur_ns = 0; /* whatever the mtime says: the next look scans */
        errno = box->is_torn ? EAGAIN : ENOENT;
        return -1;
    }
    name->len = 0;
    str_cats(name, box->message[found].state & MAILBOX_IS_NEW ? "new/" : "cur/");
    str_cats(name, mailbox_name(box, found));
    return 0;
}

static int open_file(const struct folder *folder, stralloc *name, uint64_t *bytes_out)
{
    struct stat stat;
    int fd = openat(folder->dir, str_text(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    if (fd >= 0 && bytes_out != NULL) {
        *bytes_out = (uint64_t)stat.st_size;
    }
    return fd;
}

void folder_hold(struct folder *folder)
{
    folder->is_holding = true;
    folder->held = -1;
}

void folder_release(struct folder *folder)
{
    if (folder->is_holding && folder->held >= 0) {
        close(folder->held);
    }
    folder->is_holding = false;
}

/* The held file from its beginning; -1: it is not to be had so. */
static int open_held(const struct folder *folder, uint64_t *bytes_out)
{
    struct stat stat;
    int fd = folder->is_holding && folder->held >= 0 ? dup(folder->held) : -1;
    if (fd >= 0 && (lseek(fd, 0, SEEK_SET) < 0 || fstat(fd, &stat) < 0)) {
        close(fd);
        return -1;
    }
    if (fd >= 0 && bytes_out != NULL) {
        *bytes_out = (uint64_t)stat.st_size;
    }
    return fd;
}

static int stat_file(const struct folder *folder, stralloc *name, uint64_t *bytes_out)
{
    struct stat stat;
    if (fstatat(folder->dir, str_text(name), &stat, AT_SYMLINK_NOFOLLOW) < 0) {
        return -1;
    }
    *bytes_out = (uint64_t)stat.st_size;
    return 0;
}

/* What `reach` makes of the file under its name of now. */
static int by_name(struct folder *folder, uint32_t index, int (*reach)(const struct folder *, stralloc *, uint64_t *),
                   uint64_t *bytes_out)
{
    stralloc name = STRALLOC_ZERO;
    int result = -1;
    errno = ENOENT;
    if (!(folder_record_at(folder, index)->state & RECORD_IS_ODD)) {
        folder_name_append(folder, index, &name);
        result = reach(folder, &name, bytes_out);
    }
    for (unsigned look = 0; result < 0 && errno == ENOENT && look < TRIES; look++) {
        if (folder_find_name(folder, index, look > 0, &name) < 0) {
            break;
        }
        result = reach(folder, &name, bytes_out);
    }
    int error = errno;
    stralloc_free(&name);
    errno = error;
    return result;
}

uint64_t folder_stored_bytes(struct folder *folder, uint32_t index)
{
    struct mailbox_name said;
    uint64_t bytes = 0;
    const char *base = folder_base_name(folder, index);
    if (mailbox_name_parse(base, strlen(base), &said) && said.size != MAILBOX_UNKNOWN) {
        return said.size;
    }
    return by_name(folder, index, stat_file, &bytes) < 0 ? 0 : bytes;
}

int folder_open_message(struct folder *folder, uint32_t index, uint64_t *bytes_out)
{
    int fd = open_held(folder, bytes_out);
    if (fd < 0) {
        fd = by_name(folder, index, open_file, bytes_out);
        int error = errno;
        if (fd >= 0 && folder->is_holding && folder->held < 0) {
            folder->held = dup(fd);
        }
        errno = error;
    }
    return fd;
}
