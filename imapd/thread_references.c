/* SPDX-License-Identifier: ISC */
/* REFERENCES (RFC 5256 3, steps 1 to 6). Ids are 64-bit hashes. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "imapd/thread.h"
#include "lib/crc32c.h"
#include "lib/str.h"

enum { DEPTH_MAX = 2000, STEPS_AN_ID = 64, STEPS_MIN = 1 << 24 };

/* id → node, open addressing. Ids are chosen by whoever sends mail; places by them and a key that nobody knows. */
struct ids {
    uint64_t *id;
    uint32_t *node;
    uint32_t mask;
    uint64_t key;
};

struct building {
    const struct sort_messages *messages;
    struct thread_forest *forest;
    struct ids ids;
    uint8_t *is_out;     /* pruned */
    uint64_t steps_left; /* upwards, in all */
};

static void ids_init(struct ids *ids, uint64_t n)
{
    uint32_t slots = 64;
    while (slots < 2 * n && slots < (1U << 30)) {
        slots *= 2;
    }
    ids->mask = slots - 1;
    ids->key = 0;
    (void)!getrandom(&ids->key, sizeof ids->key, 0);
    ids->id = memory_get(slots, sizeof *ids->id);
    ids->node = memory_get(slots, sizeof *ids->node);
}

/* Every bit of the key and the id moves about half of those that count. */
static uint32_t place_of(const struct ids *ids, uint64_t id)
{
    id ^= ids->key;
    id = (id ^ id >> 33) * 0xff51afd7ed558ccdU;
    id = (id ^ id >> 33) * 0xc4ceb9fe1a85ec53U;
    return (uint32_t)(id ^ id >> 33) & ids->mask;
}

static uint32_t *ids_slot(struct ids *ids, uint64_t id)
{
    uint32_t i = place_of(ids, id);
    while (ids->id[i] != 0 && ids->id[i] != id) {
        i = (i + 1) & ids->mask;
    }
    if (ids->id[i] == 0) {
        ids->id[i] = id;
        ids->node[i] = THREAD_NONE;
    }
    return &ids->node[i];
}

static uint32_t node_of_id(struct building *building, uint64_t id)
{
    uint32_t *slot = ids_slot(&building->ids, id);
    if (*slot == THREAD_NONE) {
        *slot = thread_add(building->forest, THREAD_NONE);
    }
    return *slot;
}

/* Is `above` an ancestor of node, or node itself? Of chains deeper than any discussion, and where references were made to cost
 * more steps than any discussions need, it is taken to be: a link is left out. */
static bool is_above(struct building *building, uint32_t above, uint32_t node)
{
    unsigned depth = 0;
    for (; node != THREAD_NONE; node = building->forest->node[node].parent) {
        if (node == above || depth++ == DEPTH_MAX || building->steps_left == 0) {
            return true;
        }
        building->steps_left--;
    }
    return false;
}

/* Step 1A: each reference is the parent of the next, unless it has one or a loop would be made. The last one; NONE. */
static uint32_t link_references(struct building *building, const struct sort_message *message)
{
    struct thread_forest *forest = building->forest;
    uint32_t last = THREAD_NONE;
    for (uint32_t at = 0; at + 8 <= message->references.len; at += 8) {
        uint64_t id;
        memcpy(&id, building->messages->arena.s + message->references.at + at, sizeof id);
        uint32_t node = node_of_id(building, id == 0 ? 1 : id);
        if (last != THREAD_NONE && forest->node[node].parent == THREAD_NONE && !is_above(building, node, last)) {
            forest->node[node].parent = last;
        }
        last = node;
    }
    return last;
}

