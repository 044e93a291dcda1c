/* SPDX-License-Identifier: ISC */
/* The order of fsync and rename. Nothing else in the house calls either on a file that must survive. */
#include "durable.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
}

/* After a failed sync the name must not stay: errno of the sync is kept. */
static int take_back(int dir, const char *name)
{
    int error = errno;
    (void)unlinkat(dir, name, 0);
    errno = error;
    return -1;
}

int durable_publish(int fd, int from_dir, const char *from, int to_dir, const char *to)
{
    if (fsync(fd) < 0 || rename_new(from_dir, from, to_dir, to) < 0) {
        return -1;
    }
    return fsync(to_dir) < 0 ? take_back(to_dir, to) : 0;
}

int durable_publish_late(int fd, int from_dir, const char *from, int to_dir, const char *to)
{
    if (rename_new(from_dir, from, to_dir, to) < 0) {
        return -1;
    }
    return fsync(fd) < 0 ? take_back(to_dir, to) : 0;
}

int durable_publish_ordered(int fd, int from_dir, const char *from, int to_dir, const char *to)
{
    if (fsync(fd) < 0) {
        return -1;
    }
    return rename_new(from_dir, from, to_dir, to);
}

int durable_replace(int fd, int dir, const char *from, const char *to)
{
    if (fsync(fd) < 0 || renameat(dir, from, dir, to) < 0) {
        return -1;
    }
    return durable_sync_folder(dir, ".");
}

int durable_sync_folder(int dir_at, const char *name)
{
    int fd = openat(dir_at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    int result = fsync(fd);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}
