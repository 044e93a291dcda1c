/* SPDX-License-Identifier: ISC */
/* Who waits for mail in a folder is woken by whoever puts it there: each waiter has a fifo in stafet.wake/ beside new/ and cur/,
 * and gets a byte. (inotify has 128 instances a user id, and all virtual users share one.) A lost wake costs the waiter its next
 * look, nothing else. */
#ifndef WAKE_H
#define WAKE_H

enum { WAKE_NAME_SIZE = 64 };
struct wake {
    int fd; /* readable when somebody called wake_all; -1: not listening */
    int folder;
    char name[WAKE_NAME_SIZE];
};
/* folder: an open descriptor of the Maildir; it stays the caller's and open until wake_stop. 0; -1 errno, wake->fd is -1. */
int wake_listen(struct wake *wake, int folder);
/* Takes the bytes out. */
void wake_drain(const struct wake *wake);
void wake_stop(struct wake *wake);
/* One byte to every waiter; fifos whose waiter is gone are removed. Costs one failing open where nobody ever waited. errno is
 * kept. */
void wake_all(int folder);

#endif
