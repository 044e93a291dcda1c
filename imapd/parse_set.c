/* SPDX-License-Identifier: ISC */
/* Sequence sets and dates. */
#include <stdlib.h>
#include <string.h>

#include "imapd/parse.h"
#include "lib/str.h"

enum { RANGES_MAX = 100000, DAY = 86400 };
enum { SET_HIGHEST = 0xfffffffe };

void set_add(struct set *set, uint32_t first, uint32_t last)
{
    if (set->n == set->room) {
        set->room = set->room == 0 ? 16 : 2 * set->room;
        set->range = memory_grow(set->range, set->room, sizeof *set->range);
    }
    set->range[set->n++] = (struct set_range){first, last};
}

void set_clear(struct set *set)
{
    free(set->range);
    *set = (struct set){0};
}

/* Some clients write 4294967295 for "all that come". No message has that UID: up to it is up to the one below. */
static bool parse_set_number(struct parser *parser, uint32_t *out)
{
    if (parse_char(parser, '*')) {
        *out = SET_STAR;
        return true;
    }
    if (!parse_nonzero(parser, out)) {
        return false;
    }
    *out = *out == SET_STAR ? SET_HIGHEST : *out;
    return true;
}

bool parse_set(struct parser *parser, struct set *out)
{
    struct parser before = *parser;
    out->n = 0;
    out->is_saved = parse_char(parser, '$');
    if (out->is_saved) {
        return true;
    }
    do {
        uint32_t first;
        uint32_t last;
        bool is_good = parse_set_number(parser, &first) && out->n < RANGES_MAX;
        last = first;
        if (!is_good || (parse_char(parser, ':') && !parse_set_number(parser, &last))) {
            *parser = before;
            return false;
        }
        set_add(out, first, last);
    } while (parse_char(parser, ','));
    return true;
}

/* Days since 1970-01-01 of a Gregorian date. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (int64_t)(153 * (month + (month > 2 ? -3U : 9U)) + 2) / 5 + (int64_t)day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool is_day(uint32_t year, unsigned month, unsigned day)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day >= 1 && day <= days[month - 1] + (month == 2 && is_leap ? 1U : 0U);
}

static bool parse_month(struct parser *parser, unsigned *out)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (parser->end - parser->at < 3) {
        return false;
    }
    for (unsigned i = 0; i < 12; i++) {
        if (str_equal_nocase(parser->at, 3, months + (size_t)3 * i, 3)) {
            parser->at += 3;
            *out = i + 1;
            return true;
        }
    }
    return false;
}

/* Exactly n digits. */
static bool parse_digits(struct parser *parser, unsigned n, uint32_t *out)
{
    uint32_t number = 0;
    if ((size_t)(parser->end - parser->at) < n) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (parser->at[i] < '0' || parser->at[i] > '9') {
            return false;
        }
        number = number * 10 + (uint32_t)(parser->at[i] - '0');
    }
    parser->at += n;
    *out = number;
    return true;
}

/* D-Mon-YYYY: midnight in seconds. */
static bool parse_day(struct parser *parser, int64_t *out)
{
    uint32_t day;
    uint32_t year;
    unsigned month;
    if (!parse_digits(parser, 2, &day) && !parse_digits(parser, 1, &day)) {
        return false;
    }
    if (!parse_char(parser, '-') || !parse_month(parser, &month) || !parse_char(parser, '-') || !parse_digits(parser, 4, &year) ||
        !is_day(year, month, day)) {
        return false;
    }
    *out = days_of((int64_t)year, month, day) * DAY;
    return true;
}

bool parse_date(struct parser *parser, int64_t *out)
{
    struct parser before = *parser;
    int64_t day;
    bool is_quoted = parse_char(parser, '"');
    if (parse_day(parser, &day) && (!is_quoted || parse_char(parser, '"'))) {
        *out = day;
        return true;
    }
    *parser = before;
    return false;
}

static bool parse_clock(struct parser *parser, int64_t *out)
{
    uint32_t hour;
    uint32_t minute;
    uint32_t second;
    if (!parse_digits(parser, 2, &hour) || !parse_char(parser, ':') || !parse_digits(parser, 2, &minute) ||
        !parse_char(parser, ':') || !parse_digits(parser, 2, &second) || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    *out = (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
    return true;
}

static bool parse_zone(struct parser *parser, int64_t *out)
{
    uint32_t hours;
    uint32_t minutes;
    bool is_west = parse_char(parser, '-');
    if ((!is_west && !parse_char(parser, '+')) || !parse_digits(parser, 2, &hours) || !parse_digits(parser, 2, &minutes) ||
        minutes > 59) {
        return false;
    }
    *out = ((int64_t)hours * 3600 + (int64_t)minutes * 60) * (is_west ? -1 : 1);
    return true;
}

bool parse_date_time(struct parser *parser, int64_t *out)
{
    struct parser before = *parser;
    int64_t day;
    int64_t clock;
    int64_t zone;
    if (parse_char(parser, '"') && (parse_char(parser, ' '), parse_day(parser, &day)) && parse_space(parser) &&
        parse_clock(parser, &clock) && parse_space(parser) && parse_zone(parser, &zone) && parse_char(parser, '"')) {
        *out = day + clock - zone;
        return true;
    }
    *parser = before;
    return false;
}
