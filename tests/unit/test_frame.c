/* SPDX-License-Identifier: ISC */
/* Frames, fields and verdicts: the examples of the contract, every cut, every malformed form. */
#include <string.h>
#include "tests/tap.h"
#include "lib/frame.h"
#include "lib/str.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static enum frame_result parse(const char *bytes, size_t n)
{
    struct frame frame;
    size_t used;
    return frame_parse(bytes, n, &frame, &used);
}

static void test_refusals(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum frame_result want;
        const char *name;
    } rows[] = {
        {BYTES(""), FRAME_MORE, "empty_input_wants_more"},
        {BYTES("6"), FRAME_MORE, "digit_wants_more"},
        {BYTES("6:QAB"), FRAME_MORE, "payload_wants_more"},
        {BYTES("1:E,"), FRAME_WHOLE, "smallest_frame"},
        {BYTES("0:,"), FRAME_BAD, "refuses_length_zero"},
        {BYTES("01:E,"), FRAME_BAD, "refuses_leading_zero"},
        {BYTES("0"), FRAME_BAD, "refuses_zero_as_early_as_it_can"},
        {BYTES(":E,"), FRAME_BAD, "refuses_missing_length"},
        {BYTES("-1:E,"), FRAME_BAD, "refuses_sign"},
        {BYTES(" 1:E,"), FRAME_BAD, "refuses_blank"},
        {BYTES("1;E,"), FRAME_BAD, "refuses_other_separator"},
        {BYTES("1:E."), FRAME_BAD, "refuses_other_end"},
        {BYTES("65536:"), FRAME_BAD, "refuses_too_long"},
        {BYTES("99999:"), FRAME_BAD, "refuses_five_nines"},
        {BYTES("65535:"), FRAME_MORE, "longest_wants_more"},
        {BYTES("100000:"), FRAME_BAD, "refuses_six_digits"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        is_number(parse(rows[i].bytes, rows[i].n), rows[i].want, rows[i].name);
    }
}

static void test_contract_example(void)
{
    static const char want[] = "74:Qop=rcpt\0sid=4f1c.7\0from=ann@b.test\0to=joe@example.test\0size=2301\0relay=0\0,";
    stralloc out = STRALLOC_ZERO;
    size_t start = frame_begin(&out, 'Q');
    field_put(&out, "op", "rcpt");
    field_put(&out, "sid", "4f1c.7");
    field_put(&out, "from", "ann@b.test");
    field_put(&out, "to", "joe@example.test");
    field_put(&out, "nothing", NULL);
    field_put_number(&out, "size", 2301);
    field_put_number(&out, "relay", 0);
    frame_end(&out, start);
    is_bytes(out.s, out.len, want, sizeof want - 1, "builds_the_contracts_rcpt_call");
    bool waits = true;
    for (size_t n = 0; n < out.len; n++) {
        waits = waits && parse(out.s, n) == FRAME_MORE;
    }
    ok(waits, "every_cut_wants_more");
    struct frame frame;
    struct fields fields;
    size_t used = 0;
    uint64_t size = 0;
    ok(frame_parse(out.s, out.len, &frame, &used) == FRAME_WHOLE && used == out.len && frame.type == 'Q', "parses_its_own_bytes");
    ok(fields_parse(frame.payload, frame.len, &fields) && fields.n == 6, "finds_six_fields");
    is(fields_get(&fields, "to"), "joe@example.test", "gets_a_value");
    ok(fields_get(&fields, "tos") == NULL && fields_get(&fields, "t") == NULL, "key_must_be_equal");
    ok(fields_get_number(&fields, "size", 10000, &size) && size == 2301, "gets_a_number");
    ok(!fields_get_number(&fields, "size", 2300, &size), "number_over_its_maximum");
    ok(!fields_get_number(&fields, "from", 10000, &size), "text_is_no_number");
}

static void test_longest_frame(void)
{
    stralloc out = STRALLOC_ZERO;
    static char payload[FRAME_LEN_MAX - 1];
    memset(payload, 'm', sizeof payload);
    frame_put(&out, 'M', payload, sizeof payload);
    struct frame frame;
    size_t used = 0;
    ok(frame_parse(out.s, out.len, &frame, &used) == FRAME_WHOLE && frame.len == sizeof payload && used == FRAME_BYTES_MAX,
       "longest_frame");
}

