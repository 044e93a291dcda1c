/* SPDX-License-Identifier: ISC */
/* Dovecot's way to rewrite a file of a Maildir: NAME.lock is created, written, and renamed over NAME. */
#ifndef IMAPD_DOTLOCK_H
#define IMAPD_DOTLOCK_H

#include <skalibs/stralloc.h>

/* Writes `text` as the new NAME: lock, write, sync, rename, sync of the folder. Waits 5 s at most; a lock of more than two
 * minutes is dead. 0; -1 errno (EAGAIN: busy), the old file stays. */
int dotlock_replace(int dir, const char *name, const stralloc *text);
/* write(2) until all is written. 0; -1 errno. */
int write_whole(int fd, const char *bytes, size_t n);

#endif
