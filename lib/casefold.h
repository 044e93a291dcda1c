/* SPDX-License-Identifier: ISC */
/* UTF-8 as searching and sorting compare it: i;unicode-casemap (RFC 5051), that is title case and then decomposition, so that
 * case and the ways to write an accent do not count, and accented letters sort behind their base. Of decompositions the canonical
 * ones (no ligatures, no Hangul), and wide ASCII. Pure and total: bytes that are no UTF-8 go through unchanged; folding twice
 * changes nothing. */
#ifndef CASEFOLD_H
#define CASEFOLD_H

#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

uint32_t casefold_char(uint32_t c); /* title case alone */
void casefold_append(stralloc *out, const char *bytes, size_t n);

#endif
