/* SPDX-License-Identifier: ISC */
/* Files get their final names in cur/ and become messages: UIDs, lines of the UID list, one journal entry. For APPEND, COPY and
 * MOVE. Under the lock from adding_begin to adding_commit: what is named here, nobody takes for foreign mail. */
#ifndef IMAPD_FOLDER_ADD_H
#define IMAPD_FOLDER_ADD_H

#include "imapd/folder_inner.h"

struct adding {
    struct folder *folder;
    stralloc records, bases, files; /* struct record each; base names and cur/… names, NUL-ended */
    uint32_t n;
    struct index_stamp before;
    uint64_t named_ns; /* of cur/, behind the last name */
    bool is_move;      /* the files are nowhere else: undo leaves them to the next scan */
};
/* Takes the lock and plays the journal. 0; -1 errno, not locked. */
int adding_begin(struct adding *adding, struct folder *folder);
/* Before the first name, with all locks held: folder_doubt, until adding_commit. 0; -1 errno. */
int adding_doubt(struct adding *adding);
/* Before a file gets this base name: its keywords past the letters, which no name tells, stand for it from now on, also after a
 * power cut: its file may be the only one. 0; -1 errno. */
int adding_announce(struct adding *adding, const stralloc *base, uint64_t keywords);
/* One that is named; uid and name_at are filled in later. keywords: numbers of this folder. */
void adding_put(struct adding *adding, const struct record *record, const stralloc *base, const stralloc *file);
/* UIDs (ascending, without a gap), the synced list, the journal. Gives the lock back, then syncs cur/, where the list's sync,
 * which comes after the names, has not done that (dotlock_trusts). 0; -1 errno: the files are removed (but those of a move). */
int adding_commit(struct adding *adding, uint32_t *first_uid_out);
/* Removes the files (but those of a move) and gives the lock back. */
void adding_undo(struct adding *adding);

#endif
