/* SPDX-License-Identifier: ISC */
/* THREAD=REFERENCES and ORDEREDSUBJECT (RFC 5256 3): a forest over messages. Pure: numbers in, parents out; linear but for the
 * sorts, and without recursion, whatever the references say. */
#ifndef IMAPD_THREAD_H
#define IMAPD_THREAD_H

#include "imapd/sortkeys.h"

#define THREAD_NONE UINT32_MAX
struct thread_node {
    uint32_t message;             /* of messages; THREAD_NONE: a message that is not here */
    uint32_t parent, first, next; /* nodes */
    int64_t sent;                 /* a dummy: of its first child, and so is `order` */
    uint32_t order;               /* of messages of one date: the mailbox's */
};
struct thread_forest {
    struct thread_node *node;
    uint32_t n, room;
    uint32_t first; /* root */
};
void thread_references(const struct sort_messages *messages, struct thread_forest *out);
void thread_by_subject(struct sort_messages *messages, struct thread_forest *out);
void thread_free(struct thread_forest *forest);
/* The text of RFC 5256: (1 2 (3)(4 5)); number(ctx, message). */
void thread_put(const struct thread_forest *forest, stralloc *out, uint32_t (*number)(void *ctx, uint32_t message), void *ctx);

/* Building blocks of thread_*.c */
uint32_t thread_add(struct thread_forest *forest, uint32_t message);
/* first and next of all from the parents (nodes with is_out[i] left out), siblings by sent date, then by order. */
bool thread_is_before(const struct thread_node *a, const struct thread_node *b);
void thread_order(struct thread_forest *forest, const uint8_t *is_out);

#endif
