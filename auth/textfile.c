/* SPDX-License-Identifier: ISC */
/* Whole files in, whole files out: a reader sees the old version or the new one, after a power cut too. */
#include "auth/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/durable.h"
#include "lib/str.h"

enum { NAME_SIZE = 96 };

int textfile_read(int fd, stralloc *out)
{
    for (;;) {
        ssize_t n = read(fd, str_room(out, 16384), 16384);
        if (n == 0) {
            return 0;
        }
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return -1;
        }
        out->len += (size_t)n;
        if (out->len > TEXTFILE_MAX) {
            errno = EFBIG;
            return -1;
        }
    }
}

int textfile_read_name(int dir_at, const char *name, stralloc *out, bool *is_there_out)
{
    int fd = openat(dir_at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        if (errno != ENOENT) {
            return -1;
        }
        *is_there_out = false;
        return 0;
    }
    struct stat st;
    int result = fstat(fd, &st);
    if (result == 0 && !S_ISREG(st.st_mode)) {
        errno = EINVAL;
        result = -1;
    }
    if (result == 0) {
        result = textfile_read(fd, out);
    }
    int why = errno;
    close(fd);
    errno = why;
    if (result == 0) {
        *is_there_out = true;
    }
    return result;
}

int textfile_lock(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    uint64_t end_ms = clock_monotonic_ms() + (uint64_t)TEXTFILE_LOCK_SECONDS * 1000;
    while (fcntl(fd, F_SETLK, &lock) < 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
            return -1;
        }
        if (clock_monotonic_ms() >= end_ms) {
            errno = EAGAIN;
            return -1;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return 0;
}

static bool new_name(const char *name, char out[NAME_SIZE])
{
    return snprintf(out, NAME_SIZE, ".%s.new", name) < NAME_SIZE;
}

int textfile_begin(int dir, const char *name, mode_t mode)
{
    char fresh[NAME_SIZE];
    if (!new_name(name, fresh)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (unlinkat(dir, fresh, 0) < 0 && errno != ENOENT) {
        return -1;
    }
    int fd = openat(dir, fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -1;
    }
    /* In a setgid folder the file would get the folder's group: it gets ours. */
    if (fchown(fd, (uid_t)-1, getegid()) < 0 || fchmod(fd, mode) < 0) {
        textfile_abandon(dir, name, fd);
        return -1;
    }
    return fd;
}

void textfile_abandon(int dir, const char *name, int fd)
{
    char fresh[NAME_SIZE];
    int why = errno;
    close(fd);
    if (new_name(name, fresh)) {
        unlinkat(dir, fresh, 0);
    }
    errno = why;
}

int textfile_end(int dir, const char *name, int fd)
{
    char fresh[NAME_SIZE];
    if (!new_name(name, fresh) || durable_replace(fd, dir, fresh, name) < 0) {
        textfile_abandon(dir, name, fd);
        return -1;
    }
    close(fd);
    return 0;
}

static int write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno != EINTR) {
            return -1;
        }
        if (written > 0) {
            bytes += written;
            n -= (size_t)written;
        }
    }
    return 0;
}

int textfile_replace(int dir, const char *name, mode_t mode, const stralloc *bytes)
{
    int fd = textfile_begin(dir, name, mode);
    if (fd < 0) {
        return -1;
    }
    if (write_all(fd, bytes->s, bytes->len) < 0) {
        textfile_abandon(dir, name, fd);
        return -1;
    }
    return textfile_end(dir, name, fd);
}

bool textfile_next_line(const char *bytes, size_t n, size_t *at, const char **line_out, size_t *len_out)
{
    if (*at >= n) {
        return false;
    }
    const char *line = bytes + *at;
    const char *end = memchr(line, '\n', n - *at);
    *line_out = line;
    *len_out = end == NULL ? n - *at : (size_t)(end - line);
    *at += *len_out + (end == NULL ? 0 : 1);
    return true;
}
