/* SPDX-License-Identifier: ISC */
/* A place is a locked byte of stafet.sessions: the kernel frees it. The owner of the Maildir may remove the file and be counted
 * anew: this keeps a client that is wrong, or a stolen password, from everybody else's sessions, not the owner of the files. */
#include "imapd/place.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define NAME "stafet.sessions"

static int lock_byte(int fd, uint64_t at)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)at, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int place_take(int root, uint64_t most)
{
    int fd = most == 0 ? -1 : openat(root, NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) {
        return most == 0 ? 1 : -1;
    }
    uint64_t first = (uint64_t)getpid() % most; /* neighbours in time are none here: the first try finds one mostly */
    for (uint64_t i = 0; i < most; i++) {
        if (lock_byte(fd, (first + i) % most) == 0) {
            return 1;
        }
        if (errno != EAGAIN && errno != EACCES) {
            break;
        }
    }
    int error = errno;
    close(fd);
    errno = error;
    return error == EAGAIN || error == EACCES ? 0 : -1;
}
