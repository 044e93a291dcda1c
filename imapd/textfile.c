/* SPDX-License-Identifier: ISC */
/* No link is followed and no fifo waited for: the Maildir's owner may have put anything there. Half a line at the end was never
 * told to anybody. */
#include "imapd/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "lib/str.h"

int textfile_read(int dir, const char *name, stralloc *out)
{
    struct stat stat;
    (void)str_text(out); /* no file: an empty text */
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

/* How many bytes of the file are whole lines; -1 errno. */
static off_t whole_lines(int fd)
{
    char part[4096];
    struct stat stat;
    if (fstat(fd, &stat) < 0) {
        return -1;
    }
    for (off_t end = stat.st_size; end > 0;) {
        size_t want = end < (off_t)sizeof part ? (size_t)end : sizeof part;
        ssize_t n = pread(fd, part, want, end - (off_t)want);
        if (n != (ssize_t)want) {
            errno = n < 0 ? errno : EIO;
            return -1;
        }
        const char *lf = memrchr(part, '\n', want);
        if (lf != NULL) {
            return end - (off_t)want + (lf - part) + 1;
        }
        end -= (off_t)want;
    }
    return 0;
}

int textfile_append(int fd, const stralloc *lines, bool is_synced)
{
    off_t size = whole_lines(fd);
    if (size <= 0) {
        return (int)size;
    }
    struct stat stat;
    if (fstat(fd, &stat) < 0 || (stat.st_size > size && ftruncate(fd, size) < 0)) {
        return -1;
    }
    if (write_whole(fd, lines->s, lines->len) < 0 || (is_synced && fdatasync(fd) < 0)) {
        int error = errno;
        (void)!ftruncate(fd, size);
        errno = error;
        return -1;
    }
    return 1;
}
