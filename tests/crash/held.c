/* SPDX-License-Identifier: ISC */
/* Loaded before libc: a busy machine with an old kernel. Now and then a process is held for some milliseconds before or after a
 * call by which others could notice it; folders have mtimes of a clock that ticks slowly (before Linux 6.13: every 4 ms). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ONE_IN = 50, MOST_MS = 6, TICK_NS = 4000000 };

static void hold(void)
{
    static unsigned seed;
    struct timespec now;
    int error = errno;
    if (seed == 0) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        seed = ((unsigned)now.tv_nsec ^ ((unsigned)getpid() << 10)) | 1;
    }
    if (rand_r(&seed) % ONE_IN == 0) {
        (void)poll(NULL, 0, 1 + rand_r(&seed) % MOST_MS); /* a call that every sandbox of ours allows */
    }
    errno = error;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    hold();
    int result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    hold();
    return result;
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    hold();
    int result = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    hold();
    return result;
}

int unlinkat(int dir, const char *name, int flags)
{
    hold();
    int result = (int)syscall(SYS_unlinkat, dir, name, flags);
    hold();
    return result;
}

int fdatasync(int fd)
{
    hold();
    int result = (int)syscall(SYS_fdatasync, fd);
    hold();
    return result;
}

int flock(int fd, int operation)
{
    hold();
    int result = (int)syscall(SYS_flock, fd, operation);
    hold();
    return result;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    hold();
    return syscall(SYS_write, fd, bytes, n);
}

int fstatat(int dir, const char *name, struct stat *out, int flags)
{
    hold();
    return (int)syscall(SYS_newfstatat, dir, name, out, flags);
}

int fstat(int fd, struct stat *out)
{
    int result = (int)syscall(SYS_fstat, fd, out);
    if (result == 0 && S_ISDIR(out->st_mode)) {
        out->st_mtim.tv_nsec -= out->st_mtim.tv_nsec % TICK_NS;
        hold();
    }
    return result;
}
