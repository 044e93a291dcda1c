/* SPDX-License-Identifier: ISC */
/* users/assign and users/cdb (qmail-users(5)): which local name or virtual domain belongs to which folder. Trusted only as
 * CONTRACTS section 1 says: a regular file of the home folder's owner (root, or ourselves in a private instance), one link, not
 * writable by others. */
#ifndef ASSIGN_H
#define ASSIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>
#include "lib/cdbmap.h"

struct assign {
    struct cdbmap map;
    char wildcards[256]; /* last bytes of all prefixes: the record of the empty key */
    size_t n_wildcards;
};
/* A value; every text is NUL-terminated. For a domain of vpopmail `user` is the real domain's name: that is how alias domains
 * resolve. */
struct assign_entry {
    char user[256];
    uint32_t uid, gid;
    char home[512]; /* as stored */
    char dash[8];
    char ext[768]; /* what stands in the entry, and behind a wildcard the rest of the name (its case kept) */
};
/* Opens users/cdb below home_at. 0; -1 errno: ENOENT (no assignments), EPERM (unsafe; an `alert` line is logged), EPROTO. */
int assign_open(struct assign *assign, int home_at);
/* qmail-lspawn's look-up: the whole name, then wildcards from the longest prefix down; without regard to case. 1, 0, -1 (EPROTO).
 */
int assign_find(struct assign *assign, const char *local, size_t n, struct assign_entry *out);
/* The wildcard entry of DOMAIN- itself. 1, 0, -1. entry.user is the real domain. */
int assign_find_domain(struct assign *assign, const char *domain, size_t n, struct assign_entry *out);
void assign_close(struct assign *assign);

/* A line of users/assign, parsed. Pure. */
struct assign_line {
    bool is_wildcard;
    char local[256];
    struct assign_entry entry;
};
/* Without its LF. False: not a line of that form ("." ends the file and is none). */
bool assign_parse_line(const char *line, size_t n, struct assign_line *out);
void assign_append_line(stralloc *out, const struct assign_line *line);

#endif
