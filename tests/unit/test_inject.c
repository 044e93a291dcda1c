/* SPDX-License-Identifier: ISC */
/* The pure parts of stafet-inject: header lines and fields, qmail-queue's envelope, senders, what is spilled. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/str.h"
#include "queue/inject_header.h"
#include "queue/inject_queue.h"
#include "queue/spill.h"
#include "tests/tap.h"

static const struct addrlist_hosts hosts = {"host.test", "domain.test", "plus.test"};
static const struct inject_identity identity = {
    .user = "ann", .host = "host.test", .sender_user = "ann", .sender_host = "host.test"};
static const struct inject_header_rules rules = {
    .identity = &identity, .hosts = &hosts, .id_host = "id.test", .id = "ID", .now = 0, .wants_recipients = true};

static void test_lines(void)
{
    static const struct {
        const char *line;
        bool is_first;
        enum inject_header_line want;
    } table[] = {
        {"\n", true, INJECT_LINE_BLANK},
        {"\n", false, INJECT_LINE_BLANK},
        {"To: x\n", true, INJECT_LINE_FIELD},
        {"To : x\n", false, INJECT_LINE_FIELD},
        {"To\t:\n", false, INJECT_LINE_FIELD},
        {"X-A_b!: x\n", false, INJECT_LINE_FIELD},
        {" x\n", false, INJECT_LINE_FIELD},
        {"\tx\n", false, INJECT_LINE_FIELD},
        {" x\n", true, INJECT_LINE_BODY},
        {"hello world: x\n", false, INJECT_LINE_BODY},
        {": x\n", false, INJECT_LINE_BODY},
        {"To\n", false, INJECT_LINE_BODY},
        {"T\xc3\xb6: x\n", false, INJECT_LINE_BODY},
        {"From joe Mon Nov 25 10:00:00\n", true, INJECT_LINE_MBOX},
        {"From joe Mon Nov 25 10:00:00\n", false, INJECT_LINE_BODY},
        {"From : joe\n", true, INJECT_LINE_FIELD},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        is_number(inject_header_judge(table[i].line, strlen(table[i].line), table[i].is_first), table[i].want, table[i].line);
    }
}

static void free_result(struct inject_header_result *result)
{
    stralloc_free(&result->header);
    stralloc_free(&result->recipients);
    stralloc_free(&result->return_path);
    stralloc_free(&result->bad_line);
}

/* Any bytes: no read outside (the copy is exact), and a second pass over what came out changes nothing. */
static void check_header(const char *bytes, size_t n, unsigned *failures)
{
    struct inject_header_result first = {.has_return_path = false}, second = {.has_return_path = false};
    struct inject_header_rules quiet = rules;
    char *copy = malloc(n + 1);
    if (copy == NULL) {
        exit(111);
    }
    memcpy(copy, bytes, n);
    quiet.wants_recipients = false;
    *failures += !inject_header_write(copy, n, &quiet, &first);
    *failures += !inject_header_write(first.header.s, first.header.len, &quiet, &second);
    *failures += first.header.len != second.header.len || memcmp(first.header.s, second.header.s, first.header.len) != 0;
    free_result(&first);
    free_result(&second);
    free(copy);
}

static void test_any_header(void)
{
    static const char sample[] = "To: a, \"b\" <c@d>;\n x\nBcc: g: h@i, ;\nReturn-Path: <>\nResent-From: z\nMessage-ID: <q>\nX\n";
    unsigned failures = 0;
    char bytes[sizeof sample];
    for (size_t cut = 0; cut < sizeof sample; cut++) {
        check_header(sample, cut, &failures);
    }
    for (size_t i = 0; i + 1 < sizeof sample; i++) {
        for (unsigned c = 0; c < 256; c++) {
            memcpy(bytes, sample, sizeof sample);
            bytes[i] = (char)c;
            check_header(bytes, sizeof sample - 1, &failures);
        }
    }
    is_number(failures, 0, "any_header_is_read_and_a_second_pass_changes_nothing");
}

