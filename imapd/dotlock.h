/* SPDX-License-Identifier: ISC */
/* Dovecot's way to rewrite a file of a Maildir: NAME.lock says pid:host, NAME.tmp is written and renamed over NAME, NAME.lock
 * goes. Only who holds stafet.lock of that folder may do it. */
#ifndef IMAPD_DOTLOCK_H
#define IMAPD_DOTLOCK_H

#include <stdbool.h>
#include <sys/types.h>
#include <skalibs/stralloc.h>

#define DOTLOCK_OURS "stafet.lock"

/* Waits for stafet.lock of a folder that is not open otherwise; closing the descriptor gives it back. -1 errno. */
int dotlock_enter(int dir);
/* The same where it is free; errno EWOULDBLOCK. */
int dotlock_enter_free(int dir);
/* At the start of a session: on this device (lib/ordered.h; 0: none) the sync of a file takes with it its new name and all names
 * that were made before. */
void dotlock_trust(dev_t device);
/* Does this file or folder lie there? */
bool dotlock_trusts(int fd);
/* Writes `text` as the new NAME: lock, write, sync, rename, sync of the folder; where there was none and the device is trusted:
 * lock, write, rename, sync. A lock that one of our own sessions left is taken over at once (it has NAME.lock.stafet as a second
 * name, and whoever made it had stafet.lock), another one's when the process of this host that it names is dead, or when it is
 * two minutes old; waits 5 s at most. 0; -1 errno (EAGAIN: busy), the old file stays. */
int dotlock_replace(int dir, const char *name, const stralloc *text);
/* The same where nobody else has the lock just now. */
int dotlock_try(int dir, const char *name, const stralloc *text);
/* write(2) until all is written. 0; -1 errno. */
int write_whole(int fd, const char *bytes, size_t n);

#endif
