/* SPDX-License-Identifier: ISC */
/* Small text files of a Maildir, read whole. */
#ifndef IMAPD_TEXTFILE_H
#define IMAPD_TEXTFILE_H

#include <stdbool.h>
#include <skalibs/stralloc.h>

enum { TEXTFILE_MAX = 1 << 26 };
/* Appends what the regular file holds. 1; 0 no such file; -1 errno (EINVAL: no regular file, or over TEXTFILE_MAX). */
int textfile_read(int dir, const char *name, stralloc *out);
/* Appends whole lines to a file that was opened O_RDWR | O_APPEND. Half a line that a crash left is cut off, so that nothing is
 * glued to it; what cannot be written whole is taken back. 1; 0 the file has no whole line: nothing was done; -1 errno. */
int textfile_append(int fd, const stralloc *lines, bool is_synced);

#endif
