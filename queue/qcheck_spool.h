/* SPDX-License-Identifier: ISC */
/* Checking a whole spool: every file, every name. */
#ifndef QCHECK_SPOOL_H
#define QCHECK_SPOOL_H

#include <stddef.h>
#include <skalibs/stralloc.h>
#include "queue/qcheck_file.h"

struct qcheck_spool {
    struct qcheck_file file;
    stralloc ids;    /* 22 bytes each: of every message seen */
    stralloc report; /* a line a trouble or remark; the caller writes it */
    size_t messages, damaged, torn, unfinished;
};
/* Walks spool/ below the working directory. 0; -1 errno: a folder cannot be read. */
int qcheck_spool_walk(struct qcheck_spool *spool);
/* The name of the file of a message, by its id, relative to the home folder: 1 found, 0 not, -1 errno. */
int qcheck_spool_find(const char *id, stralloc *name_out);

#endif
