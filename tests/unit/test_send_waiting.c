/* SPDX-License-Identifier: ISC */
/* queue/send_waiting and queue/send_times: packed ids, the heap, names, the quadratic schedule. */
#include <inttypes.h>
#include <stdlib.h>
#include "lib/crc32c.h"
#include "lib/why.h"
#include "queue/send_times.h"
#include "queue/send_waiting.h"
#include "tests/tap.h"

enum { DAY = 86400, BIRTH = 1800000000 };

static void test_ids(void)
{
    char id[MSGID_LEN + 1], back[MSGID_LEN + 1];
    unsigned wrong = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        msgid_make(i * 987654321987, id);
        struct packed_id packed = id_pack(id);
        id_unpack(&packed, back);
        wrong += strcmp(id, back) != 0;
    }
    ok(wrong == 0, "an_id_packed_comes_back_the_same");
    struct packed_id last = id_pack("vvvvvvvvvvvvvvvvvvvvvv");
    id_unpack(&last, back);
    is(back, "vvvvvvvvvvvvvvvvvvvvvv", "all_bits_set");
    struct id_queue queue = {0};
    id_queue_put(&queue, "1h5r2k0p9v3m8a4c6e7g0q");
    id_queue_put(&queue, "1h5r2k0p9v2m8a4c6e7g0q");
    id_queue_put(&queue, "0h5r2k0p9v3m8a4c6e7g0q");
    id_queue_sort(&queue);
    (void)id_queue_take(&queue, id);
    is(id, "0h5r2k0p9v3m8a4c6e7g0q", "sorted_ids_come_oldest_first");
    (void)id_queue_take(&queue, id);
    is(id, "1h5r2k0p9v2m8a4c6e7g0q", "then_the_next");
    (void)id_queue_take(&queue, id);
    ok(!id_queue_take(&queue, id), "an_empty_queue_gives_nothing");
}

static void test_queue_order(void)
{
    struct id_queue queue = {0};
    char id[MSGID_LEN + 1], got[MSGID_LEN + 1];
    unsigned in = 0, out = 0, wrong = 0;
    for (unsigned round = 0; round < 3000; round++) {
        for (unsigned i = 0; i < round % 7; i++) {
            (void)snprintf(id, sizeof id, "%022u", in++);
            id_queue_put(&queue, id);
        }
        for (unsigned i = 0; i < round % 5 && id_queue_take(&queue, got); i++) {
            (void)snprintf(id, sizeof id, "%022u", out++);
            wrong += strcmp(id, got) != 0;
        }
    }
    while (id_queue_take(&queue, got)) {
        (void)snprintf(id, sizeof id, "%022u", out++);
        wrong += strcmp(id, got) != 0;
    }
    ok(wrong == 0 && in == out, "ids_leave_in_the_order_in_which_they_came");
}

static struct waiting entry_at(uint32_t minute)
{
    return (struct waiting){.id = id_pack("1h5r2k0p9v3m8a4c6e7g0q"), .minute = minute, .tries = 3, .why = WHY_full};
}

static void test_heap(void)
{
    struct waiting_list list = {0};
    struct waiting out;
    uint32_t seed = 1;
    for (unsigned i = 0; i < 5000; i++) {
        seed = seed * 1103515245 + 12345;
        struct waiting entry = entry_at(seed >> 12);
        waiting_add(&list, &entry);
    }
    ok(list.room <= 5000 + 5000 / 8 + 64, "the_heap_keeps_little_room_to_grow");
    unsigned wrong = 0;
    uint32_t before = 0;
    while (waiting_take_due(&list, UINT64_MAX, &out)) {
        wrong += out.minute < before;
        before = out.minute;
    }
    ok(wrong == 0 && list.n == 0, "entries_leave_by_due_time");
    struct waiting late = entry_at(1000), early = entry_at(10);
    waiting_add(&list, &late);
    waiting_add(&list, &early);
    is_number((long long)waiting_next_due(&list), 600, "the_next_due_time_is_the_earliest");
    ok(!waiting_take_due(&list, 599, &out), "nothing_is_due_a_second_early");
    ok(waiting_take_due(&list, 600, &out) && out.minute == 10, "it_is_due_at_its_slot");
    is_number((long long)waiting_heal_clock(&list, 1000, 3600), 1, "an_entry_beyond_the_longest_delay_is_due");
    ok(waiting_take_due(&list, 1000, &out) && out.minute == 1000, "and_keeps_its_slot_for_its_name");
    ok(waiting_next_due(&list) == UINT64_MAX, "an_empty_heap_is_never_due");
}

static bool is_full(const void *ctx, const struct waiting *entry)
{
    (void)ctx;
    return entry->why == WHY_full;
}

static bool is_minute(void *ctx, const struct waiting *entry)
{
    return entry->minute == *(const uint32_t *)ctx;
}