/* Step 1. A second message with the same id, or one without, has a node of its own. */
static void add_message(struct building *building, uint32_t i)
{
    struct thread_forest *forest = building->forest;
    const struct sort_message *message = &building->messages->message[i];
    uint32_t node = message->id == 0 ? THREAD_NONE : node_of_id(building, message->id);
    if (node == THREAD_NONE || forest->node[node].message != THREAD_NONE) {
        node = thread_add(forest, i);
    }
    forest->node[node].message = forest->node[node].order = i;
    forest->node[node].sent = message->sent;
    uint32_t parent = link_references(building, message);
    if (parent != THREAD_NONE && !is_above(building, node, parent)) {
        forest->node[node].parent = parent;
    } else if (parent == THREAD_NONE) {
        forest->node[node].parent = THREAD_NONE;
    }
}

/* Nodes, parents before their children. */
static uint32_t *top_down(const struct thread_forest *forest)
{
    uint32_t *order = memory_get((size_t)forest->n + 1, sizeof *order);
    uint32_t *first = memory_get((size_t)forest->n + 1, sizeof *first);
    uint32_t *next = memory_get((size_t)forest->n + 1, sizeof *next);
    uint32_t n = 0;
    memset(first, 0xff, ((size_t)forest->n + 1) * sizeof *first);
    for (uint32_t i = forest->n; i > 0; i--) {
        uint32_t parent = forest->node[i - 1].parent;
        if (parent == THREAD_NONE) {
            order[n++] = i - 1;
        } else {
            next[i - 1] = first[parent];
            first[parent] = i - 1;
        }
    }
    for (uint32_t at = 0; at < n; at++) {
        for (uint32_t child = first[order[at]]; child != THREAD_NONE; child = next[child]) {
            order[n++] = child;
        }
    }
    free(first);
    free(next);
    return order;
}

static void take_date(struct thread_node *node, const struct thread_node *from)
{
    node->sent = from->sent;
    node->order = from->order;
}

/* Steps 3 and 4: a dummy goes, its children take its place; only a dummy root with several children stays, with the date of the
 * earliest. */
static void prune(struct building *building)
{
    struct thread_forest *forest = building->forest;
    uint32_t *order = top_down(forest);
    uint32_t *count = memory_get((size_t)forest->n + 1, sizeof *count); /* children that will stand below */
    for (uint32_t k = forest->n; k > 0; k--) {
        uint32_t i = order[k - 1];
        struct thread_node *node = &forest->node[i];
        struct thread_node *parent = node->parent == THREAD_NONE ? NULL : &forest->node[node->parent];
        uint32_t adds = node->message == THREAD_NONE ? count[i] : 1;
        if (parent == NULL || adds == 0) {
            continue;
        }
        if (parent->message == THREAD_NONE && (count[node->parent] == 0 || thread_is_before(node, parent))) {
            take_date(parent, node);
        }
        count[node->parent] += adds;
    }
    for (uint32_t k = 0; k < forest->n; k++) {
        uint32_t i = order[k];
        struct thread_node *node = &forest->node[i];
        if (node->parent != THREAD_NONE && building->is_out[node->parent]) {
            node->parent = forest->node[node->parent].parent;
        }
        bool is_kept = node->message != THREAD_NONE || (node->parent == THREAD_NONE && count[i] > 1);
        building->is_out[i] = !is_kept;
    }
    free(order);
    free(count);
}

/* The message whose subject stands for a root: its own, or a dummy's first child's. */
static const struct sort_message *subject_of(const struct building *building, uint32_t root)
{
    const struct thread_node *node = &building->forest->node[root];
    uint32_t message = node->message;
    if (message == THREAD_NONE && node->first != THREAD_NONE) {
        message = building->forest->node[node->first].message;
    }
    return message == THREAD_NONE ? NULL : &building->messages->message[message];
}

static uint64_t subject_hash(const struct building *building, const struct sort_message *message)
{
    const char *bytes = building->messages->arena.s + message->subject.at;
    uint64_t low = crc32c(0, bytes, message->subject.len);
    uint64_t high = crc32c(0x9e3779b9U, bytes, message->subject.len);
    uint64_t hash = high << 32 | low;
    return hash == 0 ? 1 : hash;
}

