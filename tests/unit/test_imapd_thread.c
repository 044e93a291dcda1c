/* SPDX-License-Identifier: ISC */
/* imapd/thread*.c: the examples of RFC 5256, what references may say that is not so, and forests of any messages. */
#include <stdlib.h>

#include "imapd/thread.h"
#include "lib/mime_sort.h"
#include "lib/str.h"
#include "tests/tap.h"

/* A message: its number, when it was sent, id, references (a letter or more each, by spaces), base subject ("Re: " of a reply).
 */
struct sent {
    uint32_t number;
    int64_t at;
    const char *id, *references, *subject;
};

static struct sort_text keep(stralloc *arena, const char *bytes, size_t n)
{
    struct sort_text text = {(uint32_t)arena->len, (uint32_t)n};
    str_cat(arena, bytes, n);
    return text;
}

static struct sort_text keep_references(stralloc *arena, const char *references)
{
    struct sort_text text = {(uint32_t)arena->len, 0};
    for (const char *at = references; *at != '\0'; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        uint64_t id = mime_id_hash(at, n);
        str_cat(arena, (const char *)&id, sizeof id);
        text.len += (uint32_t)sizeof id;
        at += n;
    }
    return text;
}

static void gather(const struct sent *sent, uint32_t n, struct sort_messages *out)
{
    *out = (struct sort_messages){.n = n, .arena = STRALLOC_ZERO};
    out->message = memory_get(n + 1, sizeof *out->message);
    for (uint32_t i = 0; i < n; i++) {
        const char *subject = sent[i].subject;
        bool is_reply = strncmp(subject, "Re: ", 4) == 0;
        subject += is_reply ? 4 : 0;
        out->message[i] = (struct sort_message){.index = sent[i].number, .sent = sent[i].at, .is_reply = is_reply};
        out->message[i].id = sent[i].id[0] == '\0' ? 0 : mime_id_hash(sent[i].id, strlen(sent[i].id));
        out->message[i].subject = keep(&out->arena, subject, strlen(subject));
        out->message[i].references = keep_references(&out->arena, sent[i].references);
    }
}

static uint32_t number_of(void *ctx, uint32_t message)
{
    const struct sort_messages *messages = ctx;
    return messages->message[message].index;
}

static stralloc text;

static const char *threads(const struct sent *sent, uint32_t n, bool is_by_subject)
{
    struct sort_messages messages;
    struct thread_forest forest;
    gather(sent, n, &messages);
    if (is_by_subject) {
        thread_by_subject(&messages, &forest);
    } else {
        thread_references(&messages, &forest);
    }
    text.len = 0;
    thread_put(&forest, &text, number_of, &messages);
    thread_free(&forest);
    sort_free(&messages);
    return str_text(&text);
}

#define REFERENCES(want, name, ...)                                                                                              \
    do {                                                                                                                         \
        static const struct sent rows[] = {__VA_ARGS__};                                                                         \
        is(threads(rows, sizeof rows / sizeof *rows, false), want, name);                                                        \
    } while (0)
#define BY_SUBJECT(want, name, ...)                                                                                              \
    do {                                                                                                                         \
        static const struct sent rows[] = {__VA_ARGS__};                                                                         \
        is(threads(rows, sizeof rows / sizeof *rows, true), want, name);                                                         \
    } while (0)

