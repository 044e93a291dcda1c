/* SPDX-License-Identifier: ISC */
/* A client that was here before hears what changed since (RFC 7162). */
#include "imapd/qresync.h"

#include <stdlib.h>

#include "lib/str.h"

/* What the client knew: neither `*` nor `$`. */
static bool parse_known(struct parser *parser, struct set *out)
{
    bool is_good = parse_set(parser, out) && !out->is_saved;
    for (uint32_t i = 0; is_good && i < out->n; i++) {
        is_good = out->range[i].first != SET_STAR && out->range[i].last != SET_STAR;
    }
    return is_good;
}

/* (known-sequence-set known-uid-set) */
static bool parse_match(struct parser *parser, struct qresync_request *out)
{
    return parse_char(parser, '(') && parse_known(parser, &out->seqs) && parse_space(parser) && parse_known(parser, &out->uids) &&
           parse_char(parser, ')');
}

/* (uidvalidity modseq [known-uids] [(…)]) */
static bool parse_request(struct parser *parser, struct qresync_request *out)
{
    out->is_there = parse_space(parser) && parse_char(parser, '(') && parse_nonzero(parser, &out->uidvalidity) &&
                    parse_space(parser) && parse_number64(parser, &out->modseq);
    if (!out->is_there) {
        return false;
    }
    while (parse_space(parser)) {
        if (parser->at < parser->end && *parser->at == '(') {
            return parse_match(parser, out) && parse_char(parser, ')');
        }
        if (out->has_known || !parse_known(parser, &out->known)) {
            return false;
        }
        out->has_known = true;
    }
    return parse_char(parser, ')');
}

const struct reply *qresync_parse(struct session *session, struct parser *parser, struct qresync_request *out)
{
    if (parse_end(parser)) {
        return NULL;
    }
    if (!parse_space(parser) || !parse_char(parser, '(')) {
        return &reply_syntax;
    }
    do {
        if (parse_word(parser, "CONDSTORE")) {
            out->is_condstore = true;
        } else if (!parse_word(parser, "QRESYNC") || !parse_request(parser, out)) {
            return &reply_syntax;
        }
    } while (parse_space(parser));
    if (!parse_char(parser, ')')) {
        return &reply_syntax;
    }
    return out->is_there && !session->qresync ? &reply_bad_modifier : NULL;
}

void qresync_free(struct qresync_request *request)
{
    set_clear(&request->known);
    set_clear(&request->seqs);
    set_clear(&request->uids);
}

struct vanished {
    struct session *session;
    const struct set *known; /* sorted; NULL: all */
    uint32_t above;          /* nothing up to this UID */
    bool has_begun;
};

static void put_range(struct vanished *vanished, uint32_t first, uint32_t last)
{
    first = first > vanished->above ? first : vanished->above + 1;
    if (first > last) {
        return;
    }
    session_put(vanished->session, vanished->has_begun ? "," : "* VANISHED (EARLIER) ");
    vanished->has_begun = true;
    session_putf(vanished->session, first == last ? "%u" : "%u:%u", first, last);
    session_room(vanished->session);
}

/* The first of sorted ranges that does not end before uid; set->n: none. */
static uint32_t range_at(const struct set *set, uint32_t uid)
{
    uint32_t low = 0;
    uint32_t high = set->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->range[middle].last < uid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void each_vanished(void *ctx, uint32_t first, uint32_t last)
{
    struct vanished *vanished = ctx;
    if (vanished->known == NULL) {
        put_range(vanished, first, last);
        return;
    }
    const struct set *known = vanished->known;
    for (uint32_t i = range_at(known, first); i < known->n && known->range[i].first <= last; i++) {
        const struct set_range *range = &known->range[i];
        put_range(vanished, range->first > first ? range->first : first, range->last < last ? range->last : last);
    }
}

static int compare_ranges(const void *a, const void *b)
{
    const struct set_range *x = a;
    const struct set_range *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Ascending, first <= last, without overlap. */
static void normalize(struct set *set)
{
    for (uint32_t i = 0; i < set->n; i++) {
        struct set_range *range = &set->range[i];
        if (range->first > range->last) {
            *range = (struct set_range){range->last, range->first};
        }
    }
    if (set->n < 2) {
        return;
    }
    qsort(set->range, set->n, sizeof *set->range, compare_ranges);
    uint32_t kept = 0;
    for (uint32_t i = 1; i < set->n; i++) {
        if (set->range[i].first <= set->range[kept].last) {
            set->range[kept].last = set->range[i].last > set->range[kept].last ? set->range[i].last : set->range[kept].last;
        } else {
            set->range[++kept] = set->range[i];
        }
    }
    set->n = kept + 1;
}

void qresync_put_vanished(struct session *session, uint64_t modseq, const struct set *known, uint32_t above)
{
    struct set sorted = {0};
    for (uint32_t i = 0; known != NULL && i < known->n; i++) {
        set_add(&sorted, known->range[i].first, known->range[i].last);
    }
    normalize(&sorted);
    struct vanished vanished = {.session = session, .known = known != NULL ? &sorted : NULL, .above = above};
    folder_each_vanished(&session->folder, modseq, each_vanished, &vanished);
    session_put(session, vanished.has_begun ? "\r\n" : "");
    set_clear(&sorted);
}

/* A number of a set, one after the other. */
struct walk {
    const struct set *set;
    uint32_t range, number; /* 0: none yet */
};

/* False: that was the last, or they do not ascend. */
static bool next(struct walk *walk)
{
    const struct set_range *range = &walk->set->range[walk->range];
    uint32_t before = walk->number;
    if (before > 0 && before < range->last) {
        walk->number++;
        return true;
    }
    walk->range += before > 0;
    if (walk->range == walk->set->n) {
        return false;
    }
    walk->number = walk->set->range[walk->range].first;
    return walk->number > before;
}

/* The highest of the client's UIDs that has the number it had: nothing went up to it (RFC 7162 3.2.5.2). 0: none. */
static uint32_t last_match(struct session *session, const struct qresync_request *request)
{
    struct folder *folder = &session->folder;
    struct walk seqs = {.set = &request->seqs};
    struct walk uids = {.set = &request->uids};
    uint32_t match = 0;
    while (request->uids.n > 0 && next(&seqs) && next(&uids) && seqs.number <= folder_exists(folder)) {
        uint32_t index = folder_index_of_seq(folder, seqs.number);
        match = index != FOLDER_NONE && folder_record(folder, index)->uid == uids.number ? uids.number : match;
    }
    return match;
}

/* False: known UIDs are given and this one is not among them. */
static bool is_known(const struct qresync_request *request, uint32_t uid)
{
    uint32_t i = range_at(&request->known, uid);
    return !request->has_known || (i < request->known.n && uid >= request->known.range[i].first);
}

void qresync_answer(struct session *session, struct qresync_request *request)
{
    struct folder *folder = &session->folder;
    if (!request->is_there || request->uidvalidity != folder->head.uidvalidity) {
        return;
    }
    normalize(&request->known);
    qresync_put_vanished(session, request->modseq, request->has_known ? &request->known : NULL, last_match(session, request));
    for (uint32_t i = folder_first(folder); i < folder->told_end; i = folder_next(folder, i)) {
        const struct record *record = folder_record(folder, i);
        if (record->modseq > request->modseq && is_known(request, record->uid)) {
            session_put_flags(session, i);
        }
    }
}
