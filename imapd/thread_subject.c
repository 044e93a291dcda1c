/* SPDX-License-Identifier: ISC */
/* ORDEREDSUBJECT (RFC 5256 3): messages of one base subject are one thread, the earliest its root, the others its children. */
#include <stdlib.h>

#include "imapd/thread.h"
#include "lib/str.h"

void thread_by_subject(struct sort_messages *messages, struct thread_forest *out)
{
    static const struct sort_criterion criteria[] = {{SORT_SUBJECT, false}, {SORT_DATE, false}};
    *out = (struct thread_forest){.first = THREAD_NONE};
    sort_run(messages, criteria, 2);
    uint32_t root = THREAD_NONE;
    for (uint32_t i = 0; i < messages->n; i++) {
        uint32_t node = thread_add(out, i);
        out->node[node].sent = messages->message[i].sent;
        out->node[node].order = messages->message[i].index;
        bool is_same = root != THREAD_NONE && sort_compare_texts(&messages->arena, &messages->message[i].subject,
                                                                 &messages->message[out->node[root].message].subject) == 0;
        if (is_same) {
            out->node[node].parent = root;
        } else {
            root = node;
        }
    }
    uint8_t *is_out = memory_get((size_t)out->n + 1, 1);
    thread_order(out, is_out);
    free(is_out);
}
