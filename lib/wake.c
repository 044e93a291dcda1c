/* SPDX-License-Identifier: ISC */
/* Fifos as door bells. Everything here may fail without harm. */
#include "lib/wake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/msgid.h"

#define FOLDER "stafet.wake"
/* More than sessions there can be: whoever fills the folder makes deliverers wait no longer. */
enum { BELLS_MAX = 4096 };

int wake_listen(struct wake *wake, int folder)
{
    char id[MSGID_LEN + 1];
    msgid_make(clock_wall_us(), id);
    *wake = (struct wake){.fd = -1, .folder = folder};
    (void)snprintf(wake->name, sizeof wake->name, FOLDER "/%s", id);
    if ((mkdirat(folder, FOLDER, 0700) < 0 && errno != EEXIST) || mkfifoat(folder, wake->name, 0600) < 0) {
        return -1;
    }
    /* Read and write: with a writer of its own the fifo never shows an end. */
    wake->fd = openat(folder, wake->name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (wake->fd < 0) {
        (void)unlinkat(folder, wake->name, 0);
        return -1;
    }
    return 0;
}

void wake_drain(const struct wake *wake)
{
    char bytes[64];
    while (read(wake->fd, bytes, sizeof bytes) > 0) {
    }
}

void wake_stop(struct wake *wake)
{
    if (wake->fd >= 0) {
        (void)unlinkat(wake->folder, wake->name, 0);
        close(wake->fd);
        wake->fd = -1;
    }
}

/* The owner may have put anything there. */
static bool is_fifo(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISFIFO(stat.st_mode);
}

static void wake_one(int folder, const char *name)
{
    int fd = openat(folder, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        if (is_fifo(fd)) {
            (void)!write(fd, "", 1); /* full: it has enough to wake by */
        }
        close(fd);
    } else if (errno == ENXIO) {
        (void)unlinkat(folder, name, 0);
    }
}

void wake_all(int folder)
{
    int error = errno;
    int fd = openat(folder, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    unsigned n = 0;
    for (struct dirent *entry; list != NULL && n < BELLS_MAX && (entry = readdir(list)) != NULL;) {
        if (entry->d_name[0] != '.') {
            wake_one(fd, entry->d_name);
            n++;
        }
    }
    if (list != NULL) {
        (void)closedir(list);
    } else if (fd >= 0) {
        close(fd);
    }
    errno = error;
}
