/* SPDX-License-Identifier: ISC */
/* Bytes that are written once and then read: in memory, above 64 KiB in a file without a name ($TMPDIR, /tmp, else memory again).
 * So a slow writer of a message holds no connection, and a large message little memory. */
#ifndef SPILL_H
#define SPILL_H

#include <stdint.h>
#include <sys/types.h>
#include <skalibs/stralloc.h>

enum { SPILL_MEMORY = 65536 };
struct spill {
    stralloc memory;
    int fd; /* -1: all is in memory */
    uint64_t size;
};
void spill_init(struct spill *spill);
/* 0; -1 errno. */
int spill_add(struct spill *spill, const char *bytes, size_t n);
/* As pread: bytes from `at`; 0 at the end; -1 errno. */
ssize_t spill_read(const struct spill *spill, uint64_t at, char *to, size_t room);
void spill_free(struct spill *spill);

#endif