/* Step 5B: which root has a subject: a dummy before others, an original before a reply. */
static void fill_subjects(const struct building *building, struct ids *subjects)
{
    const struct thread_forest *forest = building->forest;
    for (uint32_t root = forest->first; root != THREAD_NONE; root = forest->node[root].next) {
        const struct sort_message *message = subject_of(building, root);
        if (message == NULL || message->subject.len == 0) {
            continue;
        }
        uint32_t *slot = ids_slot(subjects, subject_hash(building, message));
        if (*slot == THREAD_NONE) {
            *slot = root;
            continue;
        }
        bool is_dummy = forest->node[root].message == THREAD_NONE;
        bool was_dummy = forest->node[*slot].message == THREAD_NONE;
        const struct sort_message *other = subject_of(building, *slot);
        if ((is_dummy && !was_dummy) || (!was_dummy && other != NULL && other->is_reply && !message->is_reply)) {
            *slot = root;
        }
    }
}

static void adopt_children(struct thread_forest *forest, uint32_t from, uint32_t to)
{
    for (uint32_t child = forest->node[from].first; child != THREAD_NONE; child = forest->node[child].next) {
        forest->node[child].parent = to;
    }
}

/* Step 5C for one root that is not the one of its subject. */
static void merge(struct building *building, uint32_t root, uint32_t *slot, bool is_reply)
{
    struct thread_forest *forest = building->forest;
    uint32_t other = *slot;
    bool is_dummy = forest->node[root].message == THREAD_NONE;
    bool is_other_dummy = forest->node[other].message == THREAD_NONE;
    const struct sort_message *other_message = subject_of(building, other);
    if (is_dummy && is_other_dummy) {
        adopt_children(forest, root, other);
        building->is_out[root] = 1;
    } else if (is_other_dummy || (is_reply && other_message != NULL && !other_message->is_reply)) {
        forest->node[root].parent = other;
    } else {
        uint32_t dummy = thread_add(forest, THREAD_NONE);
        forest->node[dummy].first = other; /* whose subject it has */
        forest->node[other].parent = dummy;
        forest->node[root].parent = dummy;
        *slot = dummy;
    }
    struct thread_node *owner = &forest->node[*slot];
    if (owner->message == THREAD_NONE) {
        take_date(owner, &forest->node[thread_is_before(&forest->node[root], &forest->node[other]) ? root : other]);
    }
}

static void gather_subjects(struct building *building)
{
    struct thread_forest *forest = building->forest;
    struct ids subjects;
    ids_init(&subjects, building->messages->n);
    fill_subjects(building, &subjects);
    for (uint32_t root = forest->first; root != THREAD_NONE;) {
        uint32_t next = forest->node[root].next;
        const struct sort_message *message = subject_of(building, root);
        if (message != NULL && message->subject.len > 0) {
            uint32_t *slot = ids_slot(&subjects, subject_hash(building, message));
            bool is_below = *slot != root && forest->node[root].parent == THREAD_NONE;
            if (is_below) {
                merge(building, root, slot, message->is_reply);
            }
        }
        root = next;
    }
    free(subjects.id);
    free(subjects.node);
}

void thread_references(const struct sort_messages *messages, struct thread_forest *out)
{
    struct building building = {.messages = messages, .forest = out};
    uint64_t ids = messages->n;
    *out = (struct thread_forest){.first = THREAD_NONE};
    for (uint32_t i = 0; i < messages->n; i++) {
        ids += messages->message[i].references.len / 8;
    }
    building.steps_left = STEPS_AN_ID * ids + STEPS_MIN;
    ids_init(&building.ids, ids);
    for (uint32_t i = 0; i < messages->n; i++) {
        add_message(&building, i);
    }
    /* Room for the dummies of step 5: one a message at most. */
    building.is_out = memory_get((size_t)out->n + messages->n + 1, 1);
    prune(&building);
    thread_order(out, building.is_out);
    gather_subjects(&building);
    thread_order(out, building.is_out);
    free(building.is_out);
    free(building.ids.id);
    free(building.ids.node);
}
