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
    uint32_t n_bad; /* lines that were passed over */
    bool is_untidy; /* Dovecot would throw it away (a bad line, UIDs that do not ascend), or not append to it (format 1) */
};
/* Takes over list->bytes. False: not such a file; nothing is kept. Bad lines, and a last one without its end, are passed over. */
bool uidlist_parse(struct uidlist *list);
enum { UIDLIST_NONE, UIDLIST_READ, UIDLIST_STRANGE };
/* Reads `name` of the folder. STRANGE: it is there, but of an unknown format. -1 errno. */
int uidlist_read(struct uidlist *list, int dir, const char *name);
void uidlist_free(struct uidlist *list);
/* The entry of this UID; NULL. */
const struct uidlist_entry *uidlist_find(const struct uidlist *list, uint32_t uid);

/* A line for a new message. */
void uidlist_line_append(stralloc *out, uint32_t uid, const char *name, size_t name_len);
/* Appends lines, and syncs: afterwards the UIDs may be told. 1; 0 there is no list of format 3 that could go on, nothing is done;
 * -1 errno (ESTALE: the list has another UIDVALIDITY). */
int uidlist_add(int dir, uint32_t uidvalidity, const stralloc *lines);
/* A strange list makes room: it gets the name dovecot-uidlist.unknown. 0; -1 errno. */
int uidlist_set_aside(int dir);
/* Header line of format 3 (a whole new list goes through dotlock_replace); `extra` (may be empty) is kept as it was, else a new G
 * is made. */
void uidlist_header_append(stralloc *out, uint32_t uidvalidity, uint32_t uidnext, const char *extra, size_t extra_len);

#endif
