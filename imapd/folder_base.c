/* SPDX-License-Identifier: ISC */
/* A new base: what is in force, without the expunged, as a new file under the same name. It is derived, so nothing is synced:
 * after a power cut its sums tell. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/courier.h"
#include "imapd/dotlock.h"
#include "imapd/uidvalidity.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"

#define TEMPORARY INDEX_NAME ".tmp"

/* The file, open; named or with no name any more. -1 errno. */
static int write_file(struct folder *folder, const stralloc *text, bool is_named)
{
    (void)unlinkat(folder->dir, TEMPORARY, 0);
    int fd = openat(folder->dir, TEMPORARY, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -1;
    }
    int result = write_whole(fd, text->s, text->len);
    if (result == 0 && is_named) {
        result = renameat(folder->dir, TEMPORARY, folder->dir, INDEX_NAME);
    }
    int error = errno;
    if (result < 0 || !is_named) {
        (void)unlinkat(folder->dir, TEMPORARY, 0);
    }
    if (result < 0) {
        close(fd);
        fd = -1;
    }
    errno = error;
    return fd;
}

/* Records and names of the live messages. */
static void gather(struct folder *folder, stralloc *records, stralloc *names)
{
    (void)str_room(records, (size_t)folder->n_live * sizeof(struct record));
    (void)str_room(names, folder->tail_names.len + folder->head.names_len);
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        struct record record = *folder_record_at(folder, i);
        const char *name = folder_base_name(folder, i);
        record.name_at = (uint32_t)names->len;
        str_cat(names, name, strlen(name) + 1);
        str_cat(records, (const char *)&record, sizeof record);
    }
}

static int write_base(struct folder *folder, uint32_t uidvalidity, bool is_named)
{
    stralloc records = STRALLOC_ZERO;
    stralloc names = STRALLOC_ZERO;
    stralloc keywords = STRALLOC_ZERO;
    stralloc text = STRALLOC_ZERO;
    uint64_t now = clock_wall_us();
    gather(folder, &records, &names);
    keywords_append_table(&keywords, &folder->keywords);
    uint64_t modseq = folder->modseq == 0 ? now : folder->modseq;
    struct index_base base = {.header = {.generation = now > folder->head.generation ? now : folder->head.generation + 1,
                                         .uidvalidity = uidvalidity,
                                         .uidnext = folder->uidnext,
                                         .n = (uint32_t)(records.len / sizeof(struct record)),
                                         .n_unseen = folder->n_unseen,
                                         .n_deleted = folder->n_deleted,
                                         .n_new = folder->n_new,
                                         .first_recent = folder->first_recent,
                                         .highest_modseq = modseq,
                                         .forgotten_modseq = modseq,
                                         .scanned_us = folder->scanned_us,
                                         .cache_id = folder->cache_id,
                                         .fresh_at = folder->fresh_at,
                                         .cache_checked = folder->cache_checked,
                                         .previous = folder->head.generation,
                                         .stamp = folder->stamp},
                              .records = (const struct record *)(const void *)records.s,
                              .names = names.s,
                              .names_len = names.len,
                              .keywords = keywords.s,
                              .keywords_len = keywords.len};
    index_base_append(&text, &base);
    int fd = write_file(folder, &text, is_named);
    stralloc *all[] = {&records, &names, &keywords, &text};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        stralloc_free(all[i]);
    }
    return fd;
}

int folder_write_base(struct folder *folder, uint32_t uidvalidity)
{
    int fd = write_base(folder, uidvalidity, true);
    if (fd < 0) {
        return -1;
    }
    close(fd);
    return 0;
}

/* 0; -1 errno. */
static int make_uidvalidity(const struct folder *folder, uint32_t *out)
{
    int root = folder->is_root ? folder->dir : openat(folder->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *out = root < 0 ? 0 : uidvalidity_next(root, (uint32_t)(clock_wall_us() / 1000000));
    int error = errno;
    if (!folder->is_root && root >= 0) {
        close(root);
    }
    errno = error;
    return *out == 0 ? -1 : 0;
}

/* UIDVALIDITY and UIDs of Dovecot or Courier; else a new one, as where nobody can read the UIDs that were given: the scan that
 * follows misses the list, and writes it. 0; -1 errno. */
static int choose_uidvalidity(struct folder *folder, uint32_t *out)
{
    struct uidlist list;
    int found = uidlist_read(&list, folder->dir, UIDLIST_NAME);
    if (found == UIDLIST_NONE) {
        found = courier_import(folder->dir, &list);
    }
    if (found == UIDLIST_READ) {
        *out = list.uidvalidity;
        uidlist_free(&list);
        return 0;
    }
    if (found < 0 || (found == UIDLIST_STRANGE && uidlist_set_aside(folder->dir) < 0)) {
        return -1;
    }
    return make_uidvalidity(folder, out);
}

/* Writes a base and goes on with it. */
static int load_written(struct folder *folder, uint32_t uidvalidity, bool is_named)
{
    int fd = write_base(folder, uidvalidity, is_named);
    if (fd < 0) {
        return -1;
    }
    folder_rest(folder);
    if (folder->index >= 0) {
        close(folder->index);
    }
    folder->index = fd;
    return folder_load(folder);
}

/* What lies in cur/ was told to somebody's session already: only mail behind it can be \Recent. */
static uint32_t behind_cur(struct folder *folder)
{
    uint32_t uid = 1;
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        const struct record *record = folder_record_at(folder, i);
        uid = record->state & RECORD_IS_NEW ? uid : record->uid + 1;
    }
    return uid;
}

/* An empty base with the right UIDVALIDITY, which nobody else sees; everything in the folder is news to it; then a base of that.
 */
int folder_build(struct folder *folder)
{
    uint32_t uidvalidity = 0;
    if (choose_uidvalidity(folder, &uidvalidity) < 0) {
        return -1;
    }
    folder->head = (struct index_header){0};
    folder->n_tail = folder->n_live = folder->n_unseen = folder->n_deleted = folder->n_new = 0;
    folder->fresh_at = folder->cache_id = folder->cache_checked = folder->scanned_us = 0;
    folder->modseq = clock_wall_us();
    folder->uidnext = folder->first_recent = 1;
    folder->stamp = (struct index_stamp){0};
    keywords_clear(&folder->keywords);
    if (load_written(folder, uidvalidity, false) < 0) {
        return -1;
    }
    enum folder_mode mode = folder->mode;
    folder->mode = FOLDER_READ; /* new/ is emptied by the first SELECT */
    folder->is_building = true;
    int result = folder_take_in(folder, true);
    if (result == 0) {
        result = courier_take_keywords(folder);
    }
    folder->mode = mode;
    folder->is_building = false;
    folder->changed.n = 0;
    folder->first_recent = behind_cur(folder);
    return result < 0 ? -1 : load_written(folder, uidvalidity, true);
}
