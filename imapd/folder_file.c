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

int folder_find_name(struct folder *folder, uint32_t index, bool is_fresh_look, stralloc *name)
{
    const char *base = folder_base_name(folder, index);
    size_t len = strlen(base);
    if ((is_fresh_look || folder->names_now.message == NULL) && scan_names(folder) < 0) {
        return -1;
    }
    const struct mailbox *box = &folder->names_now;
    for (uint32_t i = 0; i < box->n; i++) {
        if (box->message[i].base_len == len && memcmp(mailbox_name(box, i), base, len) == 0) {
            name->len = 0;
            str_cats(name, box->message[i].state & MAILBOX_IS_NEW ? "new/" : "cur/");
            str_cats(name, mailbox_name(box, i));
            return 0;
        }
    }
    errno = ENOENT;
    return -1;
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

int folder_open_message(struct folder *folder, uint32_t index, uint64_t *bytes_out)
{
    stralloc name = STRALLOC_ZERO;
    int fd = -1;
    errno = ENOENT;
    if (!(folder_record_at(folder, index)->state & RECORD_IS_ODD)) {
        folder_name_append(folder, index, &name);
        fd = open_file(folder, &name, bytes_out);
    }
    for (unsigned look = 0; fd < 0 && errno == ENOENT && look < 2; look++) {
        if (folder_find_name(folder, index, look > 0, &name) == 0) {
            fd = open_file(folder, &name, bytes_out);
        }
    }
    int error = errno;
    stralloc_free(&name);
    errno = error;
    return fd;
}