static void by_subject(void)
{
    is(threads(NULL, 0, true), "", "no_messages");
    BY_SUBJECT("(166)", "one_message", {166, 1, "", "", "a"});
    BY_SUBJECT("(1)(2)", "two_subjects", {1, 1, "", "", "a"}, {2, 2, "", "", "b"});
    BY_SUBJECT("(1 2)", "one_subject", {1, 1, "", "", "a"}, {2, 2, "", "", "Re: a"});
    BY_SUBJECT("(1 (2)(3))", "the_others_are_siblings", {1, 1, "", "", "a"}, {2, 2, "", "", "a"}, {3, 3, "", "", "Re: a"});
    BY_SUBJECT("(2 (3)(1))", "the_earliest_is_the_root", {1, 3, "", "", "a"}, {2, 1, "", "", "Re: a"}, {3, 2, "", "", "a"});
    BY_SUBJECT("(2)(1)(3)", "threads_by_their_root", {1, 5, "", "", "a"}, {2, 4, "", "", "b"}, {3, 6, "", "", "c"});
    BY_SUBJECT("(1 2)", "no_subject_is_one_too", {1, 1, "", "", ""}, {2, 2, "", "", ""});
    BY_SUBJECT("(1 2)", "at_one_time_by_number", {1, 1, "", "", "a"}, {2, 1, "", "", "a"});
    BY_SUBJECT("(1)(2)(3)", "threads_of_one_time_by_number", {1, 1, "", "", "c"}, {2, 1, "", "", "a"}, {3, 1, "", "", "b"});
    /* RFC 5256 section 3, the example of ORDEREDSUBJECT, from 5 March 2000 (its messages sent as it lists their threads). */
    BY_SUBJECT(
        "(166)(167)(168)(169)(172)(170)(171)(173)(174 (175)(176)(178)(181)(180))(179)(177 (183)(182)(188)(184)(185)(186)"
        "(187)(189))(190)(191)(192)(193)(194 195)(196 (197)(198))(199)(200 202)(201)(203)(204)(205)(206 207)(208)",
        "the_example_of_the_rfc", {166, 1, "", "", "a"}, {167, 2, "", "", "b"}, {168, 3, "", "", "c"}, {169, 4, "", "", "d"},
        {170, 6, "", "", "f"}, {171, 7, "", "", "g"}, {172, 5, "", "", "e"}, {173, 8, "", "", "h"}, {174, 9, "", "", "i"},
        {175, 10, "", "", "i"}, {176, 11, "", "", "i"}, {177, 16, "", "", "k"}, {178, 12, "", "", "i"}, {179, 15, "", "", "j"},
        {180, 14, "", "", "i"}, {181, 13, "", "", "i"}, {182, 18, "", "", "k"}, {183, 17, "", "", "k"}, {184, 20, "", "", "k"},
        {185, 21, "", "", "k"}, {186, 22, "", "", "k"}, {187, 23, "", "", "k"}, {188, 19, "", "", "k"}, {189, 24, "", "", "k"},
        {190, 25, "", "", "l"}, {191, 26, "", "", "m"}, {192, 27, "", "", "n"}, {193, 28, "", "", "o"}, {194, 29, "", "", "p"},
        {195, 30, "", "", "p"}, {196, 31, "", "", "q"}, {197, 32, "", "", "q"}, {198, 33, "", "", "q"}, {199, 34, "", "", "r"},
        {200, 35, "", "", "s"}, {201, 37, "", "", "t"}, {202, 36, "", "", "s"}, {203, 38, "", "", "u"}, {204, 39, "", "", "v"},
        {205, 40, "", "", "w"}, {206, 41, "", "", "x"}, {207, 42, "", "", "x"}, {208, 43, "", "", "y"});
}

static void examples(void)
{
    is(threads(NULL, 0, false), "", "nothing_at_all");
    /* RFC 5256 section 4: the untagged THREAD response. */
    REFERENCES("(2)(3 6 (4 23)(44 7 96))", "the_threads_of_the_rfc", {2, 1, "A", "", "a"}, {3, 2, "B", "", "b"},
               {4, 4, "D", "B C", "c"}, {6, 3, "C", "B", "b"}, {7, 7, "G", "B C F", "g"}, {23, 5, "E", "B C D", "e"},
               {44, 6, "F", "B C", "f"}, {96, 8, "H", "B C F G", "h"});
    REFERENCES("((3)(5))", "siblings_whose_parent_is_not_here", {3, 1, "A", "X", "a"}, {5, 2, "B", "X", "b"});
    REFERENCES("(166)(167)((170)(179))(171)((174)(175)(176)(178)(181)(180))((177)(183)(182)(188 (184)(189))(185 186)(187))(190)",
               "a_part_of_its_long_example", {166, 1, "a", "", "a"}, {167, 2, "b", "", "b"}, {170, 3, "c", "x", "c"},
               {171, 5, "e", "", "e"}, {174, 6, "f", "y", "f"}, {175, 7, "g", "y", "g"}, {176, 8, "h", "y", "h"},
               {177, 12, "l", "z", "l"}, {178, 9, "i", "y", "i"}, {179, 4, "d", "x", "d"}, {180, 11, "k", "y", "k"},
               {181, 10, "j", "y", "j"}, {182, 14, "n", "z", "n"}, {183, 13, "m", "z", "m"}, {184, 16, "p", "z o", "p"},
               {185, 18, "r", "z", "r"}, {186, 19, "s", "z r", "s"}, {187, 20, "t", "z", "t"}, {188, 15, "o", "z", "o"},
               {189, 17, "q", "z o", "q"}, {190, 21, "u", "", "u"});
}

