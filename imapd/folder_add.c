/* SPDX-License-Identifier: ISC */
/* The end of APPEND, COPY and MOVE: see folder_add.h. A crash between a name and its UID leaves a message that the next scan
 * finds. */
#include "imapd/folder_add.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "imapd/courier.h"
#include "imapd/dotlock.h"
#include "lib/str.h"

int adding_begin(struct adding *adding, struct folder *folder)
{
    *adding = (struct adding){.folder = folder};
    if (folder_lock(folder) < 0) {
        return -1;
    }
    const struct index_stamp *before = &adding->before;
    const struct index_stamp *known = &folder->stamp;
    int result = folder_stamp_now(folder, &adding->before);
    /* A session that died may have given UIDs and keywords that the index does not know: they are taken, as Courier's are. */
    bool is_courier_new = result == 0 && courier_uidnext(folder) > folder->uidnext;
    if (result == 0 &&
        (is_courier_new || before->keywords_size != known->keywords_size || before->uidlist_ns != known->uidlist_ns ||
         before->uidlist_size != known->uidlist_size || before->uidlist_inode != known->uidlist_inode)) {
        result = folder_take_in(folder, true) < 0 ? -1 : folder_stamp_now(folder, &adding->before);
    }
    if (result < 0) {
        folder_unlock(folder);
    }
    return result;
}

int adding_doubt(struct adding *adding)
{
    struct folder *folder = adding->folder;
    uint64_t cur_ns = folder_cur_now(folder);
    bool is_known = cur_ns != 0 && cur_ns == folder->stamp.cur_ns; /* else there is something for the next look */
    int result = folder_doubt(folder);
    adding->before.cur_ns = is_known ? folder->stamp.cur_ns : UINT64_MAX;
    return result;
}

int adding_announce(struct adding *adding, const stralloc *base, uint64_t keywords)
{
    struct folder *folder = adding->folder;
    stralloc line = STRALLOC_ZERO;
    int result = 0;
    keywords_new_line_append(&line, base->s, base->len, keywords);
    if (line.len > 0) {
        uint64_t cur_ns = folder_cur_now(folder);
        result = keywords_add_ours(&folder->keywords, folder->dir, folder->head.uidvalidity, &line, true);
        if (folder_cur_now(folder) != cur_ns) {
            adding->before.cur_ns = UINT64_MAX; /* something came while we waited */
        }
    }
    int error = errno;
    stralloc_free(&line);
    errno = error;
    return result;
}

void adding_put(struct adding *adding, const struct record *record, const stralloc *base, const stralloc *file)
{
    struct record copy = *record;
    copy.name_at = (uint32_t)adding->bases.len;
    copy.state = 0;
    copy.cache_at = 0;
    str_cat(&adding->bases, base->s, base->len);
    str_cat(&adding->bases, "", 1);
    str_cat(&adding->files, file->s, file->len);
    str_cat(&adding->files, "", 1);
    str_cat(&adding->records, (const char *)&copy, sizeof copy);
    adding->n++;
}

/* UIDs for all. False: there are no UIDs left (EAGAIN). */
static bool give_uids(struct adding *adding, stralloc *lines)
{
    struct folder *folder = adding->folder;
    struct record *records = (struct record *)(void *)adding->records.s;
    if (UINT32_MAX - folder->uidnext <= adding->n) {
        (void)folder_end_uids(folder);
        return false;
    }
    for (uint32_t i = 0; i < adding->n; i++) {
        const char *base = adding->bases.s + records[i].name_at;
        records[i].uid = folder->uidnext + i;
        uidlist_line_append(lines, records[i].uid, base, strlen(base));
    }
    return true;
}

static int tell(struct adding *adding)
{
    struct folder *folder = adding->folder;
    size_t start = entry_begin(&folder->out, ENTRY_APPEND, folder_next_modseq(folder));
    entry_put(&folder->out, adding->records.s, adding->records.len);
    entry_put(&folder->out, adding->bases.s, adding->bases.len);
    entry_end(&folder->out, start, adding->n);
    folder_put_stamp_since(folder, &adding->before, adding->named_ns);
    return folder_commit(folder);
}

static void adding_free(struct adding *adding)
{
    int error = errno;
    stralloc_free(&adding->records);
    stralloc_free(&adding->bases);
    stralloc_free(&adding->files);
    errno = error;
}

/* The UID list, synced. */
static int write_list(struct adding *adding)
{
    struct folder *folder = adding->folder;
    stralloc lines = STRALLOC_ZERO;
    int result = -1;
    if (give_uids(adding, &lines)) {
        const struct folder_news news = {
            .record = (const struct record *)(const void *)adding->records.s, .n = adding->n, .names = adding->bases.s};
        result = folder_uidlist_add(folder, folder->uidnext + adding->n, &lines, &news);
    }
    int error = errno;
    stralloc_free(&lines);
    errno = error;
    return result;
}

static void remove_files(const struct adding *adding)
{
    for (size_t at = 0; !adding->is_move && at < adding->files.len; at += strlen(adding->files.s + at) + 1) {
        (void)unlinkat(adding->folder->dir, adding->files.s + at, 0);
    }
}

/* Names that are not durable: the client hears NO, and will try again. Their UIDs stay used. */
static void take_back(struct adding *adding, uint32_t first)
{
    struct folder *folder = adding->folder;
    int error = errno;
    if (folder_lock(folder) == 0) {
        struct entry_range range = {first, first + adding->n - 1};
        remove_files(adding);
        size_t start = entry_begin(&folder->out, ENTRY_EXPUNGE, folder_next_modseq(folder));
        entry_put(&folder->out, &range, sizeof range);
        entry_end(&folder->out, start, 1);
        (void)!folder_commit(folder); /* else the next scan finds them gone */
        folder_unlock(folder);
    }
    errno = error;
}

int adding_commit(struct adding *adding, uint32_t *first_uid_out)
{
    struct folder *folder = adding->folder;
    uint32_t first = folder->uidnext;
    bool is_synced = dotlock_trusts(folder->dir) && dotlock_trusts(folder->cur);
    adding->named_ns = folder_cur_now(folder);
    if (write_list(adding) < 0 || tell(adding) < 0) {
        adding_undo(adding);
        return -1;
    }
    folder_unlock(folder);
    *first_uid_out = first;
    int result = is_synced ? 0 : fsync(folder->cur);
    if (result < 0 && !adding->is_move) {
        take_back(adding, first);
    }
    adding_free(adding);
    return result;
}

void adding_undo(struct adding *adding)
{
    int error = errno;
    remove_files(adding);
    folder_unlock(adding->folder);
    adding_free(adding);
    errno = error;
}
