/* SPDX-License-Identifier: ISC */
/* Dates that others wrote, token by token: words, numbers and single bytes; white space and comments between them do not count.
 */
#include "date.h"
#include "header_lexer.h"
#include "str.h"

#include <string.h>

struct date {
    int64_t year;
    unsigned month, day, hour, minute, second; /* month from 1 */
    int zone;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_at(const struct lexer *lexer, char c)
{
    return lexer->p < lexer->end && *lexer->p == c;
}

static void skip(struct lexer *lexer, const char *bytes)
{
    (void)lexer_skip_space(lexer);
    while (lexer->p < lexer->end && *lexer->p != '\0' && strchr(bytes, *lexer->p) != NULL) {
        lexer->p++;
        (void)lexer_skip_space(lexer);
    }
}

/* At most 9 digits; *digits_out: how many. */
static bool read_number(struct lexer *lexer, unsigned *out, unsigned *digits_out)
{
    unsigned number = 0;
    unsigned digits = 0;
    while (lexer->p < lexer->end && is_digit(*lexer->p) && digits < 9) {
        number = number * 10 + (unsigned)(*lexer->p++ - '0');
        digits++;
    }
    *out = number;
    *digits_out = digits;
    return digits > 0;
}

/* Letters; returns how many stand at *out. */
static size_t read_word(struct lexer *lexer, const char **out)
{
    *out = lexer->p;
    while (lexer->p < lexer->end && is_letter(*lexer->p)) {
        lexer->p++;
    }
    return (size_t)(lexer->p - *out);
}

/* From 1, by the first three letters; 0: no month. */
static unsigned month_of(const char *word, size_t n)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (unsigned i = 0; n >= 3 && i < 12; i++) {
        if (str_equal_nocase(word, 3, names + (size_t)3 * i, 3)) {
            return i + 1;
        }
    }
    return 0;
}

static bool read_year(struct lexer *lexer, int64_t *out)
{
    unsigned year;
    unsigned digits;
    if (!read_number(lexer, &year, &digits)) {
        return false;
    }
    if (digits == 2) {
        year += year < 50 ? 2000 : 1900;
    } else if (digits == 3) {
        year += 1900;
    }
    *out = year;
    return year <= 9999;
}

/* hour ":" minute [":" second]; some write dots. */
static bool read_time(struct lexer *lexer, struct date *date)
{
    unsigned digits;
    if (!read_number(lexer, &date->hour, &digits)) {
        return false;
    }
    skip(lexer, ":.");
    if (!read_number(lexer, &date->minute, &digits)) {
        return false;
    }
    (void)lexer_skip_space(lexer);
    if (is_at(lexer, ':') || is_at(lexer, '.')) {
        skip(lexer, ":.");
        if (!read_number(lexer, &date->second, &digits)) {
            return false;
        }
    }
    return date->hour < 24 && date->minute < 60 && date->second <= 60;
}

/* Names of zones that RFC 5322 knows; the others mean UTC, as it says. */
static int zone_of(const char *word, size_t n)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        if (str_equal_nocase(word, n, zones[i].name, 3)) {
            return zones[i].hours * 60;
        }
    }
    return 0;
}

static void read_zone(struct lexer *lexer, struct date *date)
{
    (void)lexer_skip_space(lexer);
    if (is_at(lexer, '+') || is_at(lexer, '-')) {
        int sign = *lexer->p++ == '-' ? -1 : 1;
        unsigned number;
        unsigned digits;
        unsigned minutes = 0;
        if (!read_number(lexer, &number, &digits)) {
            return;
        }
        if (digits == 2 && is_at(lexer, ':')) {
            lexer->p++;
            (void)read_number(lexer, &minutes, &digits);
            number = number * 100 + minutes;
        }
        if (number % 100 < 60 && number <= 2359) {
            date->zone = sign * (int)(number / 100 * 60 + number % 100);
        }
        return;
    }
    const char *word;
    size_t n = read_word(lexer, &word);
    date->zone = zone_of(word, n);
}

/* Month, day, time, year: what is left of a line of ctime(3). */
static bool read_month_first(struct lexer *lexer, struct date *date)
{
    unsigned digits;
    skip(lexer, "-");
    if (!read_number(lexer, &date->day, &digits)) {
        return false;
    }
    skip(lexer, ",");
    struct lexer at = *lexer;
    if (read_time(&at, date)) {
        *lexer = at;
        (void)lexer_skip_space(lexer);
        return read_year(lexer, &date->year);
    }
    date->hour = date->minute = date->second = 0;
    if (!read_year(lexer, &date->year)) {
        return false;
    }
    (void)lexer_skip_space(lexer);
    return lexer->p == lexer->end || !is_digit(*lexer->p) || read_time(lexer, date);
}

static bool read_day_first(struct lexer *lexer, struct date *date)
{
    unsigned digits;
    const char *word;
    if (!read_number(lexer, &date->day, &digits)) {
        return false;
    }
    skip(lexer, "-");
    size_t n = read_word(lexer, &word);
    date->month = month_of(word, n);
    skip(lexer, "-.");
    if (date->month == 0 || !read_year(lexer, &date->year)) {
        return false;
    }
    (void)lexer_skip_space(lexer);
    return lexer->p == lexer->end || !is_digit(*lexer->p) || read_time(lexer, date);
}

/* Of the day of the civil calendar; see date.c. */
static int64_t days_since_1970(const struct date *date)
{
    int64_t year = date->year - (date->month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month = date->month > 2 ? date->month - 3 : date->month + 9;
    int64_t day_of_year = (153 * month + 2) / 5 + date->day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool is_day(const struct date *date)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (date->year % 4 == 0 && date->year % 100 != 0) || date->year % 400 == 0;
    return date->day >= 1 && date->day <= days[date->month - 1] + (unsigned)(is_leap && date->month == 2);
}

bool date_parse(const char *bytes, size_t n, int64_t *seconds_out, int *zone_out)
{
    struct lexer lexer;
    struct date date = {.year = 0};
    const char *word;
    lexer_start(&lexer, bytes, n, NULL);
    skip(&lexer, ",");
    size_t word_len = read_word(&lexer, &word);
    date.month = month_of(word, word_len);
    if (word_len > 0 && date.month == 0) { /* a day's name */
        skip(&lexer, ",.");
        struct lexer at = lexer;
        word_len = read_word(&at, &word);
        date.month = month_of(word, word_len);
        lexer = date.month != 0 ? at : lexer;
    }
    bool is_read = date.month != 0 ? read_month_first(&lexer, &date) : read_day_first(&lexer, &date);
    if (!is_read || !is_day(&date)) {
        return false;
    }
    read_zone(&lexer, &date);
    unsigned second = date.second < 60 ? date.second : 59; /* a leap second belongs to its own day */
    int64_t clock = (int64_t)date.hour * 3600 + (int64_t)date.minute * 60 + second;
    *seconds_out = days_since_1970(&date) * 86400 + clock - (int64_t)date.zone * 60;
    *zone_out = date.zone;
    return true;
}
