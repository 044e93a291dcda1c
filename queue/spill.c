/* SPDX-License-Identifier: ISC */
/* The file never has a name, so nothing of it is left behind whatever happens. */
#include "queue/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/str.h"

void spill_init(struct spill *spill)
{
    *spill = (struct spill){.fd = -1};
}

static int open_nameless(void)
{
    const char *folder = getenv("TMPDIR");
    int fd = -1;
    if (folder != NULL && *folder != '\0') {
        fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    }
    if (fd < 0) {
        fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    }
    return fd < 0 ? memfd_create("message", MFD_CLOEXEC) : fd;
}

static int write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno != EINTR) {
            return -1;
        }
        size_t written = done > 0 ? (size_t)done : 0;
        bytes += written;
        n -= written;
    }
    return 0;
}

int spill_add(struct spill *spill, const char *bytes, size_t n)
{
    spill->size += n;
    if (spill->fd >= 0) {
        return write_all(spill->fd, bytes, n);
    }
    str_cat(&spill->memory, bytes, n);
    if (spill->memory.len <= SPILL_MEMORY) {
        return 0;
    }
    spill->fd = open_nameless();
    return spill->fd < 0 ? -1 : write_all(spill->fd, spill->memory.s, spill->memory.len);
}

ssize_t spill_read(const struct spill *spill, uint64_t at, char *to, size_t room)
{
    if (spill->fd >= 0) {
        return pread(spill->fd, to, room, (off_t)at);
    }
    size_t left = at < spill->memory.len ? spill->memory.len - (size_t)at : 0;
    size_t n = left < room ? left : room;
    if (n > 0) {
        memcpy(to, spill->memory.s + at, n);
    }
    return (ssize_t)n;
}

void spill_free(struct spill *spill)
{
    if (spill->fd >= 0) {
        (void)close(spill->fd);
    }
    stralloc_free(&spill->memory);
}
