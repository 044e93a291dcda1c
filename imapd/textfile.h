/* SPDX-License-Identifier: ISC */
/* Small text files of a Maildir, read whole. */
#ifndef IMAPD_TEXTFILE_H
#define IMAPD_TEXTFILE_H

#include <skalibs/stralloc.h>

enum { TEXTFILE_MAX = 1 << 26 };
/* Appends what the regular file holds. 1; 0 no such file; -1 errno (EINVAL: no regular file, or over TEXTFILE_MAX). */
int textfile_read(int dir, const char *name, stralloc *out);

#endif