static void references(void)
{
    REFERENCES("(1 2 3)", "a_chain", {1, 1, "A", "", "a"}, {2, 2, "B", "A", "b"}, {3, 3, "C", "A B", "c"});
    REFERENCES("(1 2 3)", "a_chain_whose_end_came_first", {3, 3, "C", "A B", "c"}, {2, 2, "B", "A", "b"}, {1, 1, "A", "", "a"});
    REFERENCES("(1 3)", "a_message_in_between_is_not_here", {1, 1, "A", "", "a"}, {3, 3, "C", "A B", "c"});
    REFERENCES("(3)", "nor_are_any_before_it", {3, 3, "C", "A B", "c"});
    REFERENCES("(1 (3)(4))", "children_of_one_that_is_not_here_go_to_its_parent", {1, 1, "A", "", "a"}, {3, 3, "C", "A B", "c"},
               {4, 4, "D", "A B", "d"});
    REFERENCES("((3)(4 5))", "or_stay_with_it_where_it_is_a_root", {3, 3, "C", "A B", "c"}, {4, 4, "D", "A B", "d"},
               {5, 5, "E", "A B D", "e"});
    REFERENCES("(1)(2)", "no_ids", {1, 1, "", "", "a"}, {2, 2, "", "", "b"});
    REFERENCES("(1)((2)(3))(4)", "a_root_that_is_not_here_stands_where_its_first_child_stood", {1, 1, "A", "", "a"},
               {2, 1, "B", "X", "b"}, {3, 1, "C", "X", "c"}, {4, 1, "D", "", "d"});
    REFERENCES("(1 (3)(2))", "siblings_by_date", {1, 1, "A", "", "a"}, {2, 9, "B", "A", "b"}, {3, 3, "C", "A", "c"});
    REFERENCES("(1 3)(2)", "one_id_twice_belongs_to_the_first", {1, 1, "A", "", "a"}, {2, 2, "A", "", "b"},
               {3, 3, "B", "A", "c"});
    REFERENCES("(1)", "its_own_reference", {1, 1, "A", "A", "a"});
    REFERENCES("(1)", "its_own_reference_twice", {1, 1, "A", "A A", "a"});
    REFERENCES("(2 1)", "each_names_the_other", {1, 2, "A", "B", "a"}, {2, 1, "B", "A", "b"});
    REFERENCES("(1 2 3)", "the_last_reference_holds", {1, 1, "A", "", "a"}, {2, 2, "B", "A", "b"}, {3, 3, "C", "B A B", "c"});
    REFERENCES("(1)(3 2)", "a_message_without_references_is_no_child", {1, 1, "A", "", "a"}, {2, 2, "B", "A C", "b"},
               {3, 3, "C", "", "c"});
}