static void test_fields(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool want;
        const char *name;
    } rows[] = {
        {BYTES(""), true, "no_fields"},
        {BYTES("a=\0"), true, "empty_value"},
        {BYTES("a=b=c\0"), true, "equals_in_the_value"},
        {BYTES("a-1=x\0b=y\0"), true, "two_keys"},
        {BYTES("a=x"), false, "refuses_missing_nul"},
        {BYTES("a\0"), false, "refuses_missing_equals"},
        {BYTES("=x\0"), false, "refuses_empty_key"},
        {BYTES("A=x\0"), false, "refuses_upper_case_key"},
        {BYTES("a_b=x\0"), false, "refuses_underscore"},
        {BYTES("abcdefghijklmnop=x\0"), true, "key_of_sixteen"},
        {BYTES("abcdefghijklmnopq=x\0"), false, "refuses_key_of_seventeen"},
        {BYTES("a=x\0a=y\0"), false, "refuses_a_key_twice"},
        {BYTES("\0"), false, "refuses_an_empty_record"},
    };
    struct fields fields;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ok(fields_parse(rows[i].bytes, rows[i].n, &fields) == rows[i].want, rows[i].name);
    }
    static char big[FIELD_VALUE_MAX + 3] = "v=";
    memset(big + 2, 'x', FIELD_VALUE_MAX);
    ok(fields_parse(big, sizeof big, &fields), "value_of_4096");
    static char bigger[FIELD_VALUE_MAX + 4] = "v=";
    memset(bigger + 2, 'x', FIELD_VALUE_MAX + 1);
    ok(!fields_parse(bigger, sizeof bigger, &fields), "refuses_value_of_4097");
    stralloc many = STRALLOC_ZERO;
    for (unsigned i = 0; i <= FIELDS_MAX; i++) {
        str_catf(&many, "k%u=", i);
        str_catc(&many, '\0');
    }
    ok(!fields_parse(many.s, many.len, &fields), "refuses_forty_one_fields");
    static const char *const known[] = {"op", "sid", NULL};
    ok(fields_parse(BYTES("op=a\0x-more=b\0"), &fields) && fields_are_known(&fields, known), "x_fields_are_ignored");
    ok(fields_parse(BYTES("op=a\0from=b\0"), &fields) && !fields_are_known(&fields, known), "unknown_field_is_seen");
    ok(fields_parse(BYTES("x-=b\0"), &fields) && !fields_are_known(&fields, known), "x_without_a_name_is_unknown");
}

static void test_verdicts(void)
{
    static const char final_verdict[] = "28:K2.1.5 mailbox\0kind=mailbox\0,";
    static const char numbered[] = "60:P0\0K2.1.5 delivered\0where=domains/example.test/joe/Maildir/\0,";
    stralloc out = STRALLOC_ZERO;
    size_t start = verdict_begin(&out, 'K', "2.1.5 mailbox");
    field_put(&out, "kind", "mailbox");
    frame_end(&out, start);
    is_bytes(out.s, out.len, final_verdict, sizeof final_verdict - 1, "builds_the_contracts_verdict");
    out.len = 0;
    start = verdict_begin_numbered(&out, 0, 'K', "2.1.5 delivered");
    field_put(&out, "where", "domains/example.test/joe/Maildir/");
    frame_end(&out, start);
    is_bytes(out.s, out.len, numbered, sizeof numbered - 1, "builds_the_contracts_numbered_verdict");
    struct verdict verdict;
    uint64_t number = 9;
    ok(verdict_parse_numbered(out.s + 4, out.len - 5, &number, &verdict) && number == 0, "parses_a_numbered_verdict");
    is(verdict.text, "2.1.5 delivered", "keeps_the_text");
    ok(!verdict_parse('X', BYTES("text\0"), &verdict), "refuses_an_unknown_letter");
    ok(!verdict_parse('K', BYTES("text"), &verdict), "refuses_text_without_nul");
    ok(!verdict_parse_numbered(BYTES("0\0"), &number, &verdict), "refuses_a_number_alone");
    ok(!verdict_parse_numbered(BYTES("x\0Kt\0"), &number, &verdict), "refuses_a_wrong_number");
}

int main(void)
{
    test_refusals();
    test_contract_example();
    test_longest_frame();
    test_fields();
    test_verdicts();
    return done();
}
