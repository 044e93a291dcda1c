/* SPDX-License-Identifier: ISC */
/* RFC 5322 dates as qmail writes them, in UTC: `25 Nov 2026 04:36:35 -0000` (no locale, no time zone data). */
#ifndef DATE_H
#define DATE_H

#include <stdint.h>
#include <skalibs/stralloc.h>

enum { DATE_LEN = 32 };
/* Appends the date of `seconds` since 1970. */
void date_append(stralloc *out, uint64_t seconds);

#endif
