/* SPDX-License-Identifier: ISC */
/* imapd/parse_set: sets of numbers, and dates. */
#include <stdlib.h>
#include <time.h>

#include "imapd/parse.h"
#include "lib/str.h"
#include "tests/tap.h"

/* `1:5,*:* REST`, `$`, or `no`. */
static const char *describe(const char *text, stralloc *out)
{
    size_t n = strlen(text);
    char *exact = malloc(n + 1);
    char *start = exact + 1; /* so that a sanitizer sees a byte too far, also of an empty text */
    memcpy(start, text, n);
    struct parser parser = {start, start + n};
    struct set set = {0};
    out->len = 0;
    if (!parse_set(&parser, &set)) {
        str_cats(out, parser.at == start ? "no" : "no, but it moved");
    } else {
        str_cats(out, set.is_saved ? "$" : "");
        for (uint32_t i = 0; i < set.n; i++) {
            const uint32_t ends[] = {set.range[i].first, set.range[i].last};
            str_cats(out, i > 0 ? "," : "");
            for (unsigned k = 0; k < 2; k++) {
                str_cats(out, k > 0 ? ":" : "");
                str_catf(out, ends[k] == SET_STAR ? "*" : "%u", ends[k]);
            }
        }
        str_catc(out, ' ');
        str_cat_printable(out, parser.at, (size_t)(parser.end - parser.at));
    }
    set_clear(&set);
    free(exact);
    return str_text(out);
}

static void takes_sets(void)
{
    static const char *const rows[][2] = {{"1", "1:1 "},
                                          {"1:5 x", "1:5  x"},
                                          {"5:1", "5:1 "},
                                          {"*", "*:* "},
                                          {"*:3", "*:3 "},
                                          {"3:*,7", "3:*,7:7 "},
                                          {"*:*", "*:* "},
                                          {"1,1,1", "1:1,1:1,1:1 "},
                                          {"9:3,2,4:4", "9:3,2:2,4:4 "},
                                          {"4294967294", "4294967294:4294967294 "},
                                          {"1:4294967295", "1:4294967294 "},
                                          {"4294967295", "4294967294:4294967294 "},
                                          {"$", "$ "},
                                          {"$ x", "$  x"},
                                          {"$,1", "$ ,1"},
                                          {"1:2:3", "1:2 :3"},
                                          {"1 ,2", "1:1  ,2"},
                                          {"1*", "1:1 *"},
                                          {"**", "*:* *"},
                                          {"1x", "1:1 x"},
                                          {"0", "no"},
                                          {"0:5", "no"},
                                          {"5:0", "no"},
                                          {"01", "no"},
                                          {"1:05", "no"},
                                          {"1,0", "no"},
                                          {"1,", "no"},
                                          {",1", "no"},
                                          {"1,,2", "no"},
                                          {"1:", "no"},
                                          {"1:,2", "no"},
                                          {":5", "no"},
                                          {"1,$", "no"},
                                          {"-1", "no"},
                                          {"+1", "no"},
                                          {" 1", "no"},
                                          {"1: 5", "no"},
                                          {"4294967296", "no"},
                                          {"1:4294967296", "no"},
                                          {"99999999999999999999999", "no"},
                                          {"a", "no"},
                                          {"", "no"}};
    stralloc got = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        is(describe(rows[i][0], &got), rows[i][1], rows[i][0]);
    }
    stralloc_free(&got);
}

static void takes_many_elements(void)
{
    enum { MANY = 10000, MOST = 100000 };
    stralloc text = STRALLOC_ZERO;
    struct set set = {0};
    unsigned wrong = 0;
    for (uint32_t i = 1; i <= MANY; i++) {
        str_catf(&text, i == 1 ? "%u" : i % 2 ? ",%u" : ",%u:*", i * 7);
    }
    struct parser parser = {text.s, text.s + text.len};
    ok(parse_set(&parser, &set) && parse_end(&parser), "a_set_of_ten_thousand_elements");
    is_number(set.n, MANY, "all_of_them");
    for (uint32_t i = 1; i <= MANY && set.n == MANY; i++) {
        uint32_t last = i > 1 && i % 2 == 0 ? SET_STAR : i * 7;
        wrong += set.range[i - 1].first != i * 7 || set.range[i - 1].last != last;
    }
    is_number(wrong, 0, "each_as_it_was_written");
    parser.at = text.s;
    ok(parse_set(&parser, &set) && set.n == MANY, "a_set_used_again_begins_anew");
    text.len = 0;
    for (uint32_t i = 0; i <= MOST; i++) {
        str_cats(&text, i == 0 ? "1" : ",1");
    }
    parser = (struct parser){text.s, text.s + text.len - 2};
    ok(parse_set(&parser, &set) && parse_end(&parser), "a_hundred_thousand_are_taken");
    parser = (struct parser){text.s, text.s + text.len};
    ok(!parse_set(&parser, &set) && parser.at == text.s, "one_more_is_refused");
    set_clear(&set);
    ok(set.range == NULL && set.n == 0 && set.room == 0, "clear_leaves_an_empty_set");
    stralloc_free(&text);
}

typedef bool date_parser(struct parser *parser, int64_t *out);

static void dates(date_parser *parse, const char *text, const char *want)
{
    char got[64];
    char bytes[64];
    size_t n = strlen(text);
    int64_t date = 4711;
    memcpy(bytes, text, n);
    struct parser parser = {bytes, bytes + n};
    bool is_good = parse(&parser, &date);
    bool stands = parser.at == bytes && date == 4711;
    (void)snprintf(got, sizeof got,
                   is_good  ? "%lld %.*s"
                   : stands ? "no"
                            : "no, but something moved",
                   (long long)date, (int)(parser.end - parser.at), parser.at);
    is(got, want, text);
}