static void test_choosing(void)
{
    struct waiting_list list = {0};
    struct waiting out;
    for (uint32_t i = 1; i <= 100; i++) {
        struct waiting entry = entry_at(i);
        entry.why = i % 2 == 0 ? WHY_full : WHY_io;
        waiting_add(&list, &entry);
    }
    is_number((long long)waiting_hurry(&list, is_full, NULL), 50, "an_operator_can_hurry_some");
    unsigned n = 0, wrong = 0;
    while (waiting_take_due(&list, 0, &out)) {
        n++;
        wrong += out.why != WHY_full;
    }
    ok(n == 50 && wrong == 0, "only_those_are_due_then");
    uint32_t minute = 7;
    is_number((long long)waiting_remove(&list, is_minute, &minute), 1, "one_can_be_taken_out");
    is_number((long long)waiting_next_due(&list), 60, "the_others_stay_in_order");
}

static void test_names(void)
{
    static const char *const names[] = {"1h5r2k0p9v3m8a4c6e7g0q.3.-.full", "1h5r2k0p9v3m8a4c6e7g0q.0.+.service",
                                        "1h5r2k0p9v3m8a4c6e7g0q.17.0badcafe.no-route"};
    stralloc text = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct waiting entry;
        struct spoolfile_later later;
        ok(waiting_from_name(names[i], 1800000060, &entry), "a_name_is_understood");
        waiting_name(&entry, &later);
        text.len = 0;
        spoolfile_later_append(&text, &later);
        is_bytes(text.s, text.len, names[i], strlen(names[i]), "and_comes_back_the_same");
    }
    struct waiting entry;
    ok(waiting_from_name("1h5r2k0p9v3m8a4c6e7g0q.3.-.newer-word", 60, &entry) && entry.why == WHY_UNKNOWN,
       "a_word_of_a_newer_version_is_kept_as_unknown");
    ok(!waiting_from_name("1h5r2k0p9v3m8a4c6e7g0q", 60, &entry) && !waiting_from_name("x.1.-.io", 60, &entry),
       "other_names_are_refused");
}

/* When a message that is always deferred is tried, in seconds after its birth. */
static unsigned tries(unsigned step, uint64_t *at, unsigned room)
{
    uint64_t now = BIRTH;
    unsigned n = 0;
    while (n < room) {
        at[n++] = now - BIRTH;
        if (times_is_last_try(BIRTH, now, DAY)) {
            break;
        }
        now = times_next_slot(BIRTH, now, DAY, step);
    }
    return n;
}

static void test_schedule(void)
{
    /* qmail's table for a remote address, each rounded up to 60 s; the last try is at the end of its life. */
    static const uint64_t wanted[] = {0,     420,   1620,  3600,  6420,  10020, 14400, 19620,
                                      25620, 32400, 40020, 48420, 57600, 67620, 78420, 86400};
    uint64_t at[64];
    unsigned n = tries(STEP_REMOTE, at, 64), wrong = 0;
    is_number(n, sizeof wanted / sizeof wanted[0], "a_remote_recipient_is_tried_sixteen_times_in_a_day");
    for (unsigned i = 0; i < n && i < sizeof wanted / sizeof wanted[0]; i++) {
        if (at[i] != wanted[i]) {
            printf("# try %u at %" PRIu64 ", wanted %" PRIu64 "\n", i, at[i], wanted[i]);
            wrong++;
        }
    }
    ok(wrong == 0, "at_the_times_of_qmail");
    n = tries(STEP_LOCAL, at, 64);
    ok(n == 31 && at[1] == 120 && at[2] == 420 && at[n - 1] == DAY, "a_local_recipient_is_tried_twice_as_often");
    ok(!times_is_last_try(BIRTH, BIRTH + DAY - 1, DAY) && times_is_last_try(BIRTH, BIRTH + DAY, DAY),
       "the_last_try_is_the_one_at_the_end_of_its_life");
    ok(times_is_last_try(BIRTH, BIRTH, 0), "with_a_lifetime_of_0_the_first_try_is_the_last");
    ok(!times_is_last_try(BIRTH, BIRTH - 1000000, DAY), "a_birth_in_the_future_counts_as_now");
    is_number((long long)(times_next_slot(BIRTH + 5000, BIRTH, DAY, STEP_LOCAL) - BIRTH), 120, "and_its_next_try_is_soon");
    wrong = 0;
    for (uint64_t age = 0; age < 20 * DAY; age += 977) {
        uint64_t next = times_next_slot(BIRTH, BIRTH + age, DAY, STEP_REMOTE);
        wrong += next <= BIRTH + age || next > BIRTH + age + times_longest_delay(DAY) || next % 60 != 0;
    }
    ok(wrong == 0, "a_slot_is_a_minute_in_the_future_and_never_beyond_the_longest_delay");
}

int main(void)
{
    test_ids();
    test_queue_order();
    test_heap();
    test_choosing();
    test_names();
    test_schedule();
    return done();
}
