/* SPDX-License-Identifier: ISC */
/* A folder (one Maildir of Maildir++) as a session sees it: messages by index, kept numbers, changes by anybody.
 *
 * Messages have an *index*: 0 … folder_end()-1 in UID order. Indexes stay as long as only "messages" and "bytes" below are
 * called; folder_sync() and every change may renumber them: changes take UIDs. Sequence numbers count what the client knows of:
 * messages that others expunged are counted until they have been told, and new ones from folder_tell_exists() on.
 *
 *   folder_open(&folder, root, ".Sent", FOLDER_WRITE);  folder_sync(&folder, FOLDER_LOOK);
 *   for (uint32_t i = folder_first(&folder); i < folder_end(&folder); i = folder_next(&folder, i)) folder_record(&folder, i)->uid
 * … folder_rest(&folder) before a long wait; folder_close(&folder)
 *
 * Sessions see each other's changes through the journal (index.h), without a lock. All calls return 0, or -1 with errno, where
 * nothing else is said. */
#ifndef IMAPD_FOLDER_H
#define IMAPD_FOLDER_H

#include <setjmp.h>

#include "imapd/index.h"
#include "imapd/keywords.h"
#include "imapd/uidlist.h"
#include "lib/mailbox.h"
#include "lib/mime_summary.h"

enum folder_mode { FOLDER_READ, FOLDER_WRITE }; /* EXAMINE, SELECT: the latter moves new/ to cur/ and takes \Recent away */
enum { FOLDER_NONE = 0xffffffff };

struct folder_list { /* indexes or UIDs, ascending */
    uint32_t *item;
    uint32_t n, room;
};
void folder_list_add(struct folder_list *list, uint32_t item);
void folder_list_free(struct folder_list *list);

struct folder {
    enum folder_mode mode;
    int dir, fresh, cur, lock, index; /* descriptors */
    struct index_header head;         /* of the base; its counts, stamp and places */
    char *map;                        /* the base part, private: changes are played into it. NULL while resting */
    size_t map_len;
    struct record *base;
    uint8_t *checked;    /* one byte a block: its sum was looked at */
    struct record *tail; /* appended since the base */
    uint32_t n_tail, tail_room;
    stralloc tail_names;
    uint64_t journal_at; /* played up to here */
    uint64_t modseq;     /* HIGHESTMODSEQ of what was played */
    uint32_t uidnext;
    uint32_t first_recent; /* as the journal says now */
    struct folder_span {
        uint32_t from, to;
    } recent[8]; /* \Recent to this session: from <= uid < to; the last n_recent */
    unsigned n_recent;
    struct index_stamp stamp;
    uint64_t scanned_us, cache_id, fresh_at;
    uint32_t n_live, n_unseen, n_deleted; /* all but the expunged */
    uint32_t told_end;                    /* indexes below are known to the client */
    struct folder_list gone;              /* indexes expunged and told */
    struct folder_list pending;           /* indexes expunged, not yet told */
    struct folder_list ghosts;            /* UIDs expunged and not told, which a new base has no index for */
    struct folder_list changed;           /* indexes whose flags others changed, not yet told; may repeat */
    struct keywords keywords;
    uint32_t n_new;           /* of the live ones, in new/ */
    bool is_root;             /* INBOX: the Maildir itself */
    bool is_locked, has_news; /* has_news: something was appended since the lock was taken */
    bool is_own;              /* is_own: what is played is this session's own change */
    bool is_torn;             /* the journal did not end with an entry's end */
    bool is_replaying;        /* after a rest: only the base's records are brought up to date */
    bool is_building;         /* nobody else has this index yet: what is committed is only played */
    struct mailbox names_now; /* a scan that looks names up; names_now.message is NULL where there is none */
    void (*on_damage)(void);  /* does not return; set by the session. NULL: death (111) */
    jmp_buf *guard;           /* folder_guarded: goes first */
    bool is_holding;
    int held;               /* folder_hold: a message's file; -1: not yet */
    int cache;              /* stafet.cache; -1: not open */
    uint64_t cache_open_id; /* of the open one */
    uint64_t cache_checked; /* its size when it was last seen how much of it lives */
    const char *cache_map;
    size_t cache_len;
    stralloc blobs;                            /* made by this command, not yet in stafet.cache */
    struct folder_list blob_uids, blob_places; /* places in blobs */
    stralloc facts;                            /* struct entry_cache: what this command saw of files, not yet in the journal */
    struct entry_cache looked;                 /* the last of them; uid 0: none */
    struct mime_summary_work *work;            /* the session's; NULL: made when it is needed */
    stralloc out;                              /* entries to append */
};

