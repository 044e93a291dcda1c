/* SPDX-License-Identifier: ISC */
/* The end of APPEND, COPY and MOVE: see folder_add.h. A crash between a name and its UID leaves a message that the next scan
 * finds. */
#include "imapd/folder_add.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/str.h"

int adding_begin(struct adding *adding, struct folder *folder)
{
    struct index_stamp now;
    *adding = (struct adding){.folder = folder};
    if (folder_lock(folder) < 0) {
        return -1;
    }
    adding->was_clean = folder_stamp_now(folder, &now) == 0 && memcmp(&now, &folder->stamp, sizeof now) == 0;
    return 0;
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

/* UIDs for all. False: there are none left. */
static bool give_uids(struct adding *adding, stralloc *lines)
{
    struct folder *folder = adding->folder;
    struct record *records = (struct record *)(void *)adding->records.s;
    if (UINT32_MAX - folder->uidnext <= adding->n) {
        errno = EOVERFLOW;
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
    struct index_stamp stamp;
    uint32_t first = folder->uidnext;
    size_t start = entry_begin(&folder->out, ENTRY_APPEND, folder_next_modseq(folder));
    entry_put(&folder->out, adding->records.s, adding->records.len);
    entry_put(&folder->out, adding->bases.s, adding->bases.len);
    entry_end(&folder->out, start, adding->n);
    if (adding->was_clean && folder_stamp_now(folder, &stamp) == 0) {
        folder->uidnext = first + adding->n; /* for the stamp's entry, which is played behind the append */
        folder_put_stamp(folder, &stamp);
        folder->uidnext = first;
    }
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

int adding_commit(struct adding *adding, uint32_t *first_uid_out)
{
    struct folder *folder = adding->folder;
    stralloc lines = STRALLOC_ZERO;
    uint32_t first = folder->uidnext;
    int result = give_uids(adding, &lines) ? uidlist_add(folder->dir, folder->head.uidvalidity, first + adding->n, &lines) : -1;
    stralloc_free(&lines);
    if (result < 0 || tell(adding) < 0) {
        adding_undo(adding);
        return -1;
    }
    folder_unlock(folder);
    adding_free(adding);
    *first_uid_out = first;
    return fsync(folder->cur);
}

void adding_undo(struct adding *adding)
{
    int error = errno;
    for (size_t at = 0; !adding->is_move && at < adding->files.len; at += strlen(adding->files.s + at) + 1) {
        (void)unlinkat(adding->folder->dir, adding->files.s + at, 0);
    }
    folder_unlock(adding->folder);
    adding_free(adding);
    errno = error;
}
