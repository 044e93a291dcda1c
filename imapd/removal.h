/* SPDX-License-Identifier: ISC */
/* Takes a folder away: first its name (to `.` `.deleted` and a number, which no client can see), then its files. */
#ifndef IMAPD_REMOVAL_H
#define IMAPD_REMOVAL_H

#include <stdint.h>

/* 0: the mailbox is gone, and what its messages held (by ,S= or file); -1 errno: it stays. Files that are left (an interrupted
 * removal, a folder in it that is not ours: logged) are tried again by the next one, which counts them. */
int removal_run(int root, const char *folder, uint64_t *bytes_out, uint32_t *n_out);
/* A folder that nobody lists, and all in it. */
void removal_clear(int root, const char *name);

#endif
