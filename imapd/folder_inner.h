/* SPDX-License-Identifier: ISC */
/* Inside of imapd/folder_*.c: what the parts of a folder call of each other. */
#ifndef IMAPD_FOLDER_INNER_H
#define IMAPD_FOLDER_INNER_H

#include <sys/stat.h>

#include "imapd/folder.h"

void folder_list_sort(struct folder_list *list);
/* How many items of a sorted list are less than `item`. */
uint32_t folder_list_below(const struct folder_list *list, uint32_t item);
_Noreturn void folder_damaged(struct folder *folder, const char *what);
/* As folder_record, for changing (in this session's memory only). */
struct record *folder_record_at(struct folder *folder, uint32_t index);
const char *folder_base_name(struct folder *folder, uint32_t index);
/* n bytes of names or keywords at this place of the base may be read: their sums are right, or the folder is damaged. */
void folder_check_text(struct folder *folder, uint64_t at, size_t n);

/* folder_play.c: the journal */
/* Maps the base again after a rest. */
void folder_return(struct folder *folder);
/* Reads the header and maps the base of the open file `index`. 0; -1 errno (EUCLEAN: no such file of ours). */
int folder_load(struct folder *folder);
/* Plays what the journal has beyond journal_at. With the lock held a tail that a dead writer left is cut off; where the journal
 * is damaged the file loses its name, so that folder_switch makes it anew. 0; -1 errno. */
int folder_play(struct folder *folder);
/* folder->out, which now is the journal's end: what stands there is not read again, since others may have played it already and
 * no failure could take it back. */
void folder_play_out(struct folder *folder);
/* folder_switch.c: after folder_play: does another file have the name? Then this folder goes on with it; lists become those of
 * the new base. 0; -1 errno. */
int folder_switch(struct folder *folder);

/* folder_open.c: the lock. folder_lock: afterwards everything is played and the file is the named one. */
int folder_lock(struct folder *folder) __attribute__((warn_unused_result));
void folder_unlock(struct folder *folder);
/* Appends folder->out (whole entries) to the journal and plays it. Lock held. 0; -1 errno, nothing is appended. */
int folder_commit(struct folder *folder) __attribute__((warn_unused_result));
uint64_t folder_next_modseq(const struct folder *folder);
/* new/, cur/ and the UID list now. */
int folder_stamp_now(const struct folder *folder, struct index_stamp *out);
/* folder_stamp.c: an ENTRY_STAMP of what is in force, with this stamp. */
void folder_put_stamp(struct folder *folder, const struct index_stamp *stamp);
/* After changes of ours that began with the lock and `before` (folder_stamp_now): they are no news. cur_ns: folder_cur_now right
 * behind the last of our names, so that little of others' is taken for ours; that is verified some seconds later. */
void folder_put_stamp_since(struct folder *folder, const struct index_stamp *before, uint64_t cur_ns);
/* The same where only keywords were named. */
void folder_put_stamp_of_keywords(struct folder *folder, const struct index_stamp *before);
/* The clock that mtimes are taken from. 0: nobody can tell. Lock held. */
uint64_t folder_clock_us(const struct folder *folder);
/* cur/'s mtime. 0: nobody can tell, and the next look scans. */
uint64_t folder_cur_now(const struct folder *folder);
/* What a stamp may say of cur/ after renames of ours, when it was last scanned at that time. */
uint64_t folder_vouched(uint64_t cur_ns, uint64_t scanned_us);
/* Before a stamp is kept: its folder was looked at at this time. */
void folder_forget_young(struct index_stamp *stamp, uint64_t looked_us);
/* Before a file gets a name in cur/. The index knows cur/ by its mtime: a name made within the tick of the last change would not
 * show, should we die before its UID is given. Until a stamp is put again the next look scans. Lock held. 0; -1 errno. */
int folder_doubt(struct folder *folder);
/* Nothing hides: new/ and cur/ are as the index knows them. */
bool folder_is_sure(const struct folder *folder, const struct index_stamp *now);
/* Something in cur/ may hide behind an equal mtime, and has for long enough to look. is_waiting: a client waits for us. */
bool folder_is_verify_due(const struct folder *folder, const struct index_stamp *now, bool is_waiting);

