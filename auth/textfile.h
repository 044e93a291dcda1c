/* SPDX-License-Identifier: ISC */
/* Text files that are read whole and replaced whole, under a lock: vpasswd, users/assign, the lists in control/. */
#ifndef TEXTFILE_H
#define TEXTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <skalibs/stralloc.h>

enum { TEXTFILE_MAX = 256 << 20, TEXTFILE_LOCK_SECONDS = 30 };

/* Appends everything from fd. 0; -1 errno (EFBIG: over TEXTFILE_MAX). */
int textfile_read(int fd, stralloc *out);
/* Opens NAME O_NOFOLLOW, a regular file, and reads it. A missing file is empty: 0 with *is_there_out false. 0; -1 errno. */
int textfile_read_name(int dir_at, const char *name, stralloc *out, bool *is_there_out);
/* fcntl write lock on the open file; waits up to TEXTFILE_LOCK_SECONDS. Closing any descriptor of the file in this process drops
 * it. 0; -1 errno (EAGAIN: still held). */
int textfile_lock(int fd);

/* A new version of NAME: begin gives an empty file `.NAME.new` (O_EXCL, what a crash left there is removed first: hold the lock),
 * end puts it in NAME's place and syncs (lib/durable). `dir` is an open folder. fd or 0; -1 errno, and nothing is left. */
int textfile_begin(int dir, const char *name, mode_t mode);
int textfile_end(int dir, const char *name, int fd);
void textfile_abandon(int dir, const char *name, int fd);
/* begin, write all, end. */
int textfile_replace(int dir, const char *name, mode_t mode, const stralloc *bytes);
/* Next line of bytes[*at..n) without its LF (the last may lack it); false at the end. */
bool textfile_next_line(const char *bytes, size_t n, size_t *at, const char **line_out, size_t *len_out);

#endif
