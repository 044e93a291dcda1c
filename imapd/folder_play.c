/* SPDX-License-Identifier: ISC */
/* The base is mapped privately and the journal is played into it: a change costs the page it touches, and a rest gives all pages
 * back. Readers take no lock: what is not whole yet is read at the next sync. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/str.h"

static void count(struct folder *folder, const struct record *record, int sign)
{
    folder->n_live += (uint32_t)sign;
    folder->n_unseen += record->flags & MAILBOX_SEEN ? 0 : (uint32_t)sign;
    folder->n_deleted += record->flags & MAILBOX_TRASHED ? (uint32_t)sign : 0;
    folder->n_new += record->state & RECORD_IS_NEW ? (uint32_t)sign : 0;
}

/* Do all new messages have a name, and UIDs that ascend from UIDNEXT? */
static bool is_playable(const struct folder *folder, const struct entry *entry)
{
    const struct record *records = (const struct record *)(const void *)entry->items;
    size_t names_len = entry->len - (size_t)entry->head.n * sizeof(struct record);
    uint32_t uidnext = folder->uidnext;
    for (uint32_t i = 0; i < entry->head.n; i++) {
        if (records[i].name_at >= names_len || records[i].uid < uidnext || records[i].uid == UINT32_MAX) {
            return false;
        }
        uidnext = records[i].uid + 1;
    }
    return true;
}

static void play_append(struct folder *folder, const struct entry *entry)
{
    const struct record *records = (const struct record *)(const void *)entry->items;
    const char *names = entry->items + (size_t)entry->head.n * sizeof(struct record);
    size_t names_len = (size_t)(entry->items + entry->len - names);
    if (folder->is_replaying) {
        return;
    }
    uint32_t names_at = (uint32_t)folder->tail_names.len;
    str_cat(&folder->tail_names, names, names_len);
    for (uint32_t i = 0; i < entry->head.n; i++) {
        if (folder->n_tail == folder->tail_room) {
            folder->tail_room = folder->tail_room == 0 ? 64 : 2 * folder->tail_room;
            folder->tail = memory_grow(folder->tail, folder->tail_room, sizeof *folder->tail);
        }
        struct record record = records[i];
        record.name_at += names_at;
        record.modseq = entry->head.modseq;
        record.state &= RECORD_IS_NEW | RECORD_IS_ODD;
        folder->tail[folder->n_tail++] = record;
        folder->uidnext = record.uid + 1;
        count(folder, &record, 1);
    }
}

/* Index to be changed by an entry; FOLDER_NONE: not there, gone, or (after a rest) of the tail, which is right. */
static uint32_t index_to_play(struct folder *folder, uint32_t uid)
{
    uint32_t index = folder_index_of_uid(folder, uid);
    return index != FOLDER_NONE && folder->is_replaying && index >= folder->head.n ? FOLDER_NONE : index;
}

static void play_flags(struct folder *folder, const struct entry *entry)
{
    const struct entry_flags *items = (const struct entry_flags *)(const void *)entry->items;
    for (uint32_t i = 0; i < entry->head.n; i++) {
        uint32_t index = index_to_play(folder, items[i].uid);
        if (index == FOLDER_NONE) {
            continue;
        }
        struct record *record = folder_record_at(folder, index);
        bool is_other = record->flags != items[i].flags || record->keywords != items[i].keywords;
        struct record before = *record;
        record->flags = items[i].flags;
        record->keywords = items[i].keywords;
        record->state = items[i].state & (RECORD_IS_NEW | RECORD_IS_ODD);
        record->modseq = is_other ? entry->head.modseq : record->modseq;
        if (!folder->is_replaying) {
            count(folder, &before, -1);
            count(folder, record, 1);
            if (is_other && !folder->is_own) {
                folder_list_add(&folder->changed, index);
            }
        }
    }
}

/* The record keeps the number of its end, for VANISHED. */
static void expunge_one(struct folder *folder, uint32_t index, uint64_t modseq)
{
    struct record *record = folder_record_at(folder, index);
    if (!folder->is_replaying && !(record->state & RECORD_IS_GONE)) {
        count(folder, record, -1);
        folder_list_add(index < folder->told_end ? &folder->pending : &folder->gone, index);
    }
    record->state |= RECORD_IS_GONE;
    record->modseq = modseq;
}