/* folder_uidlist.c: messages that the index does not know yet; ascending UIDs, name_at counts from names. */
struct folder_news {
    const struct record *record;
    uint32_t n;
    const char *names;
};
/* UIDs into the list (synced) before anybody hears them: `lines` where it can go on, else all of it is written. Lock held. 0; -1
 * errno. */
int folder_uidlist_add(struct folder *folder, uint32_t uidnext, const stralloc *lines, const struct folder_news *news);
/* The whole list by what the index and the news say, written, or as a text. The other fields of `before` (may be NULL) are kept.
 */
int folder_uidlist_write(struct folder *folder, const struct uidlist *before, uint32_t uidnext, const struct folder_news *news);
void folder_uidlist_text(struct folder *folder, const struct uidlist *before, uint32_t uidnext, const struct folder_news *news,
                         stralloc *out);
/* All UIDs up to 2^32 - 2 were given (RFC 3501 2.3.1.1: then UIDVALIDITY changes): the lists are put aside and the index goes, so
 * that the next one who opens the folder gives new ones. Lock held. -1 EAGAIN. */
int folder_end_uids(struct folder *folder);
/* Does it have each message of the index with its UID? Logs one that it has not. */
bool folder_uidlist_is_whole(struct folder *folder, const struct uidlist *list);

/* folder_scan.c: takes in what changed in the folder. Lock held. is_waiting: a client waits for us. 0; -1 errno. */
int folder_take_in(struct folder *folder, bool is_waiting);
/* Name of the file below folder->dir now ("cur/…"), into *name. Looks a strange one up by one scan. 0; -1 errno ENOENT. */
int folder_find_name(struct folder *folder, uint32_t index, bool is_fresh_look, stralloc *name);
/* The name by the record's word. */
void folder_name_append(struct folder *folder, uint32_t index, stralloc *name);
void folder_forget_names(struct folder *folder);

/* folder_keyword.c: number of a keyword, made where it is missing; FOLDER_NO_KEYWORD: no room; -1 errno. Lock held. */
int folder_make_keyword(struct folder *folder, const char *name, size_t n);
/* What is new in dovecot-keywords, into the journal too (the entries into folder->out). 0; -1 errno. */
int folder_read_keywords(struct folder *folder);
/* folder_keyword_ours.c: what stafet-keywords, which has this size, says of all messages, into the journal. Lock held. */
int folder_take_ours(struct folder *folder, uint64_t size);
/* An entry for each name that is not what it was. */
struct keyword_names {
    uint32_t at[KEYWORDS_MAX];
    uint16_t len[KEYWORDS_MAX];
};
void folder_keep_names(const struct folder *folder, struct keyword_names *out);
void folder_put_new_names(struct folder *folder, const struct keyword_names *before);
/* Its entry for the journal. */
void folder_put_keyword(struct folder *folder, unsigned number);

/* folder_base.c: a new base from what is in force. Lock held. 0; -1 errno. */
int folder_write_base(struct folder *folder, uint32_t uidvalidity);
/* The first base of a folder that has none: UIDs of other servers' files, else new ones. Lock held. 0; -1 errno. */
int folder_build(struct folder *folder);

/* folder_look.c: INTERNALDATE by a file. */
uint32_t folder_date_of(const struct stat *stat);
/* The message's file is open: what it says is kept, where nobody has looked at it yet. */
void folder_look_at(struct folder *folder, uint32_t index, int fd);

/* folder_cache.c: a summary joins those that wait; those that wait go into stafet.cache, and their entry into folder->out (lock
 * held; folder_commit follows). */
void folder_cache_put(struct folder *folder, uint32_t uid, const char *bytes, size_t n);
void folder_cache_stage(struct folder *folder);
/* A blob with its head and padding, where it is good; the slice lives until the next call. */
bool folder_cache_find(struct folder *folder, uint32_t index, const char **blob_out, size_t *len_out);
/* 0: no such file. */
uint64_t folder_cache_size(struct folder *folder);
/* A new file: create it, write the head and the blobs, adopt it under its name. -1 errno. */
int folder_cache_create(struct folder *folder);
void folder_cache_head_append(stralloc *out, uint64_t id);
int folder_cache_adopt(struct folder *folder, int fd, uint64_t id);

/* folder_compact.c: before a new base: files that hold mostly what is gone. Lock held. */
void folder_compact(struct folder *folder);
/* What the live messages' lines need in a UID list, at least. */
uint64_t folder_list_bytes(struct folder *folder);

#endif
