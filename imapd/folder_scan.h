/* SPDX-License-Identifier: ISC */
/* Inside of a scan: what stands in new/ and cur/ beside what the index knows. */
#ifndef IMAPD_FOLDER_SCAN_H
#define IMAPD_FOLDER_SCAN_H

#include "imapd/folder_inner.h"
#include "imapd/namehash.h"

struct scan_new {
    uint32_t at;  /* in the scan */
    uint32_t uid; /* by the UID list; 0: none yet */
    bool is_listed;
};
struct scan_move {
    uint32_t at, index; /* in the scan; in the folder */
};
struct scan {
    struct folder *folder;
    struct mailbox box;
    bool is_whole; /* cur/ too */
    struct index_stamp before;
    uint64_t started_us;
    bool has_moved;    /* files of new/ to cur/ */
    uint64_t moved_ns; /* cur/'s mtime behind the last of them */
    bool has_missed;   /* a file that another program moves meanwhile: the next look scans again */
    bool has_list;
    bool is_list_lost;      /* it is to be written from the index */
    struct uidlist list;    /* where it was read */
    struct namehash listed; /* name → entry of the list */
    struct namehash known;  /* base name → index */
    uint8_t *seen;          /* one byte an index */
    stralloc moves;         /* struct scan_move: known messages that still lie in new/ */
    struct scan_new *fresh; /* messages without an index */
    uint32_t n_fresh, room;
    uint32_t n_unfit;        /* with a name that cannot stand in the UID list */
    stralloc lines;          /* for the UID list */
    stralloc records, names; /* of the new ones */
    stralloc flags;          /* struct entry_flags */
    stralloc ranges;         /* struct entry_range */
    uint32_t n_flags, n_ranges, n_records;
    uint32_t uidnext;
    stralloc name, base, shorter; /* scratch */
};

/* folder_scan_new.c: UIDs and records for scan->fresh; files of new/ move to cur/ in a FOLDER_WRITE folder. 0; -1 errno. */
int scan_take_new(struct scan *scan);
/* folder_fresh.c: what the deliverer parsed of them goes into the cache. */
void scan_take_fresh(struct scan *scan);

#endif