static void takes_days(void)
{
    dates(parse_date, "1-Jan-1970", "0 ");
    dates(parse_date, "01-jan-1970 x", "0  x");
    dates(parse_date, "\"1-JAN-1970\" x", "0  x");
    dates(parse_date, "31-Dec-1969", "-86400 ");
    dates(parse_date, "29-Feb-2000", "951782400 ");
    dates(parse_date, "29-Feb-2024", "1709164800 ");
    dates(parse_date, "1-Mar-1900", "-2203891200 ");
    dates(parse_date, "31-Dec-9999", "253402214400 ");
    dates(parse_date, "1-Jan-0000", "-62167219200 ");
    dates(parse_date, "29-Feb-1900", "no");
    dates(parse_date, "29-Feb-2026", "no");
    dates(parse_date, "30-Feb-2024", "no");
    dates(parse_date, "31-Apr-2026", "no");
    dates(parse_date, "32-Jan-2026", "no");
    dates(parse_date, "0-Jan-2026", "no");
    dates(parse_date, "00-Jan-2026", "no");
    dates(parse_date, "001-Jan-2026", "no");
    dates(parse_date, " 1-Jan-2026", "no");
    dates(parse_date, "1-Jan-26", "no");
    dates(parse_date, "1-Jan-20261", "1767225600 1");
    dates(parse_date, "1-Foo-2026", "no");
    dates(parse_date, "1-January-2026", "no");
    dates(parse_date, "1-Ja", "no");
    dates(parse_date, "1 Jan 2026", "no");
    dates(parse_date, "1-1-2026", "no");
    dates(parse_date, "\"1-Jan-2026", "no");
    dates(parse_date, "\"1-Jan-2026 x\"", "no");
    dates(parse_date, "-Jan-2026", "no");
    dates(parse_date, "1-Jan-", "no");
    dates(parse_date, "", "no");
    dates(parse_date, "\"", "no");
}

static void takes_moments(void)
{
    dates(parse_date_time, "\" 1-Jan-1970 00:00:00 +0000\" x", "0  x");
    dates(parse_date_time, "\"1-Jan-1970 00:00:00 +0000\"", "0 ");
    dates(parse_date_time, "\"17-Jul-1996 02:44:25 -0700\"", "837596665 ");
    dates(parse_date_time, "\" 1-Feb-2026 12:13:14 +0200\"", "1769940794 ");
    dates(parse_date_time, "\"01-Jan-1970 00:30:00 +0130\"", "-3600 ");
    dates(parse_date_time, "\"31-Dec-2016 23:59:60 +0000\"", "1483228800 ");
    dates(parse_date_time, "\"31-Dec-2016 23:59:61 +0000\"", "no");
    dates(parse_date_time, "\"31-Dec-2016 24:00:00 +0000\"", "no");
    dates(parse_date_time, "\"31-Dec-2016 23:60:00 +0000\"", "no");
    dates(parse_date_time, "\"31-Dec-2016 23:00:00 +0060\"", "no");
    dates(parse_date_time, "\"31-Dec-2016 23:00:00 0000\"", "no");
    dates(parse_date_time, "\"31-Dec-2016 23:00:00 GMT\"", "no");
    dates(parse_date_time, "\"31-Dec-2016 23:00:00 +000\"", "no");
    dates(parse_date_time, "\"31-Dec-2016 23:00:00 +00000\"", "no");
    dates(parse_date_time, "\"31-Dec-2016 23:00:00\"", "no");
    dates(parse_date_time, "\"31-Dec-2016 23:00 +0000\"", "no");
    dates(parse_date_time, "\"31-Dec-2016 3:00:00 +0000\"", "no");
    dates(parse_date_time, "\"31-Dec-2016  23:00:00 +0000\"", "no");
    dates(parse_date_time, "\"30-Feb-2016 23:00:00 +0000\"", "no");
    dates(parse_date_time, "\"  1-Jan-2016 23:00:00 +0000\"", "no");
    dates(parse_date_time, "31-Dec-2016 23:00:00 +0000", "no");
    dates(parse_date_time, "\"31-Dec-2016 23:00:00 +0000", "no");
    dates(parse_date_time, "\"\"", "no");
    dates(parse_date_time, "", "no");
}

/* Every day of four hundred years and more, against the library's calendar. */
static void every_day_of_the_calendar(void)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    unsigned wrong = 0;
    unsigned n = 0;
    for (int year = 1890; year <= 2310; year++) {
        for (int month = 0; month < 12; month++) {
            for (int day = 1; day <= 31; day++) {
                char text[32];
                struct tm tm = {.tm_year = year - 1900, .tm_mon = month, .tm_mday = day};
                int64_t want = (int64_t)timegm(&tm);
                int64_t got = -1;
                int len = snprintf(text, sizeof text, "%d-%s-%04d", day, months[month], year);
                struct parser parser = {text, text + len};
                bool is_day = tm.tm_mon == month;
                wrong += parse_date(&parser, &got) != is_day || (is_day && got != want);
                n++;
            }
        }
    }
    ok(n > 150000 && wrong == 0, "every_day_of_the_calendar_and_no_other");
}

int main(void)
{
    takes_sets();
    takes_many_elements();
    takes_days();
    takes_moments();
    every_day_of_the_calendar();
    return done();
}
