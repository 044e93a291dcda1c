/* SPDX-License-Identifier: ISC */
/* Inside of imapd/folder_*.c: what the parts of a folder call of each other. */
#ifndef IMAPD_FOLDER_INNER_H
#define IMAPD_FOLDER_INNER_H

#include "imapd/folder.h"

void folder_list_sort(struct folder_list *list);
/* How many items of a sorted list are less than `item`. */
uint32_t folder_list_below(const struct folder_list *list, uint32_t item);
_Noreturn void folder_damaged(struct folder *folder, const char *what);
/* As folder_record, for changing (in this session's memory only). */
struct record *folder_record_at(struct folder *folder, uint32_t index);
const char *folder_base_name(struct folder *folder, uint32_t index);

/* folder_play.c: the journal */
/* Maps the base again after a rest. */
void folder_return(struct folder *folder);
/* Reads the header and maps the base of the open file `index`. 0; -1 errno (EUCLEAN: no such file of ours). */
int folder_load(struct folder *folder);
/* Plays what the journal has beyond journal_at. With the lock held a torn tail is cut off. 0; -1 errno. */
int folder_play(struct folder *folder);
/* After folder_play: does another file have the name? Then this folder goes on with it; lists become those of the new base. 0. */
int folder_switch(struct folder *folder);

/* folder_open.c: the lock. folder_lock: afterwards everything is played and the file is the named one. */
int folder_lock(struct folder *folder) __attribute__((warn_unused_result));
void folder_unlock(struct folder *folder);
/* Appends folder->out (whole entries) to the journal and plays it. Lock held. 0; -1 errno, nothing is appended. */
int folder_commit(struct folder *folder) __attribute__((warn_unused_result));
uint64_t folder_next_modseq(const struct folder *folder);
/* new/, cur/ and the UID list now. */
int folder_stamp_now(const struct folder *folder, struct index_stamp *out);
/* An ENTRY_STAMP of what is in force, with this stamp. */
void folder_put_stamp(struct folder *folder, const struct index_stamp *stamp);

/* folder_scan.c: takes in what changed in the folder. Lock held. 0; -1 errno. */
int folder_take_in(struct folder *folder);
/* Name of the file below folder->dir now ("cur/…"), into *name. Looks a strange one up by one scan. 0; -1 errno ENOENT. */
int folder_find_name(struct folder *folder, uint32_t index, bool is_fresh_look, stralloc *name);
/* The name by the record's word. */
void folder_name_append(struct folder *folder, uint32_t index, stralloc *name);
void folder_forget_names(struct folder *folder);

/* folder_base.c: a new base from what is in force. Lock held. 0; -1 errno. */
int folder_write_base(struct folder *folder, uint32_t uidvalidity);
/* The first base of a folder that has none: UIDs of other servers' files, else new ones. Lock held. 0; -1 errno. */
int folder_build(struct folder *folder);

/* folder_cache.c: a summary joins those that wait; those that wait go into stafet.cache, and their entry into folder->out (lock
 * held; folder_commit follows). */
void folder_cache_put(struct folder *folder, uint32_t uid, const char *bytes, size_t n);
void folder_cache_stage(struct folder *folder);

#endif
