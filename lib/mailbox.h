/* SPDX-License-Identifier: ISC */
/* A Maildir as a session sees it: the names of new/ and cur/ from one snapshot, in order of arrival. Nothing is read or statted
 * for a message whose name says it all. Putting mail in is lib/maildir.h's.
 *
 *   mailbox_open(&box, AT_FDCWD, "Maildir");  mailbox_scan(&box);
 *   fd = mailbox_open_message(&box, i);  …  mailbox_remove(&box, i);  mailbox_move_to_cur(&box, i);
 *
 * The scan reads a folder by one getdents64 call into a buffer that holds all of it, new/ before cur/: on ext4, XFS and tmpfs
 * such a call is a snapshot, so no lock is needed against anybody who renames meanwhile. On other file systems a folder whose
 * mtime changed during the scan is read again; one that never holds still is_torn. */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

#define MAILBOX_UNKNOWN UINT64_MAX
enum { MAILBOX_NAME_MAX = 255, MAILBOX_BASE_MAX = MAILBOX_NAME_MAX - 3 - 6 - 26 }; /* `:2,`, all flags, all keyword letters */
/* Flags of `:2,` in a name. */
enum { MAILBOX_DRAFT = 1, MAILBOX_FLAGGED = 2, MAILBOX_PASSED = 4, MAILBOX_REPLIED = 8, MAILBOX_SEEN = 16, MAILBOX_TRASHED = 32 };
/* State of a message; bits from 16 up are the caller's. */
enum { MAILBOX_IS_NEW = 1, MAILBOX_IS_GONE = 2, MAILBOX_IS_DOUBLE = 4, MAILBOX_STATE_OWN = 16 };

/* What a file name says. */
struct mailbox_name {
    size_t base_len; /* bytes before the first ':' */
    uint8_t flags;
    uint64_t size;      /* ,S=: bytes of the file; MAILBOX_UNKNOWN where there is none */
    uint64_t wire_size; /* ,W=: bytes with CRLF line ends; MAILBOX_UNKNOWN where there is none or it cannot be true (S <= W <= 2S
                           + 2) */
    uint64_t order_us;  /* SECONDS. or SECONDS.M<µs>…; MAILBOX_UNKNOWN where it does not begin so */
};
/* False: no message (empty, begins with '.' or ':', holds '/' or NUL, over 255 bytes). */
bool mailbox_name_parse(const char *name, size_t n, struct mailbox_name *out);

/* 32 bytes a message, and its name. */
struct mailbox_message {
    uint64_t order_us;
    uint64_t size, wire_size; /* as in the name; MAILBOX_UNKNOWN */
    uint32_t name_at;
    uint8_t name_len, base_len, flags, state;
};
/* A second file with the base name of a message. */
struct mailbox_double {
    uint32_t of; /* index of the message that hides it */
    struct mailbox_message message;
};
struct mailbox {
    int folder, fresh, cur; /* descriptors of the Maildir, its new/ and cur/ */
    stralloc names;         /* NUL-ended, at name_at */
    struct mailbox_message *message;
    uint32_t n, room;
    struct mailbox_double *hidden;
    uint32_t n_hidden;
    bool is_torn; /* a folder never held still: names may be missing */
};
/* Is a call on this folder a snapshot, and its clock this machine's? */
bool mailbox_is_snapshot(int folder);

/* Opens the folder with new/ and cur/ (no symbolic links). 0; -1 errno, nothing is open. */
int mailbox_open(struct mailbox *box, int dir_at, const char *path) __attribute__((warn_unused_result));
/* Reads the names: regular files, ordered by arrival (time in the name, else mtime), then base name. Of files with one base name
 * one is a message, that of cur/ before that of new/; the others are hidden. 0; -1 errno (EOVERFLOW: over 4 GiB of names). */
int mailbox_scan(struct mailbox *box) __attribute__((warn_unused_result));
/* The names of new/ alone, in the same order. */
int mailbox_scan_new(struct mailbox *box) __attribute__((warn_unused_result));
const char *mailbox_name(const struct mailbox *box, uint32_t i); /* whole file name */
/* Opens for reading. When somebody renamed the message since (flags, new/ to cur/) its name is looked up again. -1 errno: ENOENT,
 * it is gone for good (and is marked so); EINVAL: no regular file. */
int mailbox_open_message(struct mailbox *box, uint32_t i);
/* Unlinks, under its new name where it was renamed. 1 removed, 0 somebody else had removed it, -1 errno. */
int mailbox_remove(struct mailbox *box, uint32_t i);
/* new/BASE to cur/BASE:2,FLAGS, never over another file; nothing for a message of cur/ or a double. 0; -1 errno. */
int mailbox_move_to_cur(struct mailbox *box, uint32_t i);
/* (mailbox_double.c) Two files with one base name: moved while the scan ran (then there is one now), or a foreign program copied
 * one, or died between link and unlink. Where hidden file k and its message still are two files, the hidden one (or, with
 * `gives_way`, the message's) gets a base name of its own; where they are old links of one file, it goes. 1 done: scan again; 0
 * nothing to do; -1 errno. */
int mailbox_part(const struct mailbox *box, uint32_t k, bool gives_way);
const char *mailbox_hidden_name(const struct mailbox *box, uint32_t k);
/* For who may not rename: hidden files that are still there, and no link of their message, become messages too, all of one base
 * name MAILBOX_IS_DOUBLE: such a one is known by its whole name, and gone when somebody renames it. */
void mailbox_show_doubles(struct mailbox *box);
/* Another base name for a message: SECONDS (of the old one, else `seconds`) `.` KIND and an id, then the old one's fields; of
 * fields so long that no flag would fit behind them only ,S= and ,W=. */
void mailbox_base_append(stralloc *out, const char *base, size_t base_len, char kind, uint64_t seconds);
void mailbox_close(struct mailbox *box);

#endif
