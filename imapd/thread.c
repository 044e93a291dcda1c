/* SPDX-License-Identifier: ISC */
/* The forest: children in order, and its text. */
#include "imapd/thread.h"

#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

uint32_t thread_add(struct thread_forest *forest, uint32_t message)
{
    if (forest->n == forest->room) {
        forest->room = forest->room == 0 ? 256 : 2 * forest->room;
        forest->node = memory_grow(forest->node, forest->room, sizeof *forest->node);
    }
    forest->node[forest->n] = (struct thread_node){
        .message = message, .order = message, .parent = THREAD_NONE, .first = THREAD_NONE, .next = THREAD_NONE};
    return forest->n++;
}

void thread_free(struct thread_forest *forest)
{
    free(forest->node);
    forest->node = NULL;
}

bool thread_is_before(const struct thread_node *a, const struct thread_node *b)
{
    return a->sent != b->sent ? a->sent < b->sent : a->order < b->order;
}

static int compare_nodes(const void *a, const void *b, void *ctx)
{
    const struct thread_forest *forest = ctx;
    uint32_t x_at = *(const uint32_t *)a;
    uint32_t y_at = *(const uint32_t *)b;
    const struct thread_node *x = &forest->node[x_at];
    const struct thread_node *y = &forest->node[y_at];
    if (x->sent != y->sent || x->order != y->order) {
        return thread_is_before(x, y) ? -1 : 1;
    }
    return x_at < y_at ? -1 : x_at > y_at;
}

void thread_order(struct thread_forest *forest, const uint8_t *is_out)
{
    uint32_t *order = memory_get((size_t)forest->n + 1, sizeof *order);
    uint32_t n = 0;
    for (uint32_t i = 0; i < forest->n; i++) {
        forest->node[i].first = forest->node[i].next = THREAD_NONE;
        if (!is_out[i]) {
            order[n++] = i;
        }
    }
    qsort_r(order, n, sizeof *order, compare_nodes, forest);
    forest->first = THREAD_NONE;
    /* From the last: each goes in front of its siblings. */
    for (uint32_t i = n; i > 0; i--) {
        struct thread_node *node = &forest->node[order[i - 1]];
        uint32_t *head = node->parent == THREAD_NONE ? &forest->first : &forest->node[node->parent].first;
        node->next = *head;
        *head = order[i - 1];
    }
    free(order);
}

/* A node's chain goes on as long as it has one child; several open parentheses each. `last` marks where a chain in parentheses
 * ends. */
void thread_put(const struct thread_forest *forest, stralloc *out, uint32_t (*number)(void *ctx, uint32_t message), void *ctx)
{
    uint32_t *open = memory_get((size_t)forest->n + 1, sizeof *open); /* nodes that began a parenthesis */
    uint32_t n = 0;
    uint32_t at = forest->first;
    bool begins = true;
    while (at != THREAD_NONE) {
        const struct thread_node *node = &forest->node[at];
        if (begins) {
            str_catc(out, '(');
            open[n++] = at;
        } else if (out->s[out->len - 1] != '(') {
            str_catc(out, ' ');
        }
        if (node->message != THREAD_NONE) {
            str_catn(out, number(ctx, node->message));
        }
        if (node->first != THREAD_NONE) {
            begins = forest->node[node->first].next != THREAD_NONE;
            if (begins && out->s[out->len - 1] != '(') {
                str_catc(out, ' ');
            }
            at = node->first;
            continue;
        }
        /* A chain is whole: its parenthesis closes, and those whose last child that was. */
        at = THREAD_NONE;
        while (n > 0 && at == THREAD_NONE) {
            str_catc(out, ')');
            at = forest->node[open[--n]].next;
        }
        begins = true;
    }
    free(open);
}
