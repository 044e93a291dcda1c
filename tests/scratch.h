/* SPDX-License-Identifier: ISC */
/* A scratch folder of a unit test: it becomes the working directory, and goes away at the end. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_folder[] = "/tmp/unit.XXXXXX";

static inline void scratch_begin(void)
{
    if (mkdtemp(scratch_folder) == NULL || chdir(scratch_folder) < 0) {
        perror(scratch_folder);
        exit(111);
    }
}

/* A file with that text, in the folder `at`. */
static inline void scratch_put(int at, const char *name, const char *text)
{
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        perror(name);
        exit(111);
    }
    close(fd);
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
