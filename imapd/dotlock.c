/* SPDX-License-Identifier: ISC */
/* The lock file is the new file: whoever renames it has the lock no more. */
#include "imapd/dotlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/durable.h"

enum { STALE_SECONDS = 120, TRIES = 50, PAUSE_MS = 100 };

int write_whole(int fd, const char *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t written = write(fd, bytes + at, n - at);
        if (written < 0) {
            return -1;
        }
        at += (size_t)written;
    }
    return 0;
}

static bool is_stale(int dir, const char *name)
{
    struct stat stat;
    time_t now = (time_t)(clock_wall_us() / 1000000);
    return fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && stat.st_mtime < now - STALE_SECONDS;
}

static int take(int dir, const char *lock)
{
    for (unsigned try = 0; try < TRIES; try++) {
        int fd = openat(dir, lock, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
        if (is_stale(dir, lock)) {
            (void)unlinkat(dir, lock, 0);
            continue;
        }
        struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
    errno = EAGAIN;
    return -1;
}

int dotlock_replace(int dir, const char *name, const stralloc *text)
{
    char lock[64];
    (void)snprintf(lock, sizeof lock, "%s.lock", name);
    int fd = take(dir, lock);
    if (fd < 0) {
        return -1;
    }
    int result = write_whole(fd, text->s, text->len) < 0 ? -1 : durable_replace(fd, dir, lock, name);
    int error = errno;
    close(fd);
    if (result < 0) {
        (void)unlinkat(dir, lock, 0);
    }
    errno = error;
    return result;
}
