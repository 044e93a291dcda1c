/* SPDX-License-Identifier: ISC */
/* The data of lib/casefold: sorted, for binary search. */
#ifndef CASEFOLD_TABLE_H
#define CASEFOLD_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* first, first + stride, … last become themselves plus step. */
struct casefold_range {
    uint32_t first, last;
    int32_t step;
    uint32_t stride;
};
extern const struct casefold_range casefold_ranges[];
extern const size_t casefold_ranges_n;

/* A character and the one or two (0: none) it is made of, which may be made of others. */
struct casefold_pair {
    uint16_t from, first, second;
};
extern const struct casefold_pair casefold_pairs[];
extern const size_t casefold_pairs_n;

#endif