static void test_recipients(void)
{
    struct inject_header_result result = {.has_return_path = false};
    static const char header[] = "TO: a,\n b@c\nfrom: x@y.test\ncC: g: <>, \"d e\"@f.test;\nApparently-To: z@y.test\n";
    ok(inject_header_write(header, sizeof header - 1, &rules, &result), "takes_recipients_out_of_all_their_fields");
    static const char want[] = "a@host.test\0b@c.domain.test\0\"d e\"@f.test\0z@y.test";
    is_bytes(result.recipients.s, result.recipients.len, want, sizeof want, "finished_and_without_the_empty_one");
    free_result(&result);
    result = (struct inject_header_result){.has_return_path = false};
    ok(!inject_header_write("To: a b\n c\n", 11, &rules, &result), "a_bad_list_is_refused");
    is(result.bad_line.s, "words that are no address; write Name <address>, and a comma between two: To: a b", "with_its_line");
    free_result(&result);
}

static void test_senders(void)
{
    static const struct {
        const char *text, *want; /* NULL: no address */
    } table[] = {
        {"", ""},
        {"<>", ""},
        {" <> \n", ""},
        {"ann", "ann@host.test"},
        {"<ann@b.test>", "ann@b.test"},
        {"#@[]", "#@[]"},
        {"list-@b.test-@[]", "list-@b.test-@[]"},
        {"a@b.test, c@d.test", NULL},
        {"a b", NULL},
        {"(", NULL},
    };
    stralloc out = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        out.len = 0;
        bool is_good = inject_identity_parse(&out, table[i].text, strlen(table[i].text), &hosts);
        is(is_good ? str_text(&out) : NULL, table[i].want, table[i].text);
    }
    stralloc_free(&out);
}

static void test_envelope(void)
{
    static const char envelope[] = "Fann@b.test\0Tjoe\0Tcid@d.test\0";
    stralloc sender = STRALLOC_ZERO, recipients = STRALLOC_ZERO;
    unsigned failures = 0;
    is_number(inject_queue_parse(envelope, sizeof envelope, "at.test", &sender, &recipients), INJECT_ENVELOPE_WHOLE, "whole");
    is_bytes(recipients.s, recipients.len, "joe@at.test\0cid@d.test", 23, "with_its_recipients");
    for (size_t cut = 0; cut < sizeof envelope; cut++) {
        sender.len = recipients.len = 0;
        failures += inject_queue_parse(envelope, cut, "at.test", &sender, &recipients) != INJECT_ENVELOPE_CUT;
    }
    is_number(failures, 0, "every_cut_is_seen");
    stralloc_free(&sender);
    stralloc_free(&recipients);
}

static void test_spill(void)
{
    enum { PIECE = 1000, PIECES = 200 };
    char piece[PIECE], back[PIECE];
    unsigned failures = 0;
    struct spill spill;
    spill_init(&spill);
    for (int i = 0; i < PIECES; i++) {
        memset(piece, i, sizeof piece);
        failures += spill_add(&spill, piece, sizeof piece) != 0;
    }
    for (int i = 0; i < PIECES; i++) {
        memset(piece, i, sizeof piece);
        failures += spill_read(&spill, (uint64_t)i * PIECE, back, PIECE) != PIECE || memcmp(piece, back, PIECE) != 0;
    }
    is_number(failures, 0, "what_is_spilled_comes_back");
    ok(spill.fd >= 0 && spill.memory.len <= SPILL_MEMORY + PIECE, "and_does_not_stay_in_memory");
    is_number(spill_read(&spill, PIECE * PIECES, back, PIECE), 0, "it_has_an_end");
    spill_free(&spill);
}

int main(void)
{
    test_lines();
    test_any_header();
    test_recipients();
    test_senders();
    test_envelope();
    test_spill();
    return done();
}
