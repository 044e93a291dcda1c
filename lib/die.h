/* SPDX-License-Identifier: ISC */
/* How a program starts its life and how it ends it.
 * All die_* log one line `fatal what="…" error="…"` (error= only where errno
 * is not 0) and exit; never call them for bad bytes from a peer. */
#ifndef DIE_H
#define DIE_H

/* First call of every main(): remembers the name for log lines (the last part
 * of argv[0] is not trusted, so the name is given), opens fds 0-2 on /dev/null
 * where they are closed, ignores SIGPIPE, sets umask 007. */
void program_start(const char *name);
const char *program_name(void);

/* 111: not now. Out of memory, a service or a file that is not there. */
_Noreturn void die_temporary(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* 100: never. Wrong usage, a setting that makes no sense. */
_Noreturn void die_permanent(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* 101: our own bug. */
_Noreturn void die_bug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
