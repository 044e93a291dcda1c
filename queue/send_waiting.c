/* SPDX-License-Identifier: ISC */
/* Pure: a heap in one array, grown by an eighth so that the room for growth stays small. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/scan.h"
#include "lib/str.h"
#include "lib/why.h"
#include "queue/send_waiting.h"

enum { GROW_LEAST = 64, SECONDS_A_SLOT = 60 };

struct packed_id id_pack(const char *id)
{
    struct packed_id packed = {{0}};
    for (unsigned i = 0; i < MSGID_LEN; i++) {
        unsigned value = id[i] <= '9' ? (unsigned)(id[i] - '0') : (unsigned)(id[i] - 'a') + 10;
        unsigned bit = i * 5, shifted = value << (11 - bit % 8);
        packed.bytes[bit / 8] = (unsigned char)(packed.bytes[bit / 8] | shifted >> 8);
        if (bit / 8 + 1 < ID_PACKED) {
            packed.bytes[bit / 8 + 1] = (unsigned char)(packed.bytes[bit / 8 + 1] | (shifted & 255));
        }
    }
    return packed;
}

void id_unpack(const struct packed_id *packed, char out[MSGID_LEN + 1])
{
    for (unsigned i = 0; i < MSGID_LEN; i++) {
        unsigned bit = i * 5;
        unsigned two = (unsigned)packed->bytes[bit / 8] << 8 | (bit / 8 + 1 < ID_PACKED ? packed->bytes[bit / 8 + 1] : 0u);
        out[i] = "0123456789abcdefghijklmnopqrstuv"[two >> (11 - bit % 8) & 31];
    }
    out[MSGID_LEN] = '\0';
}

static uint64_t due(const struct waiting *entry)
{
    return (entry->flags & WAITING_NOW) != 0 ? 0 : (uint64_t)entry->minute * SECONDS_A_SLOT;
}

static void sift_up(struct waiting *heap, size_t at)
{
    struct waiting entry = heap[at];
    while (at > 0 && due(&heap[(at - 1) / 2]) > due(&entry)) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = entry;
}

static void sift_down(struct waiting *heap, size_t n, size_t at)
{
    struct waiting entry = heap[at];
    for (size_t child; (child = at * 2 + 1) < n; at = child) {
        if (child + 1 < n && due(&heap[child + 1]) < due(&heap[child])) {
            child++;
        }
        if (due(&entry) <= due(&heap[child])) {
            break;
        }
        heap[at] = heap[child];
    }
    heap[at] = entry;
}

static void heapify(struct waiting_list *list)
{
    for (size_t i = list->n / 2; i > 0; i--) {
        sift_down(list->heap, list->n, i - 1);
    }
}

void waiting_add(struct waiting_list *list, const struct waiting *entry)
{
    if (list->n == list->room) {
        list->room += list->room / 8 + GROW_LEAST;
        list->heap = memory_grow(list->heap, list->room, sizeof *list->heap);
    }
    list->heap[list->n] = *entry;
    sift_up(list->heap, list->n++);
}

static void drop_first(struct waiting_list *list)
{
    list->heap[0] = list->heap[--list->n];
    if (list->n > 0) {
        sift_down(list->heap, list->n, 0);
    }
}

bool waiting_take_due(struct waiting_list *list, uint64_t now_s, struct waiting *out)
{
    if (list->n == 0 || due(&list->heap[0]) > now_s) {
        return false;
    }
    *out = list->heap[0];
    drop_first(list);
    return true;
}

uint64_t waiting_next_due(const struct waiting_list *list)
{
    return list->n == 0 ? UINT64_MAX : due(&list->heap[0]);
}

size_t waiting_hurry(struct waiting_list *list, bool (*wants)(const void *ctx, const struct waiting *entry), const void *ctx)
{
    size_t hurried = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (wants(ctx, &list->heap[i])) {
            list->heap[i].flags |= WAITING_NOW;
            hurried++;
        }
    }
    heapify(list);
    return hurried;
}

static bool is_too_far(const void *ctx, const struct waiting *entry)
{
    return due(entry) > *(const uint64_t *)ctx;
}

size_t waiting_heal_clock(struct waiting_list *list, uint64_t now_s, uint64_t longest)
{
    uint64_t end = now_s + longest;
    return waiting_hurry(list, is_too_far, &end);
}

size_t waiting_remove(struct waiting_list *list, bool (*wants)(void *ctx, const struct waiting *entry), void *ctx)
{
    size_t kept = 0, removed = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct waiting entry = list->heap[i];
        if (wants(ctx, &entry)) {
            removed++;
        } else {
            list->heap[kept++] = entry;
        }
    }
    list->n = kept;
    heapify(list);
    return removed;
}

void waiting_name(const struct waiting *entry, struct spoolfile_later *out)
{
    struct spoolfile_later later = {.tries = entry->tries};
    id_unpack(&entry->id, later.id);
    const char *word = why_word((enum why)entry->why);
    (void)snprintf(later.why, sizeof later.why, "%s", *word == '\0' ? "unknown" : word);
    switch ((enum waiting_site)(entry->flags & WAITING_SITE)) {
    case SITE_SEVERAL:
        later.site[0] = '+';
        break;
    case SITE_ONE:
        (void)snprintf(later.site, sizeof later.site, "%08x", (unsigned)entry->site);
        break;
    case SITE_LOCAL:
    case SITE_NONE:
        later.site[0] = '-';
        break;
    }
    *out = later;
}

bool waiting_from_name(const char *name, uint64_t slot, struct waiting *out)
{
    struct spoolfile_later later;
    if (!spoolfile_later_parse(name, &later)) {
        return false;
    }
    struct waiting entry = {.id = id_pack(later.id),
                            .tries = (uint16_t)(later.tries < UINT16_MAX ? later.tries : UINT16_MAX),
                            .minute = (uint32_t)(slot / SECONDS_A_SLOT),
                            .why = (uint8_t)why_from_word(later.why)};
    uint64_t site;
    if (later.site[0] == '+') {
        entry.flags = SITE_SEVERAL;
    } else if (later.site[0] != '-' && scan_hex(later.site, strlen(later.site), &site)) {
        entry.flags = SITE_ONE;
        entry.site = (uint32_t)site;
    }
    *out = entry;
    return true;
}

void id_queue_put(struct id_queue *queue, const char *id)
{
    if (queue->first + queue->n == queue->room && queue->first > queue->room / 2) {
        memmove(queue->ids, queue->ids + queue->first, queue->n * sizeof *queue->ids);
        queue->first = 0;
    }
    if (queue->first + queue->n == queue->room) {
        queue->room += queue->room / 8 + GROW_LEAST;
        queue->ids = memory_grow(queue->ids, queue->room, sizeof *queue->ids);
    }
    queue->ids[queue->first + queue->n++] = id_pack(id);
}

bool id_queue_take(struct id_queue *queue, char out[MSGID_LEN + 1])
{
    if (queue->n == 0) {
        return false;
    }
    id_unpack(&queue->ids[queue->first], out);
    queue->n--;
    queue->first = queue->n == 0 ? 0 : queue->first + 1;
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct packed_id));
}

void id_queue_sort(struct id_queue *queue)
{
    if (queue->n > 1) {
        qsort(queue->ids + queue->first, queue->n, sizeof *queue->ids, compare_ids);
    }
}
