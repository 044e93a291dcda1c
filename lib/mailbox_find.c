/* SPDX-License-Identifier: ISC */
/* Other programs rename and remove while a session looks. A name that is not there any more costs one scan that brings all names
 * up to date, so a thousand messages removed elsewhere cost one scan too. */
#include "lib/mailbox_find.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/str.h"

enum { TRIES = 4 };

int mailbox_compare(const struct mailbox *a_box, const struct mailbox_message *a, const struct mailbox *b_box,
                    const struct mailbox_message *b)
{
    if (a->order_us != b->order_us) {
        return a->order_us < b->order_us ? -1 : 1;
    }
    size_t shorter = a->base_len < b->base_len ? a->base_len : b->base_len;
    int order = memcmp(a_box->names.s + a->name_at, b_box->names.s + b->name_at, shorter);
    return order != 0 ? order : (int)a->base_len - (int)b->base_len;
}

static int compare_for_sort(const void *a, const void *b, void *box)
{
    const struct mailbox_message *left = a;
    const struct mailbox_message *right = b;
    const char *names = ((const struct mailbox *)box)->names.s;
    int order = mailbox_compare(box, left, box, right);
    order = order != 0 ? order : (right->state & MAILBOX_IS_NEW) - (left->state & MAILBOX_IS_NEW);
    return order != 0 ? order : strcmp(names + left->name_at, names + right->name_at);
}

void mailbox_sort(struct mailbox *box)
{
    if (box->n > 1) {
        qsort_r(box->message, box->n, sizeof *box->message, compare_for_sort, box);
    }
}

static const struct mailbox_message *find(const struct mailbox *in, const struct mailbox *box,
                                          const struct mailbox_message *wanted)
{
    uint32_t low = 0;
    uint32_t high = in->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = mailbox_compare(in, &in->message[middle], box, wanted);
        if (order == 0) {
            return &in->message[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* The message's name is now that of `found`. */
static void take_name(struct mailbox *box, struct mailbox_message *message, const struct mailbox *in,
                      const struct mailbox_message *found)
{
    const char *name = in->names.s + found->name_at;
    bool is_same = found->name_len == message->name_len && memcmp(name, box->names.s + message->name_at, found->name_len) == 0;
    if (!is_same && box->names.len + found->name_len + 1 <= UINT32_MAX) {
        message->name_at = (uint32_t)box->names.len;
        message->name_len = found->name_len;
        str_cat(&box->names, name, (size_t)found->name_len + 1);
    }
    message->flags = found->flags;
    message->state = (uint8_t)((message->state & ~MAILBOX_IS_NEW) | (found->state & MAILBOX_IS_NEW));
}

int mailbox_refresh(struct mailbox *box)
{
    struct mailbox now = {.folder = -1, .fresh = box->fresh, .cur = box->cur, .names = STRALLOC_ZERO};
    int result = mailbox_scan(&now);
    for (uint32_t i = 0; i < box->n && result == 0; i++) {
        struct mailbox_message *message = &box->message[i];
        if (message->state & MAILBOX_IS_DOUBLE) {
            continue; /* what has its base name may be the other one */
        }
        const struct mailbox_message *found = find(&now, box, message);
        if (found == NULL) {
            message->state |= now.is_torn ? 0 : MAILBOX_IS_GONE;
        } else {
            take_name(box, message, &now, found);
        }
    }
    now.fresh = now.cur = -1; /* they stay box's */
    int saved = errno;
    mailbox_close(&now);
    errno = saved;
    return result;
}

static int folder_of(const struct mailbox *box, uint32_t i)
{
    return box->message[i].state & MAILBOX_IS_NEW ? box->fresh : box->cur;
}

/* After ENOENT: 0 when the message has a name again. */
static int look_again(struct mailbox *box, uint32_t i)
{
    const struct mailbox_message *message = &box->message[i];
    if (!(message->state & (MAILBOX_IS_GONE | MAILBOX_IS_DOUBLE)) && mailbox_refresh(box) < 0) {
        return -1;
    }
    if (message->state & (MAILBOX_IS_GONE | MAILBOX_IS_DOUBLE)) {
        errno = ENOENT;
        return -1;
    }
    return 0;
}

static int open_by_name(const struct mailbox *box, uint32_t i)
{
    struct stat stat;
    int fd = openat(folder_of(box, i), mailbox_name(box, i), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

int mailbox_open_message(struct mailbox *box, uint32_t i)
{
    for (unsigned try = 0;; try++) {
        int fd = open_by_name(box, i);
        if (fd >= 0 || errno != ENOENT || try == TRIES || look_again(box, i) < 0) {
            return fd;
        }
    }
}

int mailbox_remove(struct mailbox *box, uint32_t i)
{
    for (unsigned try = 0;; try++) {
        if (unlinkat(folder_of(box, i), mailbox_name(box, i), 0) == 0) {
            return 1;
        }
        if (errno != ENOENT || try == TRIES) {
            return -1;
        }
        if (look_again(box, i) < 0) {
            return errno == ENOENT ? 0 : -1;
        }
    }
}

/* The letters of `flags` in the order Maildir asks for. */
static void append_flags(stralloc *out, unsigned flags)
{
    static const char letters[] = "DFPRST";
    for (unsigned bit = 0; letters[bit] != '\0'; bit++) {
        if (flags & (1U << bit)) {
            str_catc(out, letters[bit]);
        }
    }
}

int mailbox_move_to_cur(struct mailbox *box, uint32_t i)
{
    struct mailbox_message *message = &box->message[i];
    if (!(message->state & MAILBOX_IS_NEW) || message->state & MAILBOX_IS_DOUBLE) {
        return 0;
    }
    stralloc to = STRALLOC_ZERO;
    str_cat(&to, mailbox_name(box, i), message->base_len);
    str_cats(&to, ":2,");
    append_flags(&to, message->flags);
    int result = renameat2(box->fresh, mailbox_name(box, i), box->cur, str_text(&to), RENAME_NOREPLACE);
    if (result == 0 && to.len <= MAILBOX_NAME_MAX && box->names.len + to.len + 1 <= UINT32_MAX) {
        message->name_at = (uint32_t)box->names.len;
        message->name_len = (uint8_t)to.len;
        message->state &= (uint8_t)~MAILBOX_IS_NEW;
        str_cat(&box->names, to.s, to.len + 1);
    }
    int saved = errno;
    stralloc_free(&to);
    errno = saved;
    return result;
}
