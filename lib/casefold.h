/* SPDX-License-Identifier: ISC */
/* Case folding of UTF-8 for searching and sorting: Unicode's simple folding (CaseFolding.txt, C and S), one character for one.
 * Pure and total: bytes that are no UTF-8 go through unchanged. */
#ifndef CASEFOLD_H
#define CASEFOLD_H

#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

uint32_t casefold_char(uint32_t c);
void casefold_append(stralloc *out, const char *bytes, size_t n);

#endif