static void subjects(void)
{
    REFERENCES("(1 2)", "a_reply_is_a_child_of_its_subject", {1, 1, "A", "", "a"}, {2, 2, "B", "", "Re: a"});
    REFERENCES("(2 1)", "also_an_earlier_one", {1, 1, "A", "", "Re: a"}, {2, 2, "B", "", "a"});
    REFERENCES("((1)(2))", "two_originals_are_siblings", {1, 1, "A", "", "a"}, {2, 2, "B", "", "a"});
    REFERENCES("(1)((2)(4))(3)", "at_one_time_by_number", {1, 1, "A", "", "a"}, {2, 1, "B", "", "b"}, {3, 1, "C", "", "c"},
               {4, 1, "D", "", "b"});
    REFERENCES("((1)(2)(3))", "and_a_third", {1, 1, "A", "", "a"}, {2, 2, "B", "", "a"}, {3, 3, "C", "", "a"});
    REFERENCES("((1)(2))", "two_replies_too", {1, 1, "A", "", "Re: a"}, {2, 2, "B", "", "Re: a"});
    REFERENCES("(1 (2)(3))", "two_replies_and_their_original", {1, 1, "A", "", "a"}, {2, 2, "B", "", "Re: a"},
               {3, 3, "C", "", "Re: a"});
    REFERENCES("(1)(2)", "no_subject_joins_nothing", {1, 1, "A", "", ""}, {2, 2, "B", "", ""});
    REFERENCES("(1 2)(3)", "subjects_below_a_root_do_not_count", {1, 1, "A", "", "a"}, {2, 2, "B", "A", "b"},
               {3, 3, "C", "", "b"});
    REFERENCES("((1)(2)(3)(4))", "two_missing_parents_become_one", {1, 1, "A", "X", "a"}, {2, 2, "B", "X", "b"},
               {3, 3, "C", "Y", "a"}, {4, 4, "D", "Y", "d"});
    REFERENCES("((1)(2)(3))", "a_missing_parent_takes_what_has_its_subject", {1, 1, "A", "X", "a"}, {2, 2, "B", "X", "b"},
               {3, 3, "C", "", "a"});
    REFERENCES("((4)(1)(2))(3)", "threads_by_the_earliest_of_the_joined", {1, 5, "A", "X", "a"}, {2, 6, "B", "X", "b"},
               {3, 4, "C", "", "c"}, {4, 1, "D", "", "a"});
}

enum { LONG = 6000 };

static void a_long_chain(void)
{
    static char names[LONG][8];
    static char lists[LONG][8];
    static struct sent sent[LONG];
    for (uint32_t i = 0; i < LONG; i++) {
        (void)snprintf(names[i], sizeof names[i], "m%u", i);
        (void)snprintf(lists[i], sizeof lists[i], i == 0 ? "" : "m%u", i - 1);
        sent[i] = (struct sent){i, i, names[i], lists[i], names[i]};
    }
    const char *got = threads(sent, LONG, false);
    unsigned roots = 0;
    for (const char *at = got; (at = strchr(at, '(')) != NULL; at++) {
        roots++;
    }
    ok(strncmp(got, "(0 1 2 3", 8) == 0 && strstr(got, " 1999") != NULL, "a_chain_longer_than_any_discussion");
    ok(roots > 1 && roots <= LONG / 2000 + 1, "is_cut_into_a_few");
}

/* Each number once; each '(' has its ')'. */
static bool is_sound(const char *got, uint32_t n)
{
    uint8_t *is_there = memory_get(n + 1, 1);
    uint32_t found = 0;
    int depth = 0;
    bool is_good = true;
    while (*got != '\0' && is_good) {
        if (*got >= '0' && *got <= '9') {
            char *end;
            unsigned long number = strtoul(got, &end, 10);
            is_good = number < n && !is_there[number] && depth > 0;
            is_there[is_good ? number : 0] = 1;
            found++;
            got = end;
        } else {
            depth += *got == '(' ? 1 : *got == ')' ? -1 : 0;
            is_good = depth >= 0 && (*got == ' ' || *got == '(' || *got == ')') && strncmp(got, "()", 2) != 0 &&
                      strncmp(got, "  ", 2) != 0 && strncmp(got, " )", 2) != 0 && strncmp(got, "( ", 2) != 0;
            got++;
        }
    }
    free(is_there);
    return is_good && depth == 0 && found == n;
}

