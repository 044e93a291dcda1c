/* SPDX-License-Identifier: ISC */
/* Modified UTF-7 (RFC 3501 5.1.3) and UTF-8. Both append, and leave `out` as it was where they return false. */
#ifndef IMAPD_UTF7_H
#define IMAPD_UTF7_H

#include <stdbool.h>
#include <stddef.h>
#include <skalibs/stralloc.h>

/* False: no UTF-8. */
bool utf7_from_utf8(const char *bytes, size_t n, stralloc *out);
/* False: no modified UTF-7, or not what utf7_from_utf8 would make. */
bool utf7_to_utf8(const char *bytes, size_t n, stralloc *out);

#endif
