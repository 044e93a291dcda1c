/* SPDX-License-Identifier: ISC */
/* Folding, with two tables that are searched for what is not ASCII. */
#include "casefold.h"
#include "casefold_table.h"
#include "str.h"
#include "utf8.h"

enum { PARTS_MAX = 8 }; /* characters that one is made of: 4 in fact */

uint32_t casefold_char(uint32_t c)
{
    size_t low = 0;
    size_t high = casefold_ranges_n;
    if (c < 0x80) {
        return c >= 'a' && c <= 'z' ? c - 32 : c;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct casefold_range *range = &casefold_ranges[middle];
        if (c > range->last) {
            low = middle + 1;
        } else if (c < range->first) {
            high = middle;
        } else {
            return (c - range->first) % range->stride == 0 ? (uint32_t)((int32_t)c + range->step) : c;
        }
    }
    return c;
}

static const struct casefold_pair *find_pair(uint32_t c)
{
    size_t low = 0;
    size_t high = casefold_pairs_n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (casefold_pairs[middle].from == c) {
            return &casefold_pairs[middle];
        }
        if (casefold_pairs[middle].from < c) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* Writes c in its parts, the base first. */
static size_t decompose(uint32_t c, char *out)
{
    uint32_t marks[PARTS_MAX];
    size_t marks_n = 0;
    size_t len = 0;
    const struct casefold_pair *pair;
    while ((pair = find_pair(c)) != NULL && marks_n < PARTS_MAX) {
        c = pair->first;
        if (pair->second != 0) {
            marks[marks_n++] = pair->second;
        }
    }
    len = utf8_encode(casefold_char(c), out);
    while (marks_n > 0) {
        len += utf8_encode(marks[--marks_n], out + len);
    }
    return len;
}

static size_t fold(uint32_t c, char *out)
{
    if (c >= 0xff01 && c <= 0xff5e) { /* wide ASCII */
        c = c - 0xff01 + 0x21;
    }
    return decompose(casefold_char(c), out);
}

void casefold_append(stralloc *out, const char *bytes, size_t n)
{
    if (n == 0) {
        return; /* bytes may be NULL */
    }
    const char *p = bytes;
    const char *end = bytes + n;
    char *to = str_room(out, 3 * n + 16); /* a character grows to three times its bytes at most */
    char *start = to;
    while (p < end) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x80) {
            *to++ = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
            p++;
            continue;
        }
        uint32_t character;
        size_t len = utf8_decode(p, (size_t)(end - p), &character);
        if (len == 0) {
            *to++ = *p++;
        } else {
            to += fold(character, to);
            p += len;
        }
    }
    out->len += (size_t)(to - start);
}
