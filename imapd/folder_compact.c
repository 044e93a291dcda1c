/* SPDX-License-Identifier: ISC */
/* Files that are only appended to would grow with every message that ever came. When a new base is due, each of them that is more
 * than twice what lives in it is written anew: whole, beside the old one, then renamed. What fails costs room, nothing else. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "imapd/courier.h"
#include "imapd/dotlock.h"
#include "lib/clock.h"
#include "lib/str.h"

enum { TEXT_SPARE = 4096, CACHE_SPARE = 65536, UID_TEXT = 12, PIECE = 1 << 20 };

uint64_t folder_list_bytes(struct folder *folder)
{
    uint64_t bytes = 0;
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        bytes += strlen(folder_base_name(folder, i)) + UID_TEXT;
    }
    return bytes;
}

static bool is_same_list(const struct index_stamp *a, const struct index_stamp *b)
{
    return a->uidlist_ns == b->uidlist_ns && a->uidlist_size == b->uidlist_size && a->uidlist_inode == b->uidlist_inode;
}

static void write_list(struct folder *folder, const struct uidlist *list)
{
    struct index_stamp now;
    stralloc text = STRALLOC_ZERO;
    const struct folder_news none = {.n = 0};
    folder_uidlist_text(folder, list, list->uidnext > folder->uidnext ? list->uidnext : folder->uidnext, &none, &text);
    if (dotlock_try(folder->dir, UIDLIST_NAME, &text) == 0 && folder_stamp_now(folder, &now) == 0) {
        folder->stamp.uidlist_ns = now.uidlist_ns;
        folder->stamp.uidlist_size = now.uidlist_size;
        folder->stamp.uidlist_inode = now.uidlist_inode;
    }
    stralloc_free(&text);
}

/* Only a list that the index knows to the end. Lines with many other fields may be long, and none of them dead. */
static void compact_list(struct folder *folder)
{
    struct index_stamp now;
    struct uidlist list;
    if (folder_stamp_now(folder, &now) < 0 || !is_same_list(&now, &folder->stamp) ||
        now.uidlist_size < 2 * folder_list_bytes(folder) + TEXT_SPARE ||
        uidlist_read(&list, folder->dir, UIDLIST_NAME) != UIDLIST_READ) {
        return;
    }
    if (list.uidvalidity == folder->head.uidvalidity && list.n / 2 > folder->n_live) {
        write_list(folder, &list);
    }
    uidlist_free(&list);
}

/* Only a file that the index knows to the end: a session may have died with lines that it does not know. */
static void compact_keywords(struct folder *folder)
{
    struct index_stamp now;
    stralloc lines = STRALLOC_ZERO;
    if (folder_stamp_now(folder, &now) < 0 || now.keywords_size != folder->stamp.keywords_size ||
        now.keywords_size < TEXT_SPARE) {
        return;
    }
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        const struct record *record = folder_record_at(folder, i);
        keywords_line_append(&lines, record->uid, record->keywords);
    }
    if (now.keywords_size > 2 * lines.len + TEXT_SPARE &&
        keywords_write_ours(&folder->keywords, folder->dir, folder->head.uidvalidity, &lines) == 0 &&
        folder_stamp_now(folder, &now) == 0) {
        folder->stamp.keywords_size = now.keywords_size;
    }
    stralloc_free(&lines);
}

static uint64_t live_blobs(struct folder *folder)
{
    uint64_t sum = 0;
    const char *blob;
    size_t len;
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        sum += folder_cache_find(folder, i, &blob, &len) ? len : 0;
    }
    return sum;
}

/* Copies the live blobs behind the header; their new places stand in `places` (0: none), one a live message. 0; -1 errno. */
static int copy_blobs(struct folder *folder, int fd, uint64_t id, struct folder_list *places)
{
    stralloc piece = STRALLOC_ZERO;
    const char *blob;
    size_t len;
    int result = 0;
    folder_cache_head_append(&piece, id);
    uint64_t written = 0;
    for (uint32_t i = folder_first(folder); i < folder_end(folder) && result == 0; i = folder_next(folder, i)) {
        uint64_t place = (written + piece.len) / 8;
        bool is_there = place <= UINT32_MAX && folder_cache_find(folder, i, &blob, &len);
        folder_list_add(places, is_there ? (uint32_t)place : 0);
        if (is_there) {
            str_cat(&piece, blob, len);
        }
        if (piece.len >= PIECE) {
            result = write_whole(fd, piece.s, piece.len);
            written += piece.len;
            piece.len = 0;
        }
    }
    result = result < 0 ? -1 : write_whole(fd, piece.s, piece.len);
    stralloc_free(&piece);
    return result;
}

/* The index names the old file by its id until the new base is there: a crash between costs the summaries. */
static void write_cache(struct folder *folder)
{
    struct folder_list places = {0};
    uint64_t id = clock_wall_us();
    int fd = folder_cache_create(folder);
    if (fd < 0) {
        return;
    }
    if (copy_blobs(folder, fd, id, &places) < 0 || folder_cache_adopt(folder, fd, id) < 0) {
        close(fd);
        folder_list_free(&places);
        return;
    }
    uint32_t index = folder_first(folder);
    for (uint32_t n = 0; n < places.n; n++, index = folder_next(folder, index)) {
        folder_record_at(folder, index)->cache_at = places.item[n];
    }
    folder_list_free(&places);
}

/* To know what lives each blob has to be looked at: only when the file has doubled since that was done. */
static void compact_cache(struct folder *folder)
{
    uint64_t size = folder_cache_size(folder);
    if (size < folder->cache_checked) {
        folder->cache_checked = size; /* it was begun anew */
    }
    if (size < 2 * folder->cache_checked + CACHE_SPARE) {
        return;
    }
    if (size > 2 * live_blobs(folder) + CACHE_SPARE) {
        write_cache(folder);
    }
    folder->cache_checked = folder_cache_size(folder);
}

void folder_compact(struct folder *folder)
{
    compact_list(folder);
    courier_compact(folder);
    compact_keywords(folder);
    compact_cache(folder);
}