/* Any ids, references in any order and circle, few subjects. */
static void any_messages(void)
{
    enum { ROUNDS = 3000, MOST = 24 };
    unsigned wrong = 0;
    unsigned seed = 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct sent sent[MOST];
        static char words[MOST][3][24];
        uint32_t n = 1 + round % MOST;
        for (uint32_t i = 0; i < n; i++) {
            unsigned pick[7];
            for (unsigned k = 0; k < 7; k++) {
                seed = seed * 1103515245 + 12345;
                pick[k] = seed >> 16;
            }
            (void)snprintf(words[i][0], 24, pick[0] % 8 == 0 ? "" : "i%u", pick[0] % (n + 2));
            (void)snprintf(words[i][1], 24,
                           pick[1] % 4 == 0   ? ""
                           : pick[1] % 4 == 1 ? "i%u"
                                              : "i%u i%u i%u",
                           pick[2] % (n + 2), pick[3] % (n + 2), pick[4] % (n + 2));
            (void)snprintf(words[i][2], 24, "%s%s", pick[5] % 3 == 0 ? "Re: " : "",
                           pick[5] % 5 == 0 ? ""
                           : pick[5] % 2    ? "a"
                                            : "b");
            sent[i] = (struct sent){i, pick[6] % 5, words[i][0], words[i][1], words[i][2]};
        }
        wrong += !is_sound(threads(sent, n, false), n) || !is_sound(threads(sent, n, true), n);
    }
    is_number(wrong, 0, "each_message_stands_in_a_thread_once");
}

static void sorts_by(const struct sort_criterion *criteria, unsigned n, const char *want, const char *name)
{
    stralloc got = STRALLOC_ZERO;
    struct sort_message rows[] = {{.index = 1, .sent = 5, .arrival = 9, .size = 30},
                                  {.index = 2, .sent = 3, .arrival = 9, .size = 10},
                                  {.index = 3, .sent = 4, .arrival = 7, .size = 20},
                                  {.index = 4, .sent = 3, .arrival = 8, .size = UINT32_MAX},
                                  {.index = 5, .sent = -7, .arrival = UINT32_MAX, .size = 0}};
    static const char *const texts[][4] = {
        {"b", "x", "", "B"}, {"a", "x", "q", "AB"}, {"", "y", "q", "A"}, {"ab", "", "\xc3\xa9", "C"}, {"a", "x", "q", "A"}};
    struct sort_messages messages = {.message = rows, .n = 5, .arena = STRALLOC_ZERO};
    for (unsigned i = 0; i < 5; i++) {
        struct sort_text *fields[] = {&rows[i].subject, &rows[i].from, &rows[i].to, &rows[i].cc};
        for (unsigned k = 0; k < 4; k++) {
            *fields[k] = keep(&messages.arena, texts[i][k], strlen(texts[i][k]));
        }
    }
    sort_run(&messages, criteria, n);
    for (unsigned i = 0; i < 5; i++) {
        str_catn(&got, rows[i].index);
    }
    is(str_text(&got), want, name);
    stralloc_free(&got);
    stralloc_free(&messages.arena);
}

static void sorting(void)
{
    static const struct {
        enum sort_by by;
        const char *want, *reverse, *name;
    } rows[] = {{SORT_ARRIVAL, "34125", "51243", "arrival"},
                {SORT_DATE, "52431", "13245", "date"},
                {SORT_SIZE, "52314", "41325", "size"},
                {SORT_SUBJECT, "32541", "14253", "subject"},
                {SORT_FROM, "41253", "31254", "from"},
                {SORT_TO, "12354", "42351", "to"},
                {SORT_CC, "35214", "41235", "cc"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sorts_by(&(struct sort_criterion){rows[i].by, false}, 1, rows[i].want, rows[i].name);
        sorts_by(&(struct sort_criterion){rows[i].by, true}, 1, rows[i].reverse, "in_reverse_but_equal_ones");
    }
    sorts_by(NULL, 0, "12345", "by_nothing_it_is_the_order_of_the_mailbox");
    sorts_by((const struct sort_criterion[]){{SORT_TO, false}, {SORT_DATE, true}, {SORT_SIZE, false}}, 3, "13254",
             "by_one_then_by_another");
    sorts_by((const struct sort_criterion[]){{SORT_FROM, true}, {SORT_CC, false}}, 2, "35214", "each_with_its_own_direction");
}

int main(void)
{
    by_subject();
    examples();
    references();
    subjects();
    a_long_chain();
    any_messages();
    sorting();
    return done();
}
