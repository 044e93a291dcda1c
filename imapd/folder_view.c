/* SPDX-License-Identifier: ISC */
/* Indexes, UIDs and sequence numbers. `gone` (told) and `pending` (not told) are indexes, `ghosts` UIDs that the base does not
 * hold any more but the client still counts; all three are short and sorted. */
#include "imapd/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/folder_inner.h"
#include "lib/crc32c.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/str.h"

void folder_list_add(struct folder_list *list, uint32_t item)
{
    if (list->n == list->room) {
        list->room = list->room == 0 ? 64 : 2 * list->room;
        list->item = memory_grow(list->item, list->room, sizeof *list->item);
    }
    list->item[list->n++] = item;
}

void folder_list_free(struct folder_list *list)
{
    free(list->item);
    *list = (struct folder_list){0};
}

static int compare_items(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void folder_list_sort(struct folder_list *list)
{
    if (list->n > 1) {
        qsort(list->item, list->n, sizeof *list->item, compare_items);
    }
}

uint32_t folder_list_below(const struct folder_list *list, uint32_t item)
{
    uint32_t low = 0;
    uint32_t high = list->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list->item[middle] < item) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void folder_damaged(struct folder *folder, const char *what)
{
    struct stat stat;
    log_event("alert", "what=%s file=%s", what, INDEX_NAME);
    if (folder->index < 0 || (fstat(folder->index, &stat) == 0 && stat.st_nlink > 0)) { /* a newer one is somebody's good work */
        (void)unlinkat(folder->dir, INDEX_NAME, 0);
    }
    if (folder->guard != NULL) {
        longjmp(*folder->guard, 1);
    }
    if (folder->on_damage != NULL) {
        folder->on_damage();
    }
    die_temporary("the index of a folder is damaged; it is made anew at the next login");
}

/* `block` counts through the sums: those of records, then those of names and keywords. */
static void check_sum(struct folder *folder, size_t block, const char *bytes, size_t len)
{
    const uint32_t *sums = (const uint32_t *)(const void *)(folder->map + folder->head.sums_at);
    if (crc32c(0, bytes, len) != sums[block]) {
        folder_damaged(folder, "a block of the index has a wrong sum");
    }
    folder->checked[block] = 1;
}

static void check_block(struct folder *folder, uint32_t index)
{
    size_t block = index_block_of(index);
    /* A record that reaches over a block's end is covered by both. */
    size_t last = ((size_t)(index + 1) * sizeof(struct record) - 1) / INDEX_BLOCK;
    for (; block <= last; block++) {
        size_t at;
        size_t len;
        if (!folder->checked[block]) {
            index_block_span(folder->head.n, block, &at, &len);
            check_sum(folder, block, (const char *)folder->base + at, len);
        }
    }
}

void folder_check_text(struct folder *folder, uint64_t at, size_t n)
{
    const struct index_header *head = &folder->head;
    size_t first = index_blocks(head->n);
    size_t end = index_text_blocks(head);
    size_t block = (size_t)(at - head->names_at) / INDEX_BLOCK;
    size_t last = (size_t)(at + n - head->names_at) / INDEX_BLOCK;
    for (; block <= last && block < end; block++) {
        size_t place;
        size_t len;
        if (!folder->checked[first + block]) {
            index_text_span(head, block, &place, &len);
            check_sum(folder, first + block, folder->map + place, len);
        }
    }
}

struct record *folder_record_at(struct folder *folder, uint32_t index)
{
    if (index >= folder->head.n) {
        return &folder->tail[index - folder->head.n];
    }
    if (folder->map == NULL) {
        folder_return(folder);
    }
    check_block(folder, index);
    return &folder->base[index];
}

const struct record *folder_record(struct folder *folder, uint32_t index)
{
    return folder_record_at(folder, index);
}

const char *folder_base_name(struct folder *folder, uint32_t index)
{
    const struct record *record = folder_record_at(folder, index);
    const char *names = folder->tail_names.s;
    uint64_t len = folder->tail_names.len;
    if (index < folder->head.n) {
        names = folder->map + folder->head.names_at;
        len = folder->head.names_len;
        folder_check_text(folder, folder->head.names_at + record->name_at, MAILBOX_NAME_MAX);
    }
    bool is_inside = record->name_at < len && memchr(names + record->name_at, '\0', len - record->name_at) != NULL;
    if (!is_inside || strchr(names + record->name_at, '/') != NULL) {
        folder_damaged(folder, "a name of the index lies outside, or is a path");
    }
    return names + record->name_at;
}

uint32_t folder_end(const struct folder *folder)
{
    return folder->head.n + folder->n_tail;
}

static bool has(const struct folder_list *list, uint32_t item)
{
    uint32_t at = list->n == 0 ? 0 : folder_list_below(list, item);
    return at < list->n && list->item[at] == item;
}

static bool is_expunged(const struct folder *folder, uint32_t index)
{
    return has(&folder->gone, index) || has(&folder->pending, index);
}

uint32_t folder_next(const struct folder *folder, uint32_t index)
{
    uint32_t end = folder_end(folder);
    for (index++; index < end && is_expunged(folder, index); index++) {
    }
    return index < end ? index : end;
}

uint32_t folder_first(const struct folder *folder)
{
    return folder_end(folder) > 0 && is_expunged(folder, 0) ? folder_next(folder, 0) : 0;
}

uint32_t folder_exists(const struct folder *folder)
{
    return folder->told_end - folder_list_below(&folder->gone, folder->told_end) + folder->ghosts.n;
}

static uint32_t seq_of(struct folder *folder, uint32_t index)
{
    uint32_t ghosts = folder->ghosts.n == 0 ? 0 : folder_list_below(&folder->ghosts, folder_record_at(folder, index)->uid);
    return index - folder_list_below(&folder->gone, index) + ghosts + 1;
}

uint32_t folder_seq(const struct folder *folder, uint32_t index)
{
    if (folder->gone.n == 0 && folder->ghosts.n == 0) {
        return index + 1;
    }
    return seq_of((struct folder *)(uintptr_t)folder, index);
}

/* Without ghosts: gone[k] - k messages that count stand before gone[k]. */
static uint32_t index_by_gone(const struct folder *folder, uint32_t seq)
{
    const struct folder_list *gone = &folder->gone;
    uint32_t low = 0;
    uint32_t high = gone->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (gone->item[middle] - middle <= seq - 1) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return seq - 1 + low;
}

static uint32_t index_among_ghosts(struct folder *folder, uint32_t seq)
{
    uint32_t low = 0;
    uint32_t high = folder->told_end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        /* One that was told counts like the message behind it. */
        if (seq_of(folder, middle) < seq + (has(&folder->gone, middle) ? 1 : 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < folder->told_end && seq_of(folder, low) == seq ? low : FOLDER_NONE;
}

uint32_t folder_index_of_seq(const struct folder *folder, uint32_t seq)
{
    if (seq == 0 || seq > folder_exists(folder)) {
        return FOLDER_NONE;
    }
    if (folder->ghosts.n > 0) {
        return index_among_ghosts((struct folder *)(uintptr_t)folder, seq);
    }
    return folder->gone.n == 0 ? seq - 1 : index_by_gone(folder, seq);
}

bool folder_are_there(const struct folder *folder, uint32_t from, uint32_t to, uint32_t n)
{
    const struct folder_list *gone = &folder->gone;
    const struct folder_list *pending = &folder->pending;
    uint32_t known = to - from - (folder_list_below(gone, to) - folder_list_below(gone, from));
    return known == n && folder_list_below(pending, from) == folder_list_below(pending, to); /* what is missing are ghosts */
}

uint32_t folder_index_at_uid(struct folder *folder, uint32_t uid)
{
    uint32_t low = 0;
    uint32_t high = folder_end(folder);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (folder_record_at(folder, middle)->uid < uid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t folder_index_of_uid(struct folder *folder, uint32_t uid)
{
    uint32_t index = folder_index_at_uid(folder, uid);
    if (index == folder_end(folder)) {
        return FOLDER_NONE;
    }
    const struct record *record = folder_record_at(folder, index);
    return record->uid == uid && !(record->state & RECORD_IS_GONE) ? index : FOLDER_NONE;
}

uint32_t folder_highest_uid(struct folder *folder)
{
    const struct folder_list *gone = &folder->gone;
    uint32_t end = folder->told_end;
    for (uint32_t i = folder_list_below(gone, end); i > 0 && end > 0 && gone->item[i - 1] == end - 1; i--) {
        end--;
    }
    return end == 0 ? 0 : folder_record_at(folder, end - 1)->uid;
}

bool folder_is_recent(const struct folder *folder, uint32_t uid)
{
    for (unsigned i = 0; i < folder->n_recent; i++) {
        if (uid >= folder->recent[i].from && uid < folder->recent[i].to) {
            return true;
        }
    }
    return false;
}

uint32_t folder_first_unseen(struct folder *folder)
{
    uint32_t end = folder_end(folder);
    if (folder->n_unseen == 0) {
        return end;
    }
    for (uint32_t i = 0; i < end; i++) {
        const struct record *record = folder_record_at(folder, i);
        if (!(record->flags & MAILBOX_SEEN) && !(record->state & RECORD_IS_GONE)) {
            return i;
        }
    }
    return end;
}

/* One of the pending or a ghost, whichever has the higher UID. */
static void tell_last(struct folder *folder, void (*each)(void *ctx, uint32_t seq, uint32_t uid), void *ctx)
{
    struct folder_list *pending = &folder->pending;
    struct folder_list *ghosts = &folder->ghosts;
    uint32_t uid = pending->n == 0 ? 0 : folder_record_at(folder, pending->item[pending->n - 1])->uid;
    if (ghosts->n > 0 && ghosts->item[ghosts->n - 1] > uid) {
        uid = ghosts->item[ghosts->n - 1];
        uint32_t index = folder_index_at_uid(folder, uid);
        uint32_t below = folder_list_below(&folder->gone, index);
        each(ctx, index - below + ghosts->n, uid);
        ghosts->n--;
        return;
    }
    uint32_t index = pending->item[pending->n - 1];
    each(ctx, seq_of(folder, index), uid);
    pending->n--;
}

void folder_tell_expunges(struct folder *folder, void (*each)(void *ctx, uint32_t seq, uint32_t uid), void *ctx)
{
    if (folder->pending.n == 0 && folder->ghosts.n == 0) {
        return;
    }
    struct folder_list told = {0};
    for (uint32_t i = 0; i < folder->pending.n; i++) {
        folder_list_add(&told, folder->pending.item[i]);
    }
    /* Highest first: what is told later stands before, so its number does not change. */
    while (folder->pending.n > 0 || folder->ghosts.n > 0) {
        tell_last(folder, each, ctx);
    }
    for (uint32_t i = 0; i < told.n; i++) {
        folder_list_add(&folder->gone, told.item[i]);
    }
    folder_list_sort(&folder->gone);
    folder_list_free(&told);
}

uint32_t folder_tell_exists(struct folder *folder)
{
    folder->told_end = folder_end(folder);
    return folder_exists(folder);
}

struct vanishing {
    void (*each)(void *ctx, uint32_t first, uint32_t last);
    void *ctx;
    uint32_t first, last; /* gathered, not told; 0: none */
};

static void vanish(struct vanishing *vanishing, uint32_t first, uint32_t last)
{
    if (first > last) {
        return;
    }
    if (vanishing->first > 0 && first == vanishing->last + 1) {
        vanishing->last = last;
        return;
    }
    if (vanishing->first > 0) {
        vanishing->each(vanishing->ctx, vanishing->first, vanishing->last);
    }
    vanishing->first = first;
    vanishing->last = last;
}

void folder_each_vanished(struct folder *folder, uint64_t modseq, void (*each)(void *ctx, uint32_t first, uint32_t last),
                          void *ctx)
{
    struct vanishing vanishing = {.each = each, .ctx = ctx};
    bool is_forgotten = modseq < folder->head.forgotten_modseq;
    uint32_t next = 1;
    for (uint32_t i = 0; i < folder_end(folder); i++) {
        const struct record *record = folder_record_at(folder, i);
        bool is_gone = record->state & RECORD_IS_GONE;
        if (is_forgotten) {
            vanish(&vanishing, next, record->uid - (is_gone ? 0U : 1U));
        } else if (is_gone && record->modseq > modseq) {
            vanish(&vanishing, record->uid, record->uid);
        }
        next = record->uid + 1;
    }
    if (is_forgotten) {
        vanish(&vanishing, next, folder->uidnext - 1);
    }
    if (vanishing.first > 0) {
        each(ctx, vanishing.first, vanishing.last);
    }
}
