/* SPDX-License-Identifier: ISC */
/* What Courier's IMAP server left in a folder: read once, when the index is built; its UIDs are kept up for the way back. */
#ifndef IMAPD_COURIER_H
#define IMAPD_COURIER_H

#include "imapd/folder_inner.h"

#define COURIER_UIDDB "courierimapuiddb"
/* courierimapuiddb: its UIDs become dovecot-uidlist (written here, synced), where there is none. 1 and the list; 0 nothing of
 * Courier's; -1 errno. */
int courier_import(int dir, struct uidlist *out);
/* Its next UID, where it has our UIDVALIDITY; above folder->uidnext: Courier has given some since. Else 0. */
uint32_t courier_uidnext(const struct folder *folder);
/* Where courierimapuiddb has our UIDVALIDITY, messages that get UIDs now go into it. folder->uidnext is still that before them.
 * Not synced; what fails costs the way back only. Lock held. */
void courier_keep_up(struct folder *folder, uint32_t uidnext, const struct folder_news *news);
/* Writes it anew where most of it is of messages that are gone. */
void courier_compact(struct folder *folder);
/* courierimapkeywords/: names get numbers, messages their bits (in the folder's memory, and in the file names by one rename
 * each). 0; -1 errno. */
int courier_take_keywords(struct folder *folder);

#endif
