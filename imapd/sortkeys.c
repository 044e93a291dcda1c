/* SPDX-License-Identifier: ISC */
/* Keys are read once; comparing touches the arena only. */
#include "imapd/sortkeys.h"

#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

static struct sort_text keep(stralloc *arena, const struct mime_summary *summary, enum mime_section section)
{
    struct mime_slice text;
    struct sort_text out = {.at = (uint32_t)arena->len};
    if (mime_summary_get(summary, section, &text) && arena->len + text.n < UINT32_MAX) {
        str_cat(arena, text.bytes, text.n);
        out.len = (uint32_t)text.n;
    }
    return out;
}

/* INTERNALDATE stands in where a message has no date; most have one. */
static void read_facts(struct session *session, unsigned wants, bool has_date, struct sort_message *out)
{
    uint64_t size = 0;
    uint32_t date = 0;
    if (wants & KEYS_FACTS || !has_date) {
        (void)folder_date(&session->folder, out->index, &date);
        out->arrival = date;
        out->sent = has_date ? out->sent : date;
    }
    if (wants & KEYS_FACTS) {
        (void)folder_size(&session->folder, out->index, &size);
        out->size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
    }
}

static void read_one(struct session *session, uint32_t index, unsigned wants, struct sort_message *out, stralloc *arena)
{
    const char *bytes;
    size_t len;
    struct mime_summary summary;
    *out = (struct sort_message){.index = index};
    bool is_read = folder_summary(&session->folder, index, &bytes, &len) == 0 && mime_summary_open(&summary, bytes, len);
    bool has_date = is_read && summary.flags & MIME_SUMMARY_HAS_DATE;
    out->sent = has_date ? summary.sent : 0;
    read_facts(session, wants, has_date, out);
    if (!is_read) {
        return;
    }
    out->is_reply = summary.flags & MIME_SUMMARY_IS_REPLY;
    out->id = summary.id_hash;
    if (wants & KEYS_TEXTS) {
        out->cc = keep(arena, &summary, MIME_SORT_CC);
        out->from = keep(arena, &summary, MIME_SORT_FROM);
        out->to = keep(arena, &summary, MIME_SORT_TO);
    }
    out->subject = keep(arena, &summary, MIME_SORT_SUBJECT);
    if (wants & KEYS_THREAD) {
        out->references = keep(arena, &summary, MIME_THREAD);
    }
}

void sort_read(struct session *session, const struct folder_list *indexes, unsigned wants, struct sort_messages *out)
{
    *out = (struct sort_messages){.n = indexes->n, .arena = STRALLOC_ZERO};
    out->message = memory_get((size_t)indexes->n + 1, sizeof *out->message);
    for (uint32_t i = 0; i < indexes->n; i++) {
        read_one(session, indexes->item[i], wants, &out->message[i], &out->arena);
    }
    folder_cache_flush(&session->folder);
}

void sort_free(struct sort_messages *messages)
{
    free(messages->message);
    stralloc_free(&messages->arena);
    messages->message = NULL;
}

int sort_compare_texts(const stralloc *arena, const struct sort_text *a, const struct sort_text *b)
{
    uint32_t n = a->len < b->len ? a->len : b->len;
    int order = n == 0 ? 0 : memcmp(arena->s + a->at, arena->s + b->at, n);
    return order != 0 ? order : a->len < b->len ? -1 : a->len > b->len;
}

struct order {
    const struct sort_messages *messages;
    const struct sort_criterion *criteria;
    unsigned n;
};

static int compare_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_by(const struct order *order, enum sort_by by, const struct sort_message *a, const struct sort_message *b)
{
    const stralloc *arena = &order->messages->arena;
    switch (by) {
    case SORT_ARRIVAL:
        return compare_numbers(a->arrival, b->arrival);
    case SORT_DATE:
        return compare_numbers(a->sent, b->sent);
    case SORT_SIZE:
        return compare_numbers(a->size, b->size);
    case SORT_CC:
        return sort_compare_texts(arena, &a->cc, &b->cc);
    case SORT_FROM:
        return sort_compare_texts(arena, &a->from, &b->from);
    case SORT_SUBJECT:
        return sort_compare_texts(arena, &a->subject, &b->subject);
    case SORT_TO:
        break;
    }
    return sort_compare_texts(arena, &a->to, &b->to);
}

static int compare(const void *x, const void *y, void *ctx)
{
    const struct sort_message *a = x;
    const struct sort_message *b = y;
    const struct order *order = ctx;
    for (unsigned i = 0; i < order->n; i++) {
        int result = compare_by(order, order->criteria[i].by, a, b);
        if (result != 0) {
            return order->criteria[i].is_reverse ? -result : result;
        }
    }
    return compare_numbers(a->index, b->index);
}

void sort_run(struct sort_messages *messages, const struct sort_criterion *criteria, unsigned n)
{
    struct order order = {.messages = messages, .criteria = criteria, .n = n};
    if (messages->n > 1) {
        qsort_r(messages->message, messages->n, sizeof *messages->message, compare, &order);
    }
}
