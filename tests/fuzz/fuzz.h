/* SPDX-License-Identifier: ISC */
/* What the fuzz targets share. Each feeds one pure parser with any bytes and asserts what must hold for every answer: slices lie
 * in the input, what was taken can be written again and read back the same, cutting the input elsewhere changes nothing. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define require(condition) fuzz_require(condition, #condition, __FILE__, __LINE__)

static inline void fuzz_require(bool is_good, const char *condition, const char *file, int line)
{
    if (!is_good) {
        fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
        abort();
    }
}

/* The bytes in memory of exactly their size, so that a read beyond them is seen. */
static inline char *fuzz_copy(const uint8_t *data, size_t n)
{
    char *copy = malloc(n > 0 ? n : 1);
    require(copy != NULL);
    if (n > 0) {
        memcpy(copy, data, n);
    }
    return copy;
}

static inline bool fuzz_lies_in(const char *part, size_t len, const char *all, size_t n)
{
    return part >= all && part <= all + n && len <= (size_t)(all + n - part);
}

static inline bool fuzz_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

#endif
