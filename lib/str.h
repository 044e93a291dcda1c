/* SPDX-License-Identifier: ISC */
/* Byte strings: skalibs' stralloc, with verbs that die (111) when memory ends.
 * `len` never counts a NUL; str_text() puts one behind. Reuse with len = 0. */
#ifndef STR_H
#define STR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

void str_copy(stralloc *s, const char *bytes, size_t n);
void str_copys(stralloc *s, const char *text);
void str_cat(stralloc *s, const char *bytes, size_t n);
void str_cats(stralloc *s, const char *text);
void str_catc(stralloc *s, char c);
void str_catn(stralloc *s, uint64_t n); /* decimal */
void str_catf(stralloc *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The bytes s->s[at..at + n) once more. */
void str_repeat(stralloc *s, size_t at, size_t n);
/* Room for n more bytes; returns where they go (the caller raises len). */
char *str_room(stralloc *s, size_t n);
/* The bytes with a NUL behind (not counted). */
char *str_text(stralloc *s);
/* Appends `bytes` with everything outside 0x20-0x7e as \xHH, for replies and reports. */
void str_cat_printable(stralloc *s, const char *bytes, size_t n);
/* ASCII lower case in place, no locale. */
void str_lower(char *bytes, size_t n);
/* ASCII equality without case, no locale. */
_Bool str_equal_nocase(const char *a, size_t a_len, const char *b, size_t b_len);

/* The only allocation outside stralloc: n * size bytes, zeroed, or death (111). */
void *memory_get(size_t n, size_t size);
/* realloc to n * size bytes, or death (111). */
void *memory_grow(void *old, size_t n, size_t size);

#endif
