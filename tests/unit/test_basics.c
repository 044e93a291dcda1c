/* SPDX-License-Identifier: ISC */
/* The small modules of lib: str, scan, clock, date, crc32c, msgid, why. */
#include <stdlib.h>
#include <string.h>
#include "tests/tap.h"
#include "lib/clock.h"
#include "lib/crc32c.h"
#include "lib/date.h"
#include "lib/msgid.h"
#include "lib/scan.h"
#include "lib/str.h"
#include "lib/why.h"

static void test_scan(void)
{
    uint64_t n = 7;
    int64_t s = 7;
    ok(scan_decimal_text("0", 10, &n) && n == 0, "zero");
    ok(scan_decimal_text("18446744073709551615", UINT64_MAX, &n) && n == UINT64_MAX, "largest_uint64");
    n = 7;
    ok(!scan_decimal_text("18446744073709551616", UINT64_MAX, &n) && n == 7, "overflow_stores_nothing");
    ok(!scan_decimal_text("", 10, &n) && !scan_decimal_text(" 1", 10, &n) && !scan_decimal_text("1 ", 10, &n), "only_digits");
    ok(!scan_decimal_text("+1", 10, &n) && !scan_decimal_text("0x1", 10, &n) && !scan_decimal_text("11", 10, &n),
       "no_sign_no_hex_no_more");
    ok(scan_signed("-42", 3, &s) && s == -42 && scan_signed("42", 2, &s) && s == 42, "signed_numbers");
    ok(!scan_signed("-", 1, &s) && !scan_signed("--1", 3, &s), "a_sign_alone_is_no_number");
    ok(scan_hex("fFfFfFfFfFfFfFfF", 16, &n) && n == UINT64_MAX && !scan_hex("g", 1, &n) && !scan_hex("", 0, &n), "hex");
    ok(!scan_hex("00000000000000000", 17, &n), "hex_of_seventeen_digits");
}

static void test_str(void)
{
    stralloc s = STRALLOC_ZERO;
    str_copys(&s, "a");
    str_cats(&s, "bc");
    str_catc(&s, 'd');
    str_catn(&s, 1234567890123U);
    str_catf(&s, "-%s", "e");
    is(str_text(&s), "abcd1234567890123-e", "appends");
    str_catn(&s, 0);
    ok(s.len == 20, "text_does_not_count_its_nul");
    s.len = 0;
    str_cat_printable(&s, "a\r\n\0\xff\\", 6);
    is(str_text(&s), "a\\x0d\\x0a\\x00\\xff\\", "printable");
    ok(str_equal_nocase("AbC", 3, "aBc", 3) && !str_equal_nocase("a", 1, "ab", 2) && !str_equal_nocase("[", 1, "{", 1), "case");
    str_copys(&s, "ÄB");
    str_lower(s.s, s.len);
    is(str_text(&s), "Äb", "lower_case_is_ascii_only");
}

static void test_date(void)
{
    static const struct {
        uint64_t seconds;
        const char *want;
    } rows[] = {
        {0, "1 Jan 1970 00:00:00 -0000"},           {951782400, "29 Feb 2000 00:00:00 -0000"},
        {951868799, "29 Feb 2000 23:59:59 -0000"},  {951868800, "1 Mar 2000 00:00:00 -0000"},
        {1764045395, "25 Nov 2025 04:36:35 -0000"}, {4102444800, "1 Jan 2100 00:00:00 -0000"},
        {4107542400, "1 Mar 2100 00:00:00 -0000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        stralloc s = STRALLOC_ZERO;
        date_append(&s, rows[i].seconds);
        is(str_text(&s), rows[i].want, rows[i].want);
    }
}

static void test_crc(void)
{
    is_number(crc32c(0, "123456789", 9), 0xe3069283, "check_value_of_rfc_3720");
    is_number(crc32c(0, "", 0), 0, "of_nothing");
    unsigned char zeros[32] = {0};
    is_number(crc32c(0, zeros, 32), 0x8a9136aa, "rfc_3720_zeros");
    memset(zeros, 0xff, 32);
    is_number(crc32c(0, zeros, 32), 0x62a8ab43, "rfc_3720_ones");
    bool same = true;
    const char *text = "The quick brown fox jumps over the lazy dog, and once more.";
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        same = same && crc32c(crc32c(0, text, cut), text + cut, strlen(text) - cut) == crc32c(0, text, strlen(text));
    }
    ok(same, "any_cut_gives_the_same_sum");
}

static void test_msgid(void)
{
    char id[MSGID_LEN + 1], other[MSGID_LEN + 1];
    msgid_make(1764045395123456U, id);
    msgid_make(1764045395123456U, other);
    ok(msgid_is_valid(id, strlen(id)), "an_id_is_valid");
    ok(msgid_time_us(id) == 1764045395123456U, "the_time_comes_back");
    ok(strcmp(id, other) != 0 && memcmp(id, other, MSGID_RANDOM_AT) == 0, "equal_clock_other_id");
    ok(!msgid_is_valid(id, 21) && !msgid_is_valid("1h5r2k0p9v3m8a4c6e7g0w", 22) && !msgid_is_valid("../5r2k0p9v3m8a4c6e7g0", 22),
       "foreign_names");
    msgid_make(1764045395123457U, other);
    ok(strcmp(id, other) < 0, "ids_sort_by_time");
}

static void test_clock_and_why(void)
{
    ok(clock_poll_timeout(0) == -1, "no_deadline_waits_for_ever");
    ok(clock_poll_timeout(1) == 0, "a_passed_deadline_does_not_wait");
    ok(clock_poll_timeout(clock_monotonic_ms() + 5000) > 0, "a_coming_deadline_waits");
    bool all = true;
    for (int w = WHY_NONE; w < WHY_UNKNOWN; w++) {
        all = all && why_from_word(why_word((enum why)w)) == (enum why)w;
    }
    ok(all, "every_why_word_comes_back");
    ok(why_from_word("nonsense") == WHY_UNKNOWN && why_from_word(NULL) == WHY_NONE, "foreign_words");
}

int main(void)
{
    test_scan();
    test_str();
    test_date();
    test_crc();
    test_msgid();
    test_clock_and_why();
    return done();
}
