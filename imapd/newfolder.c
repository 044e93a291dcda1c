/* SPDX-License-Identifier: ISC */
/* What a crash leaves has a name of two dots: no folder, and the next DELETE clears it away (removal.c). */
#include "imapd/newfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/removal.h"
#include "lib/clock.h"
#include "lib/durable.h"
#include "lib/maildir.h"
#include "lib/str.h"

/* Courier and Dovecot know a folder by an empty maildirfolder in it. */
static int make_whole(int root, const char *name)
{
    stralloc mark = STRALLOC_ZERO;
    if (maildir_create(root, name) < 0) {
        return -1;
    }
    str_cats(&mark, name);
    str_cats(&mark, "/maildirfolder");
    int fd = openat(root, str_text(&mark), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
    stralloc_free(&mark);
    return 0;
}

int newfolder_make(int root, const char *folder)
{
    struct stat stat;
    char name[64];
    if (fstatat(root, folder, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
        return make_whole(root, folder);
    }
    (void)snprintf(name, sizeof name, NEWFOLDER_PREFIX "%llu.%ld", (unsigned long long)clock_wall_us(), (long)getpid());
    if (make_whole(root, name) < 0 || renameat2(root, name, root, folder, RENAME_NOREPLACE) < 0) {
        int error = errno;
        removal_clear(root, name);
        errno = error;
        return -1;
    }
    return durable_sync_folder(root, ".");
}
