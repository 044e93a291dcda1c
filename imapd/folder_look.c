/* SPDX-License-Identifier: ISC */
/* What a message's file says beside its bytes: INTERNALDATE and RFC822.SIZE. A folder may be met with 100,000 files in it, and
 * its SELECT needs neither, so the index marks what nobody has looked at; the first who asks looks. A name's ,S= and ,W= are
 * believed where the file's size agrees: FETCH announces what it sends. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/crlf.h"
#include "lib/str.h"

uint32_t folder_date_of(const struct stat *stat)
{
    int64_t seconds = stat->st_mtim.tv_sec;
    return seconds < 0 ? 0 : seconds >= RECORD_UNSEEN ? RECORD_UNSEEN - 1 : (uint32_t)seconds;
}

static void keep(struct folder *folder, const struct entry_cache *fact)
{
    folder->looked = *fact;
    str_cat(&folder->facts, (const char *)fact, sizeof *fact);
}

/* By the record's word; a name that is not right any more is looked up. 0; -1 errno. */
static int stat_file(struct folder *folder, uint32_t index, struct stat *out)
{
    stralloc name = STRALLOC_ZERO;
    folder_name_append(folder, index, &name);
    int result = fstatat(folder->dir, str_text(&name), out, AT_SYMLINK_NOFOLLOW);
    stralloc_free(&name);
    if (result == 0 && S_ISREG(out->st_mode)) {
        return 0;
    }
    int fd = folder_open_message(folder, index, NULL);
    if (fd < 0) {
        return -1;
    }
    result = fstat(fd, out);
    close(fd);
    return result;
}

static void take_stat(struct folder *folder, uint32_t index, const struct stat *stat)
{
    struct mailbox_name said;
    const struct record *record = folder_record_at(folder, index);
    const char *base = folder_base_name(folder, index);
    bool is_true = mailbox_name_parse(base, strlen(base), &said) && said.size == (uint64_t)stat->st_size;
    const struct entry_cache fact = {
        .uid = record->uid, .size = is_true ? record->size : UINT32_MAX, .date = folder_date_of(stat)};
    keep(folder, &fact);
}

/* What the index knows of a message, or this session since. */
static struct entry_cache known(struct folder *folder, uint32_t index)
{
    const struct record *record = folder_record_at(folder, index);
    if (folder->looked.uid == record->uid) {
        return folder->looked;
    }
    return (struct entry_cache){.uid = record->uid, .size = record->size, .date = record->date};
}

void folder_look_at(struct folder *folder, uint32_t index, int fd)
{
    struct stat stat;
    if (known(folder, index).date == RECORD_UNSEEN && fstat(fd, &stat) == 0) {
        take_stat(folder, index, &stat);
    }
}

/* 0; -1 errno. */
static int look(struct folder *folder, uint32_t index, struct entry_cache *out)
{
    struct stat stat;
    *out = known(folder, index);
    if (out->date == RECORD_UNSEEN) {
        if (stat_file(folder, index, &stat) < 0) {
            return -1;
        }
        take_stat(folder, index, &stat);
        *out = folder->looked;
    }
    return 0;
}

/* Apart from folder_size: its large buffer would cost every call that needs none. */
__attribute__((noinline)) static int count_file(struct folder *folder, uint32_t index, uint64_t *out)
{
    int fd = folder_open_message(folder, index, NULL);
    if (fd < 0) {
        return -1;
    }
    char piece[65536];
    struct crlf count;
    ssize_t n;
    crlf_start(&count);
    while ((n = read(fd, piece, sizeof piece)) > 0) {
        crlf_count(&count, piece, (size_t)n);
    }
    int error = errno;
    close(fd);
    errno = error;
    if (n < 0) {
        return -1;
    }
    *out = crlf_wire_bytes(&count);
    return 0;
}

int folder_size(struct folder *folder, uint32_t index, uint64_t *out)
{
    const struct record *record = folder_record_at(folder, index);
    *out = record->size;
    if (record->date != RECORD_UNSEEN && record->size != UINT32_MAX) {
        return 0;
    }
    struct entry_cache fact;
    if (look(folder, index, &fact) < 0) {
        return -1;
    }
    *out = fact.size;
    if (fact.size != UINT32_MAX) {
        return 0;
    }
    if (count_file(folder, index, out) < 0) {
        return -1;
    }
    if (*out < UINT32_MAX) {
        fact.size = (uint32_t)*out;
        keep(folder, &fact);
    }
    return 0;
}

int folder_date(struct folder *folder, uint32_t index, uint32_t *out)
{
    struct entry_cache fact;
    *out = folder_record_at(folder, index)->date;
    if (*out != RECORD_UNSEEN) {
        return 0;
    }
    if (look(folder, index, &fact) < 0) {
        return -1;
    }
    *out = fact.date;
    return 0;
}
