/* SPDX-License-Identifier: ISC */
/* Messages that wait for their time, 32 bytes each: a heap by due time. An entry holds what the name later/SLOT/ID.TRIES.SITE.WHY
 * says, so a start reads names and no file. Beside it the queue of ids that are to be tried at once. */
#ifndef SEND_WAITING_H
#define SEND_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/msgid.h"
#include "lib/spoolfile.h"

enum { ID_PACKED = 14 }; /* 22 characters of 5 bits */
struct packed_id {
    unsigned char bytes[ID_PACKED];
};
struct packed_id id_pack(const char *id);
void id_unpack(const struct packed_id *packed, char out[MSGID_LEN + 1]);

enum waiting_site { SITE_LOCAL, SITE_SEVERAL, SITE_ONE, SITE_NONE };
enum waiting_flags {
    WAITING_SITE = 3,   /* bits: enum waiting_site */
    WAITING_NOW = 4,    /* an operator, or a clock that was set back, wants it tried now, whatever its slot says */
    WAITING_IN_CUR = 8, /* it could not be moved to later/: the file is cur/ID */
    WAITING_FAIL = 16   /* an operator gave it up: what still waits fails */
};
struct waiting {
    struct packed_id id;
    uint16_t tries;
    uint32_t minute; /* SLOT / 60 */
    uint32_t number; /* of the log, 0: none yet in this run */
    uint32_t site;   /* SITE_ONE: CRC-32C of the domain */
    uint8_t why;     /* enum why */
    uint8_t flags;
};
_Static_assert(sizeof(struct waiting) == 32, "a waiting message costs 32 bytes");

struct waiting_list {
    struct waiting *heap;
    size_t n, room;
};
void waiting_add(struct waiting_list *list, const struct waiting *entry);
/* The next one with SLOT <= now_s, or wanted now. */
bool waiting_take_due(struct waiting_list *list, uint64_t now_s, struct waiting *out);
/* When the next one is due; UINT64_MAX: none waits. */
uint64_t waiting_next_due(const struct waiting_list *list);
/* Makes due what `wants` says; how many. */
size_t waiting_hurry(struct waiting_list *list, bool (*wants)(const void *ctx, const struct waiting *entry), const void *ctx);
/* The clock was set back: what lies further ahead than any delay can is due (spool(5)). */
size_t waiting_heal_clock(struct waiting_list *list, uint64_t now_s, uint64_t longest);
/* Takes out entries for which `wants` says so (and which it has dealt with itself). */
size_t waiting_remove(struct waiting_list *list, bool (*wants)(void *ctx, const struct waiting *entry), void *ctx);
/* Name in later/SLOT/, and back. False: not a name of that folder. A word that this program does not know becomes WHY_UNKNOWN. */
void waiting_name(const struct waiting *entry, struct spoolfile_later *out);
bool waiting_from_name(const char *name, uint64_t slot, struct waiting *out);

/* First in, first out. */
struct id_queue {
    struct packed_id *ids;
    size_t first, n, room;
};
void id_queue_put(struct id_queue *queue, const char *id);
bool id_queue_take(struct id_queue *queue, char out[MSGID_LEN + 1]);
/* In order of time, as ids are. */
void id_queue_sort(struct id_queue *queue);

#endif
