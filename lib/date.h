/* SPDX-License-Identifier: ISC */
/* RFC 5322 dates, without locale and time zone data. */
#ifndef DATE_H
#define DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

enum { DATE_LEN = 32 };
/* Appends the date of `seconds` since 1970 as qmail writes it, in UTC: `25 Nov 2026 04:36:35 -0000`. */
void date_append(stralloc *out, uint64_t seconds);

/* Reads a Date field (RFC 5322 3.3 with its obsolete forms): [day-name] day month year [time [zone]], also `Nov 25 10:11:12
 * 2026`; comments anywhere. *seconds_out: since 1970, in UTC; *zone_out: minutes east of it (0: none, or one that is not known).
 * Seconds plus 60 * zone is the sender's wall clock. False: it is no date, or no day of the calendar. */
bool date_parse(const char *bytes, size_t n, int64_t *seconds_out, int *zone_out);

#endif
