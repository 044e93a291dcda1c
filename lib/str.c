/* SPDX-License-Identifier: ISC */
/* stralloc with death instead of a return code, and the ASCII case functions that no locale may change. */
#include "str.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "die.h"

char *str_room(stralloc *s, size_t n)
{
    size_t wanted;
    bool is_too_long = __builtin_add_overflow(s->len, n, &wanted);
    bool has_room = !is_too_long && s->s != NULL && wanted <= s->a;
    if (!has_room && (is_too_long || !stralloc_ready(s, wanted))) {
        die_temporary("out of memory");
    }
    return s->s + s->len;
}

void str_cat(stralloc *s, const char *bytes, size_t n)
{
    char *to = str_room(s, n);
    if (n > 0) {
        memcpy(to, bytes, n);
    }
    s->len += n;
}

void str_repeat(stralloc *s, size_t at, size_t n)
{
    char *to = str_room(s, n + 1);
    memcpy(to, s->s + at, n);
    s->len += n;
}

void str_copy(stralloc *s, const char *bytes, size_t n)
{
    s->len = 0;
    str_cat(s, bytes, n);
}

void str_copys(stralloc *s, const char *text)
{
    str_copy(s, text, strlen(text));
}

void str_cats(stralloc *s, const char *text)
{
    str_cat(s, text, strlen(text));
}

void str_catc(stralloc *s, char c)
{
    *str_room(s, 1) = c;
    s->len++;
}

void str_catn(stralloc *s, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    str_cat(s, digits + at, sizeof digits - at);
}

void str_catf(stralloc *s, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        die_bug("format %s", format);
    }
    char *to = str_room(s, (size_t)n + 1);
    vsnprintf(to, (size_t)n + 1, format, again);
    va_end(again);
    s->len += (size_t)n;
}

char *str_text(stralloc *s)
{
    *str_room(s, 1) = '\0';
    return s->s;
}

void str_cat_printable(stralloc *s, const char *bytes, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x20 && c <= 0x7e) {
            str_catc(s, (char)c);
            continue;
        }
        char escaped[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
        str_cat(s, escaped, sizeof escaped);
    }
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

void str_lower(char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bytes[i] = lower(bytes[i]);
    }
}

bool str_equal_nocase(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len != b_len) {
        return false;
    }
    for (size_t i = 0; i < a_len; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

void *memory_get(size_t n, size_t size)
{
    void *memory = calloc(n > 0 ? n : 1, size > 0 ? size : 1);
    if (memory == NULL) {
        die_temporary("out of memory");
    }
    return memory;
}

void *memory_grow(void *old, size_t n, size_t size)
{
    void *memory = reallocarray(old, n > 0 ? n : 1, size > 0 ? size : 1);
    if (memory == NULL) {
        die_temporary("out of memory");
    }
    return memory;
}
