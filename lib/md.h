/* SPDX-License-Identifier: ISC */
/* Short names for long bytes. Not for passwords. */
#ifndef MD_H
#define MD_H

#include <stddef.h>

enum { MD_HEX32 = 32 };
/* The first 32 lower-case hex digits of SHA-256, NUL behind. Clients keep them (UIDLs): the rule can never change. */
void md_hex32(const char *bytes, size_t n, char out[MD_HEX32 + 1]);

#endif
