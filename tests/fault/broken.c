/* SPDX-License-Identifier: ISC */
/* Deliberately broken recipes in the place of lib/durable.c: what the crash tests must catch. BROKEN names the recipe:
 *   no-sync           nothing is synced before it is acknowledged
 *   no-folder-sync    intake form two without the sync of the folder
 *   maildir-early     a Maildir's file gets its name before its data is synced ("EEXIST is delivered" then keeps a torn file)
 *   two-sends         (in flock below) a second send is not kept out */
#include "lib/durable.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is(const char *recipe)
{
    const char *broken = getenv("BROKEN");
    return broken != NULL && strcmp(broken, recipe) == 0;
}

static int rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
}

int durable_publish(int fd, int from_dir, const char *from, int to_dir, const char *to)
{
    if (is("maildir-early") || is("no-sync")) {
        return rename_new(from_dir, from, to_dir, to);
    }
    if (fsync(fd) < 0 || rename_new(from_dir, from, to_dir, to) < 0) {
        return -1;
    }
    return is("no-folder-sync") ? 0 : fsync(to_dir);
}

int durable_publish_late(int fd, int from_dir, const char *from, int to_dir, const char *to)
{
    if (rename_new(from_dir, from, to_dir, to) < 0) {
        return -1;
    }
    return is("no-sync") ? 0 : fsync(fd);
}

int durable_publish_ordered(int fd, int from_dir, const char *from, int to_dir, const char *to)
{
    if (!is("maildir-early") && !is("no-sync") && fsync(fd) < 0) {
        return -1;
    }
    return rename_new(from_dir, from, to_dir, to);
}

int durable_replace(int fd, int dir, const char *from, const char *to)
{
    return fsync(fd) < 0 || renameat(dir, from, dir, to) < 0 ? -1 : durable_sync_folder(dir, ".");
}

int durable_sync_folder(int dir_at, const char *name)
{
    int fd = openat(dir_at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

/* Overrides libc's: a lock that somebody else has is no obstacle. */
int flock(int fd, int operation)
{
    return is("two-sends") ? 0 : (int)syscall(SYS_flock, fd, operation);
}
