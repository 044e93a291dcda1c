/* SPDX-License-Identifier: ISC */
/* Dates without time zone data: days are counted from 1970 (civil-from-days over 400-year eras). */
#include "date.h"
#include "str.h"

void date_append(stralloc *out, uint64_t seconds)
{
    static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint64_t days = seconds / 86400 + 719468; /* since 1 March of year 0 */
    uint64_t era = days / 146097;
    uint64_t day_of_era = days % 146097;
    uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t shifted_month = (5 * day_of_year + 2) / 153; /* 0 is March */
    unsigned day = (unsigned)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    unsigned month = (unsigned)(shifted_month < 10 ? shifted_month + 2 : shifted_month - 10); /* 0 is January */
    uint64_t year = year_of_era + era * 400 + (month <= 1);
    unsigned second = (unsigned)(seconds % 86400);
    str_catf(out, "%u %.3s %llu %02u:%02u:%02u -0000", day, month_names + (size_t)month * 3, (unsigned long long)year,
             second / 3600, second / 60 % 60, second % 60);
}