static void play_expunge(struct folder *folder, const struct entry *entry)
{
    const struct entry_range *items = (const struct entry_range *)(const void *)entry->items;
    uint32_t end = folder->is_replaying ? folder->head.n : folder_end(folder);
    for (uint32_t i = 0; i < entry->head.n; i++) {
        for (uint32_t index = folder_index_at_uid(folder, items[i].first);
             index < end && folder_record_at(folder, index)->uid <= items[i].last; index++) {
            expunge_one(folder, index, entry->head.modseq);
        }
    }
    folder_list_sort(&folder->pending);
    folder_list_sort(&folder->gone);
}

static void play_cache(struct folder *folder, const struct entry *entry)
{
    const struct entry_cache *items = (const struct entry_cache *)(const void *)entry->items;
    for (uint32_t i = 0; i < entry->head.n; i++) {
        uint32_t index = index_to_play(folder, items[i].uid);
        if (index == FOLDER_NONE) {
            continue;
        }
        struct record *record = folder_record_at(folder, index);
        record->cache_at = items[i].cache_at != 0 ? items[i].cache_at : record->cache_at;
        record->size = items[i].size;
        record->date = items[i].date != RECORD_UNSEEN ? items[i].date : record->date;
    }
}

static void play_stamp(struct folder *folder, const struct entry *entry)
{
    struct entry_stamp stamp;
    memcpy(&stamp, entry->items, sizeof stamp);
    folder->stamp = stamp.stamp;
    folder->scanned_us = stamp.scanned_us;
    folder->cache_id = stamp.cache_id;
    folder->fresh_at = stamp.fresh_at;
    folder->uidnext = stamp.uidnext > folder->uidnext ? stamp.uidnext : folder->uidnext;
    folder->first_recent = stamp.first_recent;
}

static void play_entry(struct folder *folder, const struct entry *entry)
{
    folder->modseq = entry->head.modseq > folder->modseq ? entry->head.modseq : folder->modseq;
    switch (entry->head.kind) {
    case ENTRY_APPEND:
        play_append(folder, entry);
        break;
    case ENTRY_FLAGS:
        play_flags(folder, entry);
        break;
    case ENTRY_EXPUNGE:
        play_expunge(folder, entry);
        break;
    case ENTRY_CACHE:
        play_cache(folder, entry);
        break;
    case ENTRY_STAMP:
        play_stamp(folder, entry);
        break;
    default:
        keywords_set(&folder->keywords, entry->head.n, entry->items, strlen(entry->items));
        break;
    }
}

/* Plays the whole entries in n bytes; bytes used. *is_torn_out: what follows is none. */
static size_t play_bytes(struct folder *folder, const char *bytes, size_t n, bool *is_torn_out)
{
    size_t at = 0;
    struct entry entry;
    size_t used;
    enum entry_result result;
    while ((result = entry_parse(bytes + at, n - at, &entry, &used)) == ENTRY_WHOLE) {
        if (entry.head.kind == ENTRY_APPEND && !folder->is_replaying && !is_playable(folder, &entry)) {
            result = ENTRY_TORN;
            break;
        }
        play_entry(folder, &entry);
        at += used;
    }
    *is_torn_out = result == ENTRY_TORN;
    return at;
}

/* Bytes [from, to) of the journal into *out. 0; -1 errno. */
static int read_part(struct folder *folder, uint64_t from, uint64_t to, stralloc *out)
{
    if (to - from > INDEX_ENTRY_MAX) {
        to = from + INDEX_ENTRY_MAX;
    }
    size_t want = (size_t)(to - from);
    char *room = str_room(out, want);
    while (out->len < want) {
        ssize_t n = pread(folder->index, room + out->len, want - out->len, (off_t)(from + out->len));
        if (n <= 0) {
            return n < 0 ? -1 : 0;
        }
        out->len += (size_t)n;
    }
    return 0;
}

/* Under the lock. Half an entry: its writer died, and nobody has played it. Anything else: damage. */
static int end_journal(struct folder *folder, uint64_t size, bool is_torn)
{
    uint64_t at = folder->journal_at;
    const char *what = size < at ? "an index journal has lost its end"
                       : is_torn ? "an index journal is damaged"
                                 : "half an entry of an index journal is cut off";
    log_event("alert", "what=%s bytes=%llu", what, (unsigned long long)(size < at ? at - size : size - at));
    if (!is_torn) {
        return ftruncate(folder->index, (off_t)folder->journal_at);
    }
    return unlinkat(folder->dir, INDEX_NAME, 0) < 0 && errno != ENOENT ? -1 : 0;
}

