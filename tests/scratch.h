/* SPDX-License-Identifier: ISC */
/* A scratch folder of a unit test: it becomes the working directory, and goes away at the end. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch_folder[] = "/tmp/unit.XXXXXX";

static inline void scratch_begin(void)
{
    if (mkdtemp(scratch_folder) == NULL || chdir(scratch_folder) < 0) {
        perror(scratch_folder);
        exit(111);
    }
}

static inline int scratch_remove(const char *name, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(name);
}

/* What main() returns: `result`, or 111 when the folder cannot be removed. */
static inline int scratch_end(int result)
{
    return chdir("/") < 0 || nftw(scratch_folder, scratch_remove, 16, FTW_DEPTH | FTW_PHYS) < 0 ? 111 : result;
}

#endif
