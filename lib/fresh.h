/* SPDX-License-Identifier: ISC */
/* stafet.fresh: what a deliverer parsed while the mail was in its hands, for the index of the next IMAP session. Beside new/ and
 * cur/; only appended to; derived, so that a lost or broken entry costs one parse later.
 *
 *   entry = [len u32: all of it, a multiple of 8][crc u32: of what follows][name_len u32][summary_len u32] base name, summary,
 * zeros */
#ifndef FRESH_H
#define FRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

enum { FRESH_MAX = 16 << 20, FRESH_HEAD = 16 };
#define FRESH_NAME "stafet.fresh"

/* Does anybody read it here? (A folder that no IMAP session ever opened has no stafet.index.) */
bool fresh_is_wanted(int maildir);
/* Adds an entry by one write, and waits for nothing. Over FRESH_MAX nobody reads, and nothing is added. 0; -1 errno (EPERM: no
 * regular file, or one with another name). */
int fresh_append(int maildir, const char *base, size_t base_len, const char *summary, size_t n);

struct fresh_entry {
    const char *base, *summary; /* slices */
    size_t base_len, summary_len;
};
/* The entry at *at, which moves behind it. False: the end, or no whole entry (*at stays). */
bool fresh_next(const char *bytes, size_t n, size_t *at, struct fresh_entry *out);
/* After that: what stands at `at` will never be an entry, also when more comes behind it. */
bool fresh_is_broken(const char *bytes, size_t n, size_t at);

#endif
