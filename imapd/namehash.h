/* SPDX-License-Identifier: ISC */
/* From a base name to a number, for the length of one scan. The names stay where they are. */
#ifndef IMAPD_NAMEHASH_H
#define IMAPD_NAMEHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAMEHASH_NONE = 0xffffffff };
struct namehash_slot {
    uint32_t hash, value;
};
struct namehash {
    struct namehash_slot *slot;
    uint32_t mask, n;
    /* The name behind a value. */
    const char *(*name_of)(const void *ctx, uint32_t value, size_t *len_out);
    const void *ctx;
};
/* Room for n names. */
void namehash_init(struct namehash *hash, uint32_t n, const char *(*name_of)(const void *, uint32_t, size_t *), const void *ctx);
/* A name that is there already gets the new value; true. */
bool namehash_put(struct namehash *hash, const char *name, size_t len, uint32_t value);
/* NAMEHASH_NONE: not there. */
uint32_t namehash_find(const struct namehash *hash, const char *name, size_t len);
void namehash_free(struct namehash *hash);

#endif
