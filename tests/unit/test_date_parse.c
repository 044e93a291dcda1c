/* SPDX-License-Identifier: ISC */
/* Dates of mail: RFC 5322's forms, the obsolete ones, and what must not be taken for a date. */
#include "lib/date.h"
#include "lib/str.h"
#include "tests/tap.h"

#include <limits.h>
#include <time.h>

enum { NO_DATE = INT_MIN };

static const struct {
    const char *text;
    long long seconds; /* NO_DATE */
    int zone;
} table[] = {
    {"Wed, 25 Nov 2026 10:11:12 +0100", 1795597872, 60},
    {"25 Nov 2026 10:11 -0500", 1795619460, -300},
    {"Wed,25 Nov 2026 10:11:12+0100", 1795597872, 60},
    {"Wed, 25 Nov 2026 (day) 10:11:12 (x) +0100 (CET)", 1795597872, 60},
    {"Wednesday, 25 November 2026 10:11:12 +0100", 1795597872, 60},
    {"wed, 25 NOV 2026 10:11:12 gmt", 1795601472, 0},
    {"25 Nov 26 10:11:12 EST", 1795619472, -300},
    {"25 Nov 99 10:11:12 PDT", 943549872, -420},
    {"25 Nov 126 10:11:12 Z", 1795601472, 0},
    {"25 Nov 2026 10:11:12", 1795601472, 0},
    {"25 Nov 2026", 1795564800, 0},
    {"25-Nov-2026 10:11:12 +0000", 1795601472, 0},
    {"Wed, 25 Nov 2026 10.11.12 +0000", 1795601472, 0},
    {"Wed Nov 25 10:11:12 2026", 1795601472, 0},
    {"Wed Nov 25 10:11:12 2026 -0500", 1795619472, -300},
    {"Nov 25, 2026 10:11:12", 1795601472, 0},
    {"Nov 25 2026", 1795564800, 0},
    {"Wed, 25 Nov 2026 10:11:12 +05:30", 1795581672, 330},
    {"Wed, 25 Nov 2026 10:11:12 +9999", 1795601472, 0},
    {"Wed, 25 Nov 2026 10:11:12 XYZ", 1795601472, 0},
    {"1 Jan 1970 00:00:00 +0000", 0, 0},
    {"31 Dec 1969 23:59:59 +0000", -1, 0},
    {"29 Feb 2024 23:59:60 +0000", 1709251199, 0},
    {"1 Mar 2000 00:00:00 +0000", 951868800, 0},
    {"1 Jan 0001 00:00:00 +0000", -62135596800, 0},
    {"29 Feb 2023 00:00:00 +0000", NO_DATE, 0},
    {"31 Apr 2023 00:00:00 +0000", NO_DATE, 0},
    {"0 Apr 2023 00:00:00 +0000", NO_DATE, 0},
    {"25 Nov 2026 24:00:00 +0000", NO_DATE, 0},
    {"25 Nov 2026 10:61:00 +0000", NO_DATE, 0},
    {"2026-11-25T10:11:12Z", NO_DATE, 0},
    {"25 Foo 2026 10:11:12", NO_DATE, 0},
    {"99999999999999999999 Nov 2026", NO_DATE, 0},
    {"25 Nov 99999 00:00:00", NO_DATE, 0},
    {"yesterday", NO_DATE, 0},
    {"(Wed, 25 Nov 2026", NO_DATE, 0},
    {"Wed,", NO_DATE, 0},
    {"Nov", NO_DATE, 0},
    {"25", NO_DATE, 0},
    {"25 Nov", NO_DATE, 0},
    {"25 Nov 2026 10", NO_DATE, 0},
    {"", NO_DATE, 0},
};

static void forms(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t seconds = NO_DATE;
        int zone = 0;
        (void)date_parse(table[i].text, strlen(table[i].text), &seconds, &zone);
        bool good = seconds == table[i].seconds && zone == table[i].zone;
        ok(good, table[i].text);
        if (!good) {
            printf("#   got %lld, %d\n", (long long)seconds, zone);
        }
    }
}

/* Every day of 400 years against libc, and back through our own writer. */
static void every_day(void)
{
    stralloc text = STRALLOC_ZERO;
    unsigned wrong = 0;
    for (int64_t day = -25567; day < 120000; day++) {
        time_t when = (time_t)day * 86400 + 3661;
        struct tm tm;
        char date[64];
        int64_t seconds = 0;
        int zone = 1;
        gmtime_r(&when, &tm);
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
        wrong += !date_parse(date, strlen(date), &seconds, &zone) || seconds != when || zone != 0;
        if (day >= 0) {
            text.len = 0;
            date_append(&text, (uint64_t)when);
            wrong += !date_parse(text.s, text.len, &seconds, &zone) || seconds != when;
        }
    }
    is_number(wrong, 0, "every day from 1900 to 2298 is libc's and date_append's");
}

int main(void)
{
    forms();
    every_day();
    return done();
}
