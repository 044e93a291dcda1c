/* SPDX-License-Identifier: ISC */
/* Open addressing, half full at most. */
#include "imapd/namehash.h"

#include <stdlib.h>
#include <string.h>

#include "lib/crc32c.h"
#include "lib/str.h"

void namehash_init(struct namehash *hash, uint32_t n, const char *(*name_of)(const void *, uint32_t, size_t *), const void *ctx)
{
    uint32_t slots = 16;
    while (slots / 2 < n && slots < (1U << 30)) {
        slots *= 2;
    }
    *hash = (struct namehash){.mask = slots - 1, .name_of = name_of, .ctx = ctx};
    hash->slot = memory_get(slots, sizeof *hash->slot);
    memset(hash->slot, 0xff, slots * sizeof *hash->slot);
}

static struct namehash_slot *find_slot(const struct namehash *hash, uint32_t sum, const char *name, size_t len)
{
    for (uint32_t i = sum & hash->mask;; i = (i + 1) & hash->mask) {
        struct namehash_slot *slot = &hash->slot[i];
        if (slot->value == NAMEHASH_NONE) {
            return slot;
        }
        if (slot->hash == sum) {
            size_t other_len;
            const char *other = hash->name_of(hash->ctx, slot->value, &other_len);
            if (other_len == len && memcmp(other, name, len) == 0) {
                return slot;
            }
        }
    }
}

bool namehash_put(struct namehash *hash, const char *name, size_t len, uint32_t value)
{
    uint32_t sum = crc32c(0, name, len);
    struct namehash_slot *slot = find_slot(hash, sum, name, len);
    bool was_there = slot->value != NAMEHASH_NONE;
    hash->n += !was_there;
    *slot = (struct namehash_slot){.hash = sum, .value = value};
    return was_there;
}

uint32_t namehash_find(const struct namehash *hash, const char *name, size_t len)
{
    return hash->n == 0 ? NAMEHASH_NONE : find_slot(hash, crc32c(0, name, len), name, len)->value;
}

void namehash_free(struct namehash *hash)
{
    free(hash->slot);
    hash->slot = NULL;
}
