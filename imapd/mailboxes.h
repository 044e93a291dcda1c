/* SPDX-License-Identifier: ISC */
/* Names of mailboxes, as clients write them (modified UTF-7, RFC 3501 5.1.3, with the site's prefix and separator), and the
 * folders of Maildir++ behind them: INBOX is ".", A/B is ".A.B". */
#ifndef IMAPD_MAILBOXES_H
#define IMAPD_MAILBOXES_H

#include "imapd/parse.h"
#include "imapd/settings.h"
#include <skalibs/stralloc.h>

char mailboxes_separator(const struct settings *settings);
/* A client's name to a folder name, NUL-ended. False: no mailbox can have that name (a '.' or '/' inside a level, an empty level,
 * broken UTF-7, 8-bit, over 255 bytes in all). A trailing separator is dropped. */
bool mailboxes_folder(const struct settings *settings, struct slice name, stralloc *folder_out);
/* The way back, appended. */
void mailboxes_name_append(const struct settings *settings, const char *folder, stralloc *out);
/* A mailbox name for a reply: atom, quoted string or literal. */
void mailboxes_put_astring(stralloc *out, const char *bytes, size_t n);
/* Does the folder exist (a Maildir with cur/)? */
bool mailboxes_exists(int root, const char *folder);

#endif
