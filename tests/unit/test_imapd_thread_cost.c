/* SPDX-License-Identifier: ISC */
/* THREAD=REFERENCES over references that somebody made up: its work is bounded, and every message stands in the answer. */
#include <stdlib.h>

#include "imapd/thread.h"
#include "lib/die.h"
#include "lib/str.h"
#include "tests/tap.h"

enum { MESSAGES_MAX = 64, CHAIN = 1500, TURNS = 1500 };
static struct sort_message list[MESSAGES_MAX];
static struct sort_messages messages = {.message = list, .arena = STRALLOC_ZERO};
static stralloc text;

static void begin_message(uint64_t id)
{
    list[messages.n++] =
        (struct sort_message){.index = messages.n, .id = id, .sent = messages.n, .references = {(uint32_t)messages.arena.len, 0}};
}

static void refer(uint64_t id)
{
    str_cat(&messages.arena, (const char *)&id, sizeof id);
    list[messages.n - 1].references.len += sizeof id;
}

static uint32_t number(void *ctx, uint32_t message)
{
    (void)ctx;
    return message + 1;
}

static const char *threads(void)
{
    struct thread_forest forest;
    thread_references(&messages, &forest);
    text.len = 0;
    thread_put(&forest, &text, number, NULL);
    thread_free(&forest);
    return str_text(&text);
}

/* Each message refers to all before it, as mail programs write. */
static void honest(void)
{
    for (uint64_t i = 1; i <= 40; i++) {
        begin_message(i);
        for (uint64_t above = 1; above < i; above++) {
            refer(above);
        }
    }
    ok(strncmp(threads(), "(1 2 3 4 5 ", 11) == 0 && strchr(str_text(&text) + 1, '(') == NULL, "a_chain_stays_one");
}

/* A long chain, then its end and its beginning in turns: each pair would walk all of it. */
static void costly(void)
{
    messages.n = 0;
    messages.arena.len = 0;
    begin_message(1000000);
    for (uint64_t id = 1; id <= CHAIN; id++) {
        refer(id);
    }
    for (uint64_t i = 0; i < 50; i++) {
        begin_message(1000001 + i);
        for (unsigned turn = 0; turn < TURNS; turn++) {
            refer(CHAIN);
            refer(1);
        }
    }
    begin_message(2000000);
    begin_message(2000001);
    refer(2000000);
    const char *all = threads();
    ok(strstr(all, "(52)") != NULL && strstr(all, "(53)") != NULL, "what_costs_too_much_is_left_out");
    unsigned n = 0;
    for (const char *at = all; *at != '\0'; at++) {
        n += *at >= '0' && *at <= '9' && (at == all || at[-1] < '0' || at[-1] > '9');
    }
    is_number(n, messages.n, "but_no_message");
}

/* Ids whose lower and upper halves differ by little: in a table by their bits alone all would stand in one crowd. */
static void crowded(void)
{
    enum { IDS = 2000000, CROWD = 1 << 15 };
    messages.n = 0;
    messages.arena.len = 0;
    begin_message(1);
    for (uint64_t high = 1; high <= IDS; high++) {
        refer(high << 32 | (high ^ high % CROWD));
    }
    begin_message(2);
    is(threads(), "(1)(2)", "ids_that_were_chosen_to_meet");
}

int main(void)
{
    program_start("test_imapd_thread_cost");
    honest();
    costly();
    crowded();
    return done();
}