/* 1 there may be more, 0 the end, -1 errno. */
static int play_part(struct folder *folder, uint64_t size)
{
    stralloc bytes = STRALLOC_ZERO;
    size_t used = 0;
    int result = read_part(folder, folder->journal_at, size, &bytes);
    if (result == 0) {
        used = play_bytes(folder, bytes.s, bytes.len, &folder->is_torn);
        folder->journal_at += used;
    }
    stralloc_free(&bytes);
    return result < 0 ? -1 : folder->journal_at < size && used > 0;
}

int folder_play(struct folder *folder)
{
    struct stat stat;
    if (fstat(folder->index, &stat) < 0) {
        return -1;
    }
    uint64_t size = (uint64_t)stat.st_size;
    folder->is_torn = size < folder->journal_at; /* somebody cut off what we have played */
    if (folder->map == NULL && size > folder->journal_at) {
        folder_return(folder);
    }
    int result = size > folder->journal_at;
    while (result == 1) {
        result = play_part(folder, size);
    }
    bool is_rest = result == 0 && folder->journal_at != size && folder->is_locked && stat.st_nlink > 0;
    return is_rest ? end_journal(folder, size, folder->is_torn) : result < 0 ? -1 : 0;
}

void folder_play_out(struct folder *folder)
{
    size_t used = play_bytes(folder, folder->out.s, folder->out.len, &folder->is_torn);
    folder->journal_at += used;
    if (used != folder->out.len) {
        folder_damaged(folder, "an entry of our own cannot be played");
    }
}

static int map_base(struct folder *folder)
{
    folder->map_len = (size_t)folder->head.journal_at;
    char *map = mmap(NULL, folder->map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE, folder->index, 0);
    if (map == MAP_FAILED) {
        return -1;
    }
    folder->map = map;
    folder->base = (struct record *)(void *)(map + INDEX_HEADER);
    free(folder->checked);
    folder->checked = memory_get(index_blocks(folder->head.n) + index_text_blocks(&folder->head) + 1, 1);
    return 0;
}

int folder_load(struct folder *folder)
{
    struct stat stat;
    if (pread(folder->index, &folder->head, sizeof folder->head, 0) != (ssize_t)sizeof folder->head ||
        fstat(folder->index, &stat) < 0 || !index_header_is_good(&folder->head, (uint64_t)stat.st_size)) {
        errno = EUCLEAN;
        return -1;
    }
    if (map_base(folder) < 0) {
        return -1;
    }
    const struct index_header *head = &folder->head;
    folder->journal_at = head->journal_at;
    folder->modseq = head->highest_modseq;
    folder->uidnext = head->uidnext;
    folder->first_recent = head->first_recent;
    folder->stamp = head->stamp;
    folder->scanned_us = head->scanned_us;
    folder->cache_id = head->cache_id;
    folder->fresh_at = head->fresh_at;
    folder->cache_checked = head->cache_checked;
    folder->n_live = head->n;
    folder->n_unseen = head->n_unseen;
    folder->n_deleted = head->n_deleted;
    folder->n_new = head->n_new;
    free(folder->tail); /* a first index was built in it */
    folder->tail = NULL;
    folder->n_tail = folder->tail_room = 0;
    stralloc_free(&folder->tail_names);
    folder_check_text(folder, head->keywords_at, head->keywords_len);
    keywords_read_table(&folder->keywords, folder->map + head->keywords_at, head->keywords_len);
    return 0;
}

void folder_return(struct folder *folder)
{
    uint64_t end = folder->journal_at;
    if (map_base(folder) < 0) {
        folder_damaged(folder, "the index cannot be mapped again");
    }
    folder->is_replaying = true;
    folder->journal_at = folder->head.journal_at;
    while (folder->journal_at < end && play_part(folder, end) > 0) {
    }
    folder->is_replaying = false;
    if (folder->journal_at != end) {
        folder_damaged(folder, "the journal cannot be played again");
    }
}

void folder_rest(struct folder *folder)
{
    if (folder->map != NULL) {
        munmap(folder->map, folder->map_len);
        folder->map = NULL;
        folder->base = NULL;
        free(folder->checked);
        folder->checked = NULL;
    }
    if (folder->cache_map != NULL) {
        munmap((void *)(uintptr_t)folder->cache_map, folder->cache_len);
        folder->cache_map = NULL;
        folder->cache_len = 0;
    }
    stralloc *scratch[] = {&folder->out, &folder->facts, &folder->blobs};
    for (size_t i = 0; i < sizeof scratch / sizeof scratch[0]; i++) {
        if (scratch[i]->len == 0) {
            stralloc_free(scratch[i]);
        }
    }
    folder_forget_names(folder);
}
