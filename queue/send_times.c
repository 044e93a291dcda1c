/* SPDX-License-Identifier: ISC */
/* Integer arithmetic only, so that every table of the tests is exact. */
#include "queue/send_times.h"

enum { SLOT = 60, LONGEST_LEAST = 3600 };

static uint64_t square_root(uint64_t n)
{
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 31; bit > 0; bit >>= 1) {
        if ((root + bit) * (root + bit) <= n) {
            root += bit;
        }
    }
    return root;
}

uint64_t times_next_slot(uint64_t birth, uint64_t now, uint64_t lifetime, unsigned step)
{
    uint64_t age = now > birth ? now - birth : 0;
    uint64_t root = square_root(age) + step;
    uint64_t next = now - age + root * root;
    uint64_t longest = times_longest_delay(lifetime) - SLOT;
    if (age < lifetime && root * root > lifetime) {
        next = now + (lifetime - age);
    }
    if (next > now + longest) {
        next = now + longest;
    }
    next = next <= now ? now + 1 : next;
    return (next + SLOT - 1) / SLOT * SLOT;
}

uint64_t times_longest_delay(uint64_t lifetime)
{
    uint64_t longest =
        (uint64_t)STEP_REMOTE * 2 * square_root(lifetime) + (uint64_t)STEP_REMOTE * STEP_REMOTE + 2 * (uint64_t)SLOT;
    return longest > LONGEST_LEAST ? longest : LONGEST_LEAST;
}

bool times_is_last_try(uint64_t birth, uint64_t now, uint64_t lifetime)
{
    return (now > birth ? now - birth : 0) >= lifetime;
}
