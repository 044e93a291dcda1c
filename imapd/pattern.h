/* SPDX-License-Identifier: ISC */
/* LIST's wildcards (RFC 3501 6.3.8): `*` everything, `%` everything but the separator. INBOX matches without case. */
#ifndef IMAPD_PATTERN_H
#define IMAPD_PATTERN_H

#include "imapd/parse.h"

enum { PATTERN_MAX = 1000 };
/* Time is bounded by the product of both lengths. A pattern over PATTERN_MAX matches nothing. */
bool pattern_matches(struct slice pattern, struct slice name, char separator);

#endif
