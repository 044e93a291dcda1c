/* SPDX-License-Identifier: ISC */
/* dovecot-uidlist (Dovecot's formats 1 and 3) and courierimapuiddb (the same as format 1): where UIDs live, whoever serves the
 * Maildir. Lines may be stale; the last line of a UID holds; names count up to ':'. */
#ifndef IMAPD_UIDLIST_H
#define IMAPD_UIDLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <skalibs/stralloc.h>

#define UIDLIST_NAME "dovecot-uidlist"
enum { UIDLIST_FILE_MAX = 1 << 30 };

struct uidlist_entry {
    uint32_t uid;
    uint32_t name_at, fields_at;   /* into bytes; fields: what stands between the UID and ':' (format 3) */
    uint16_t name_len, fields_len; /* name: up to the ':' of its flags */
};
struct uidlist {
    uint32_t uidvalidity, uidnext; /* uidnext: above every UID that stands there */
    uint32_t extra_at, extra_len;  /* the header's other fields (G… P…) */
    stralloc bytes;                /* the file */
    struct uidlist_entry *entry;   /* ascending UIDs, each once */
    uint32_t n, room;
    struct stat stat;
};
/* Takes over list->bytes. False: not such a file; nothing is kept. A broken line ends the list there. */
bool uidlist_parse(struct uidlist *list);
/* Reads `name` of the folder. 1; 0 none or not understood (logged); -1 errno. */
int uidlist_read(struct uidlist *list, int dir, const char *name);
void uidlist_free(struct uidlist *list);

/* A line for a new message. */
void uidlist_line_append(stralloc *out, uint32_t uid, const char *name, size_t name_len);
/* Appends lines, and syncs: afterwards the UIDs may be told. A list that is not there is begun with this header. 0; -1 errno. */
int uidlist_add(int dir, uint32_t uidvalidity, uint32_t uidnext, const stralloc *lines);
/* Header line of format 3 (a whole new list goes through dotlock_replace); `extra` (may be empty) is kept as it was, else a new G
 * is made. */
void uidlist_header_append(stralloc *out, uint32_t uidvalidity, uint32_t uidnext, const char *extra, size_t extra_len);

#endif
