/* SPDX-License-Identifier: ISC */
/* No link is followed and no fifo waited for: the Maildir's owner may have put anything there. */
#include "imapd/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/str.h"

int textfile_read(int dir, const char *name, stralloc *out)
{
    struct stat stat;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    int result = -1;
    errno = EINVAL;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size <= TEXTFILE_MAX) {
        ssize_t n = pread(fd, str_room(out, (size_t)stat.st_size + 1), (size_t)stat.st_size, 0);
        result = n < 0 ? -1 : 1;
        out->len += n < 0 ? 0 : (size_t)n;
    }
    int error = errno;
    close(fd);
    errno = error;
    return result;
}
