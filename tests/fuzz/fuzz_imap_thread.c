/* SPDX-License-Identifier: ISC */
/* imapd/thread: whatever references say, every message stands in the answer once, parentheses match, and no parent is its own
 * descendant. lib/mime_sort: the base subject of a base subject is itself. A message of the input: id, number of references,
 * subject, date, then the references, a byte each. */
#include "imapd/thread.h"
#include "lib/mime_sort.h"
#include "tests/fuzz/fuzz_folder.h"

enum { MESSAGES_MAX = 200 };

static uint32_t number(void *ctx, uint32_t message)
{
    (void)ctx;
    return message + 1;
}

static void put_bytes(stralloc *arena, struct sort_text *out, const void *bytes, size_t n)
{
    *out = (struct sort_text){(uint32_t)arena->len, (uint32_t)n};
    str_cat(arena, bytes, n);
}

static void read_messages(const uint8_t *data, size_t size, struct sort_messages *out)
{
    out->message = memory_get(MESSAGES_MAX, sizeof *out->message);
    for (size_t at = 0; at + 4 <= size && out->n < MESSAGES_MAX; out->n++) {
        struct sort_message *message = &out->message[out->n];
        size_t n = data[at + 1] % 8;
        *message = (struct sort_message){.index = out->n, .id = data[at], .sent = data[at + 3], .is_reply = data[at + 2] & 1};
        put_bytes(&out->arena, &message->subject, &data[at + 2], data[at + 2] > 3 ? 1 : 0);
        message->references.at = (uint32_t)out->arena.len;
        for (at += 4; n > 0 && at < size; at++, n--) {
            uint64_t id = data[at];
            str_cat(&out->arena, (const char *)&id, sizeof id);
            message->references.len += 8;
        }
    }
}

static void check_text(const stralloc *text, uint32_t n)
{
    uint8_t seen[MESSAGES_MAX] = {0};
    size_t depth = 0;
    for (size_t i = 0; i < text->len; i++) {
        char c = text->s[i];
        char before = i == 0 ? '\0' : text->s[i - 1];
        require(strchr("() 0123456789", c) != NULL && (depth > 0 || c == '('));
        depth += c == '(';
        depth -= c == ')';
        require(c != ')' || before != '('); /* nothing in parentheses */
        require(c != ' ' || (before >= '0' && before <= '9'));
        bool begins = c >= '0' && c <= '9' && !(before >= '0' && before <= '9');
        if (begins) {
            size_t which = (size_t)atoi(text->s + i);
            require(which >= 1 && which <= n && seen[which - 1]++ == 0);
        }
    }
    require(depth == 0);
    for (uint32_t i = 0; i < n; i++) {
        require(seen[i] == 1);
    }
}

static void check_forest(const struct thread_forest *forest)
{
    for (uint32_t i = 0; i < forest->n; i++) {
        uint32_t steps = 0;
        for (uint32_t at = i; at != THREAD_NONE; at = forest->node[at].parent) {
            require(at < forest->n && steps++ <= forest->n);
        }
    }
}

static void try_threads(struct sort_messages *messages)
{
    struct thread_forest forest;
    stralloc text = STRALLOC_ZERO;
    thread_references(messages, &forest);
    check_forest(&forest);
    require(forest.n <= messages->arena.len + 2 * messages->n);
    thread_put(&forest, &text, number, NULL);
    (void)str_text(&text);
    check_text(&text, messages->n);
    thread_free(&forest);
    text.len = 0;
    thread_by_subject(messages, &forest);
    check_forest(&forest);
    thread_put(&forest, &text, number, NULL);
    (void)str_text(&text);
    check_text(&text, messages->n);
    thread_free(&forest);
    stralloc_free(&text);
}

static void try_subject(const char *bytes, size_t n)
{
    stralloc base = STRALLOC_ZERO;
    stralloc again = STRALLOC_ZERO;
    if (memchr(bytes, '\r', n) != NULL || memchr(bytes, '\n', n) != NULL) {
        return; /* it is unfolded before */
    }
    (void)mime_base_subject_append(&base, bytes, n);
    require(base.len <= n);
    bool is_reply = mime_base_subject_append(&again, str_text(&base), base.len);
    require(fuzz_equal(base.s, base.len, again.s, again.len) && !is_reply);
    stralloc_free(&base);
    stralloc_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sort_messages messages = {.arena = STRALLOC_ZERO};
    read_messages(data, size, &messages);
    try_threads(&messages);
    sort_free(&messages);
    char *bytes = fuzz_copy(data, size);
    try_subject(bytes, size);
    free(bytes);
    return 0;
}
