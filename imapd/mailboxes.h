/* SPDX-License-Identifier: ISC */
/* Names of mailboxes, as clients write them (modified UTF-7, RFC 3501 5.1.3, with the site's prefix and separator), and the
 * folders of Maildir++ behind them: INBOX is ".", A/B is ".A.B". */
#ifndef IMAPD_MAILBOXES_H
#define IMAPD_MAILBOXES_H

#include "imapd/parse.h"
#include "imapd/settings.h"
#include <skalibs/stralloc.h>

enum { FOLDER_NAME_MAX = 250 };
char mailboxes_separator(const struct settings *settings);
/* A client's name to a folder name, NUL-ended. False: no mailbox can have that name (a '.' or '/' inside a level, an empty level,
 * broken UTF-7, 8-bit, over 255 bytes in all). A trailing separator is dropped. */
bool mailboxes_folder(const struct settings *settings, struct slice name, stralloc *folder_out);
/* The way back, appended. */
void mailboxes_name_append(const struct settings *settings, const char *folder, stralloc *out);
/* A mailbox name for a reply: atom, quoted string or literal. */
void mailboxes_put_astring(stralloc *out, const char *bytes, size_t n);
/* Courier 5 keeps names in UTF-8. The folder name (modified UTF-7) of such a directory, appended; others as they are. */
void mailboxes_folder_of_directory(const char *directory, stralloc *folder_out);
/* Where the folder lies: a directory of its own name, else one with that name in UTF-8, else (none is there) its own name. */
void mailboxes_directory(int root, const char *folder, stralloc *directory_out);
/* Does the folder exist (a Maildir with cur/)? */
bool mailboxes_exists(int root, const char *folder);

#endif
