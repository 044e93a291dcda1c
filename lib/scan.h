/* SPDX-License-Identifier: ISC */
/* Numbers out of bytes. The whole slice must be the number; nothing is stored on false. */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool scan_decimal(const char *bytes, size_t n, uint64_t max, uint64_t *out); /* 1-20 digits, leading zeros allowed */
bool scan_decimal_text(const char *text, uint64_t max, uint64_t *out);
bool scan_signed(const char *bytes, size_t n, int64_t *out); /* optional '-' */
bool scan_hex(const char *bytes, size_t n, uint64_t *out);   /* 1-16 lower or upper case hex digits */
/* The value of a hex digit of either case; -1: it is none. */
int scan_hex_digit(char c);

#endif
