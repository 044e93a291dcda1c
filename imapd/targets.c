/* SPDX-License-Identifier: ISC */
/* From a set of numbers or UIDs to spans of indexes. */
#include <stdlib.h>

#include "imapd/session.h"
#include "lib/str.h"

static void add_span(struct targets *targets, uint32_t from, uint32_t to)
{
    if (from >= to) {
        return;
    }
    if (targets->n == targets->room) {
        targets->room = targets->room == 0 ? 16 : 2 * targets->room;
        targets->span = memory_grow(targets->span, targets->room, sizeof *targets->span);
    }
    targets->span[targets->n++] = (struct folder_span){from, to};
}

static int compare_spans(const void *a, const void *b)
{
    const struct folder_span *x = a;
    const struct folder_span *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* Ascending, joined where they touch or overlap. */
static void join(struct targets *targets)
{
    if (targets->n < 2) {
        return;
    }
    qsort(targets->span, targets->n, sizeof *targets->span, compare_spans);
    uint32_t kept = 0;
    for (uint32_t i = 1; i < targets->n; i++) {
        if (targets->span[i].from <= targets->span[kept].to) {
            targets->span[kept].to = targets->span[i].to > targets->span[kept].to ? targets->span[i].to : targets->span[kept].to;
        } else {
            targets->span[++kept] = targets->span[i];
        }
    }
    targets->n = kept + 1;
}

/* `*` is the highest UID there is; a range with it includes that message always (RFC 3501 6.4.8). */
static void add_uids(struct session *session, const struct set_range *range, struct targets *out)
{
    struct folder *folder = &session->folder;
    uint32_t end = folder->told_end;
    uint32_t highest = folder_highest_uid(folder);
    uint32_t first = range->first == SET_STAR ? highest : range->first;
    uint32_t last = range->last == SET_STAR ? highest : range->last;
    if (first > last) {
        uint32_t swap = first;
        first = last;
        last = swap;
    }
    uint32_t from = folder_index_at_uid(folder, first);
    uint32_t to = last == UINT32_MAX ? end : folder_index_at_uid(folder, last + 1);
    add_span(out, from, to < end ? to : end);
}

/* First index whose number is at least seq. */
static uint32_t index_from_seq(struct folder *folder, uint32_t seq)
{
    uint32_t low = 0;
    uint32_t high = folder->told_end;
    uint32_t index = folder_index_of_seq(folder, seq);
    if (index != FOLDER_NONE) {
        return index;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (folder_seq(folder, middle) < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* False: it names numbers beyond EXISTS; what else it names is added. */
static bool add_seqs(struct session *session, const struct set_range *range, struct targets *out)
{
    struct folder *folder = &session->folder;
    uint32_t exists = folder_exists(folder);
    uint32_t first = range->first == SET_STAR ? exists : range->first;
    uint32_t last = range->last == SET_STAR ? exists : range->last;
    if (first > last) {
        uint32_t swap = first;
        first = last;
        last = swap;
    }
    if (first > 0 && first <= exists) {
        uint32_t from = index_from_seq(folder, first);
        uint32_t to = last >= exists ? folder->told_end : index_from_seq(folder, last + 1);
        add_span(out, from, to);
        out->has_expunged = out->has_expunged || !folder_are_there(folder, from, to, last - first + 1);
    }
    return first > 0 && last <= exists;
}

bool session_targets_there(struct session *session, const struct set *set, bool is_uid, struct targets *out)
{
    const struct set *real = set->is_saved ? &session->saved : set;
    bool is_whole = true;
    *out = (struct targets){0};
    for (uint32_t i = 0; i < real->n; i++) {
        if (is_uid || set->is_saved) {
            add_uids(session, &real->range[i], out);
        } else {
            is_whole = add_seqs(session, &real->range[i], out) && is_whole;
        }
    }
    join(out);
    return is_whole;
}

const struct reply *session_targets(struct session *session, const struct set *set, bool is_uid, struct targets *out)
{
    if (session_targets_there(session, set, is_uid, out)) {
        return NULL;
    }
    targets_free(out);
    return &reply_bad_set;
}

void targets_free(struct targets *targets)
{
    free(targets->span);
    *targets = (struct targets){0};
}

void targets_uids(struct session *session, const struct targets *targets, struct folder_list *out)
{
    for (uint32_t k = 0; k < targets->n; k++) {
        for (uint32_t i = targets->span[k].from; i < targets->span[k].to; i++) {
            const struct record *record = folder_record(&session->folder, i);
            if (!(record->state & RECORD_IS_GONE)) {
                folder_list_add(out, record->uid);
            }
        }
    }
}
