/* SPDX-License-Identifier: ISC */
/* What SORT and THREAD compare, of many messages at once: by summary, in one arena. */
#ifndef IMAPD_SORTKEYS_H
#define IMAPD_SORTKEYS_H

#include "imapd/session.h"

enum sort_by { SORT_ARRIVAL, SORT_CC, SORT_DATE, SORT_FROM, SORT_SIZE, SORT_SUBJECT, SORT_TO };
enum { SORT_KEYS_MAX = 16 };
struct sort_criterion {
    enum sort_by by;
    bool is_reverse;
};
struct sort_text {
    uint32_t at, len; /* in the arena */
};
struct sort_message {
    uint32_t index;
    int64_t sent; /* of the Date field, else INTERNALDATE */
    uint32_t arrival, size;
    bool is_reply;
    uint64_t id;
    struct sort_text cc, from, subject, to, references; /* references: 8 bytes an id */
};
enum { KEYS_TEXTS = 1, KEYS_THREAD = 2, KEYS_FACTS = 4 }; /* FACTS: arrival and size */
struct sort_messages {
    struct sort_message *message;
    uint32_t n;
    stralloc arena;
};
/* Reads what `wants` says of these messages. One whose summary cannot be made has empty texts. */
void sort_read(struct session *session, const struct folder_list *indexes, unsigned wants, struct sort_messages *out);
void sort_free(struct sort_messages *messages);
/* Orders them; equal ones by index. */
void sort_run(struct sort_messages *messages, const struct sort_criterion *criteria, unsigned n);
int sort_compare_texts(const stralloc *arena, const struct sort_text *a, const struct sort_text *b);

#endif
