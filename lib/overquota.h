/* SPDX-License-Identifier: ISC */
/* The byte domains/D/.full/USER: `1` while USER's mailbox is over quota (CONTRACTS section 1). local and the sessions write it in
 * place, rcptd reads it; missing = `0`. One byte cannot tear, and it is only a hint: the delivery itself checks maildirsize. */
#ifndef OVERQUOTA_H
#define OVERQUOTA_H

#include <stdbool.h>

/* Opens .full/USER of the domain whose folder holds `home` (the user's, relative to dir_at; a hashed home a/b/USER too: the
 * domain folder is the nearest one above that holds vpasswd or vpasswd.cdb). Folder (02750) and file (0640) are created where
 * missing. A session calls it before it confines itself. Descriptor (close-on-exec); -1 errno. */
int overquota_open(int dir_at, const char *home, const char *user);
/* The folder of the domain that holds `home`, by the same rule. Descriptor; -1 errno (ENOENT: none). */
int overquota_open_domain(int dir_at, const char *home);
/* Writes the byte, only where it is another one. 0; -1 errno. */
int overquota_set(int fd, bool is_full);
/* For rcptd: domain_dir is an open descriptor of domains/D. Missing or not readable: false. */
bool overquota_is_full(int domain_dir, const char *user);

#endif
