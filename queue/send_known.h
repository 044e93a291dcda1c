/* SPDX-License-Identifier: ISC */
/* Answers of rcptd that are less than a second old: many mails to few mailboxes need not ask for each. Only K for a folder of
 * ours is kept, so a new mailbox is seen at once and a change within the second that every change may take (DESIGN, Conventions).
 */
#ifndef SEND_KNOWN_H
#define SEND_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

enum { KNOWN_SLOTS = 1024, KNOWN_MS = 1000 };
struct known {
    stralloc address;
    stralloc fields; /* the part of the R frame that comes from rcptd */
    uint64_t until_ms;
};
/* The fields for this address, or NULL. known: KNOWN_SLOTS of them. */
const stralloc *known_find(const struct known *known, const stralloc *address, uint64_t now_ms);
void known_put(struct known *known, const stralloc *address, const char *fields, size_t n, uint64_t now_ms);

#endif
