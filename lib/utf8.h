/* SPDX-License-Identifier: ISC */
/* UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing above U+10FFFF. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The first character of bytes[0..n): its length, 1 to 4; 0: none is there. */
size_t utf8_decode(const char *bytes, size_t n, uint32_t *out);
/* Writes c (a valid character) to out, room for 4; returns its length. */
size_t utf8_encode(uint32_t c, char *out);

#endif