/* Opens `path` below root ("." or ".A.B") and its index; without one (or with one whose damage shows) it is built: UIDs from
 * dovecot-uidlist or Courier's database, else new. errno ENOENT: no such folder. */
int folder_open(struct folder *folder, int root, const char *path, enum folder_mode mode) __attribute__((warn_unused_result));
void folder_close(struct folder *folder);
/* Runs step(ctx). Where the folder turns out to be damaged meanwhile: the index is removed, the lock given back, -1, EUCLEAN;
 * only closing it is left. What the step has allocated stays so. */
int folder_guarded(struct folder *folder, int (*step)(void *ctx), void *ctx) __attribute__((warn_unused_result));
/* Gives the memory of the base back while nothing happens (IDLE); every other call brings it again by itself. */
void folder_rest(struct folder *folder);

/* Writes a new base when the journal has grown long. Nobody waits for it: when the client is silent, or gone. */
void folder_tidy(struct folder *folder);
/* The same (and no damage ends anything) for a folder in which no client is silent: one that is only appended to, or asked for
 * its STATUS. */
void folder_tidy_late(struct folder *folder);
/* For a client that is never silent: only where the journal is longer than the base and 4 MiB. */
void folder_tidy_pressed(struct folder *folder);

/* What to look at: JOURNAL, other sessions' changes only (two system calls); LOOK, also whether new/ or cur/ changed, and take
 * that in (under the lock, only when something did). */
enum folder_depth { FOLDER_JOURNAL, FOLDER_LOOK };
/* Afterwards: folder->changed, pending, ghosts, and folder_end() > told_end where mail came. */
int folder_sync(struct folder *folder, enum folder_depth depth) __attribute__((warn_unused_result));

/* ---- messages (folder_view.c) */
uint32_t folder_end(const struct folder *folder);
uint32_t folder_first(const struct folder *folder);                /* first index that is not expunged; folder_end() none */
uint32_t folder_next(const struct folder *folder, uint32_t index); /* next one that is not expunged */
/* Never NULL: a block whose sum is wrong ends the session (the index is removed, on_damage is called). Valid until the next sync
 * or change. */
const struct record *folder_record(struct folder *folder, uint32_t index);
/* What the client knows: EXISTS. */
uint32_t folder_exists(const struct folder *folder);
/* Sequence number (from 1) of an index below told_end, expunged and told ones excluded. */
uint32_t folder_seq(const struct folder *folder, uint32_t index);
/* Index of the message with this number; FOLDER_NONE: none, or a ghost. An expunged one that is not told has its index still:
 * look at RECORD_IS_GONE. */
uint32_t folder_index_of_seq(const struct folder *folder, uint32_t seq);
/* n numbers from that of `from` to that before `to`: none means a message that is expunged and not told. */
bool folder_are_there(const struct folder *folder, uint32_t from, uint32_t to, uint32_t n);
/* First index with at least this UID; folder_end(): none. */
uint32_t folder_index_at_uid(struct folder *folder, uint32_t uid);
/* FOLDER_NONE: no such UID (or expunged). */
uint32_t folder_index_of_uid(struct folder *folder, uint32_t uid);
uint32_t folder_highest_uid(struct folder *folder); /* of those that the client counts: what `*` means; 0: none */
bool folder_is_recent(const struct folder *folder, uint32_t uid);
uint32_t folder_first_unseen(struct folder *folder); /* index; folder_end(): none */

/* Telling. Expunged messages, highest number first (so that each number holds when it is sent): each(ctx, seq, uid); then they
 * count no more. folder_tell_exists: told_end = folder_end(); the new EXISTS. */
void folder_tell_expunges(struct folder *folder, void (*each)(void *ctx, uint32_t seq, uint32_t uid), void *ctx);
uint32_t folder_tell_exists(struct folder *folder);
/* UIDs expunged after modseq, as ranges, for VANISHED (EARLIER): each(ctx, first, last), ascending. May name UIDs that were never
 * there or went earlier (RFC 7162 3.2.10 allows it), never one that is there. */
void folder_each_vanished(struct folder *folder, uint64_t modseq, void (*each)(void *ctx, uint32_t first, uint32_t last),
                          void *ctx);

