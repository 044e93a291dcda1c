/* SPDX-License-Identifier: ISC */
/* A scratch folder of a unit test: it becomes the working directory, and goes away at the end. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/str.h"

static char scratch_folder[32] = "/tmp/unit.XXXXXX";

static inline void scratch_begin(void)
{
    if (mkdtemp(scratch_folder) == NULL || chdir(scratch_folder) < 0) {
        perror(scratch_folder);
        exit(111);
    }
}

/* In memory, where that is possible: for tests that make very many files. */
static inline void scratch_begin_fast(void)
{
    if (access("/dev/shm", W_OK) == 0) {
        strcpy(scratch_folder, "/dev/shm/unit.XXXXXX");
    }
    scratch_begin();
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

/* An empty Maildir of that name in the folder `at`. */
static inline void scratch_maildir(int at, const char *name)
{
    const char *const inner[] = {"", "/new", "/cur", "/tmp"};
    for (size_t i = 0; i < 4; i++) {
        char path[200];
        (void)snprintf(path, sizeof path, "%s%s", name, inner[i]);
        (void)mkdirat(at, path, 0700);
    }
}

/* What stands in a file of that folder, in *out; "none" where there is none. */
static inline const char *scratch_content(int at, const char *name, stralloc *out)
{
    int fd = openat(at, name, O_RDONLY | O_NOFOLLOW);
    out->len = 0;
    if (fd < 0) {
        return "none";
    }
    for (ssize_t n; (n = read(fd, str_room(out, 65536), 65536)) > 0;) {
        out->len += (size_t)n;
    }
    close(fd);
    return str_text(out);
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
