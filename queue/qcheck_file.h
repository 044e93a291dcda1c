/* SPDX-License-Identifier: ISC */
/* Judging one message file, and telling it in words. */
#ifndef QCHECK_FILE_H
#define QCHECK_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <skalibs/stralloc.h>
#include "lib/spoolfile.h"

enum qcheck_verdict {
    QCHECK_GOOD,
    QCHECK_TORN, /* what a crash before the answer leaves: nobody was told that it is safe */
    QCHECK_DAMAGED,
    QCHECK_UNREADABLE /* errno; also a file that is gone again */
};
struct qcheck_file {
    enum qcheck_verdict verdict;
    bool has_header;
    struct spoolfile_header header;
    stralloc why;                                  /* words: what is wrong; empty when good */
    stralloc remark;                               /* words: what is odd and harmless; may be empty */
    stralloc tail;                                 /* envelope, marks and notes, when has_header */
    uint32_t waiting, delivered, failed, reported; /* marks */
};
/* Reads and judges name at the folder dir; the struct is reused from file to file. */
void qcheck_file_read(struct qcheck_file *file, int dir, const char *name);
/* The whole of it in lines. */
void qcheck_file_print(stralloc *out, struct qcheck_file *file, const char *name);

#endif
