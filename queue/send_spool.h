/* SPDX-License-Identifier: ISC */
/* The folders of the spool and the trigger: every name that send gives or takes. */
#ifndef SEND_SPOOL_H
#define SEND_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "queue/send_waiting.h"

struct spool {
    int tmp, new, cur, later, hold, bad, trigger, lock;
    bool is_cur_dirty; /* names left cur/ that a power cut could bring back */
    bool wants_scan;   /* of new/ */
    uint64_t scanned_ms, synced_ms, cleaned_ms;
    size_t n_hold, n_bad; /* as of the last look */
};
/* Where a message's file lies. */
enum spool_place { PLACE_NEW, PLACE_CUR, PLACE_LATER, PLACE_HOLD };
enum { SPOOL_NAME = 96 };
/* Folder (an open descriptor of the spool's) and name there. */
int spool_where(const struct spool *spool, enum spool_place place, const struct waiting *entry, char name_out[SPOOL_NAME]);
/* The ids in hold/. 0, -1 errno. */
int spool_read_hold(const struct spool *spool, struct id_queue *out);
/* Opens the folders below spool/ (makes its own that are missing) and takes the lock for life. Death (111) where that cannot be;
 * a second send says so. */
void spool_open(struct spool *spool);
/* What lies there at the start: ids of new/ and cur/, names of later/. Oldest first. */
void spool_read(struct spool *spool, struct id_queue *fresh, struct id_queue *again, struct waiting_list *later);
/* Reads what the trigger has into fresh. */
void spool_read_trigger(struct spool *spool, struct id_queue *fresh);
/* Looks through new/ for what the trigger missed. */
void spool_scan(struct spool *spool, struct id_queue *fresh, uint64_t now_ms);
/* new/ID to cur/ID; later/SLOT/NAME to cur/ID (removing an empty SLOT). 0; -1 errno, ENOENT: it is not there (any more). */
int spool_take_new(const struct spool *spool, const char *id);
int spool_take_later(const struct spool *spool, const struct waiting *entry);
/* cur/ID to later/; where that fails the entry gets WAITING_IN_CUR, and errno says why (-1). */
int spool_put_later(struct spool *spool, struct waiting *entry);
/* cur/ID to bad/ID.reason. */
int spool_put_bad(struct spool *spool, const char *id, const char *reason);
int spool_put_hold(struct spool *spool, const char *id);
int spool_remove(struct spool *spool, const char *id); /* unlinks cur/ID */
/* fsync of cur/ when names left it, at most once a second. */
void spool_sync_cur(struct spool *spool, uint64_t now_ms);
/* Removes what nobody can need any more: tmp/ and bad/\*.torn older than 36 h. Once an hour. */
void spool_clean(struct spool *spool, uint64_t now_ms, uint64_t now_s);
/* Gives tmp/ and new/ the mode that the intake needs: listable by its group where it has to sync the folder. */
void spool_set_modes(const struct spool *spool, bool is_two_sync);

#endif
