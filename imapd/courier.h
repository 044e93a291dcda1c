/* SPDX-License-Identifier: ISC */
/* What Courier's IMAP server left in a folder, read once, when the index is built. */
#ifndef IMAPD_COURIER_H
#define IMAPD_COURIER_H

#include "imapd/folder.h"

/* courierimapuiddb: its UIDs become dovecot-uidlist (written here, synced), where there is none. 1 and the list; 0 nothing of
 * Courier's; -1 errno. */
int courier_import(int dir, struct uidlist *out);
/* courierimapkeywords/: names get numbers, messages their bits (in the folder's memory, and in the file names by one rename
 * each). 0; -1 errno. */
int courier_take_keywords(struct folder *folder);

#endif