/* ---- bytes (folder_file.c) */
/* Opens for reading; a name that is not right any more is looked up by one scan. errno ENOENT: expunged by another program.
 * bytes_out (may be NULL): stored bytes. */
int folder_open_message(struct folder *folder, uint32_t index, uint64_t *bytes_out);
/* What the message counts for the quota: ,S= of its name, else what its file holds. 0: it is gone. */
uint64_t folder_stored_bytes(struct folder *folder, uint32_t index);
/* Between the two the file of one message, once open, stays open: all of its items are told, whatever happens to its name. */
void folder_hold(struct folder *folder);
void folder_release(struct folder *folder);
/* (folder_look.c) The size that FETCH announces and sends, and INTERNALDATE. Where nobody has looked at the file yet it is looked
 * at, where its name does not tell the size it is read; the index knows after the next folder_cache_flush. */
int folder_size(struct folder *folder, uint32_t index, uint64_t *out);
int folder_date(struct folder *folder, uint32_t index, uint32_t *out);
/* The summary blob (lib/mime_summary.h): from the cache, else by parsing the file (and into the cache at the next
 * folder_cache_flush). The slice lives until the next call. */
int folder_summary(struct folder *folder, uint32_t index, const char **bytes_out, size_t *len_out);
/* Writes what folder_summary parsed into stafet.cache, and what was seen of files into the index. At the end of a command. */
void folder_cache_flush(struct folder *folder);

/* ---- changes (folder_change.c): FOLDER_WRITE only */
struct folder_store {
    enum { STORE_REPLACE, STORE_ADD, STORE_REMOVE } how;
    uint8_t flags;
    uint64_t keywords;
    bool has_unchangedsince;
    uint64_t unchangedsince;
};
/* Flags of these messages (UIDs, ascending), as renames, in portions of 256 under the lock. Other sessions' changes are taken in
 * first. `failed`: UIDs with a modseq above unchangedsince, left alone. Messages that are gone are passed over. */
int folder_store(struct folder *folder, const struct folder_list *which, const struct folder_store *store,
                 struct folder_list *failed);
/* Unlinks these messages (UIDs, ascending); they become pending. freed: bytes by ,S= or file, for the quota. */
int folder_expunge(struct folder *folder, const struct folder_list *which, uint64_t *freed_out, uint32_t *n_out);
/* (folder_keyword.c) Number of a keyword, made when it is missing and may_make; FOLDER_NO_KEYWORD: it is not there, or there is
 * no room; -1 errno. */
enum { FOLDER_NO_KEYWORD = -2 };
int folder_keyword(struct folder *folder, const char *name, size_t n, bool may_make);

/* ---- new messages (folder_append.c, folder_copy.c) */
struct append_meta {
    uint8_t flags;
    uint64_t keywords; /* by the target's numbers */
    uint32_t date;     /* INTERNALDATE */
    uint64_t bytes, wire_bytes;
};
struct append_item {
    struct append_meta meta;
    uint32_t tmp_at; /* of its name in folder_append.names */
};
struct folder_append {
    struct folder *folder;
    int fd;                          /* a file in tmp/: write the stored form (LF) here */
    char name[MAILBOX_NAME_MAX + 1]; /* in tmp/ */
    stralloc names;                  /* tmp/ names of the finished files, NUL-ended */
    uint32_t n;
    struct append_item *items;
};
/* One or more messages (MULTIAPPEND): begin; for each: file, write to append.fd, done; then commit (all or none: sync, names,
 * UIDs, journal) or abort. The target folder need not be selected: any open FOLDER_WRITE folder. */
void folder_append_begin(struct folder_append *append, struct folder *folder);
int folder_append_file(struct folder_append *append);
int folder_append_done(struct folder_append *append, const struct append_meta *meta);
int folder_append_commit(struct folder_append *append, const char *host, uint32_t *first_uid_out);
void folder_append_abort(struct folder_append *append);
/* COPY: hard links (a copy where that cannot be); MOVE: renames, and the sources expunge. Flags, keywords (by name) and dates
 * come along. which: UIDs, ascending. source_uids and uids: what COPYUID says, both ascending and as long. */
int folder_copy(struct folder *from, const struct folder_list *which, struct folder *to, struct folder_list *source_uids,
                struct folder_list *uids);
int folder_move(struct folder *from, const struct folder_list *which, struct folder *to, struct folder_list *source_uids,
                struct folder_list *uids);

#endif
