/* SPDX-License-Identifier: ISC */
/* System calls that fail when a test says so, or before which another program does something: the program's own, since they are
 * defined here. `fault` says which call, from 1, and how; calls are counted while it does. fsync does nothing: nobody pulls the
 * plug. */
#ifndef FAULTS_H
#define FAULTS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum how { NOTHING, ONCE, FULL, MEANWHILE };
enum { QUICK = 0, TAKES_ROOM = 1, WAITS = 2, READS_NAMES = 4 }; /* what a call is */
static struct {
    enum how how;
    unsigned at;             /* the call that fails, from 1 */
    unsigned n;              /* calls so far */
    bool is_linkless;        /* a file has no second name */
    void (*meanwhile)(void); /* what another program does before it */
    unsigned only;           /* only such calls are counted; 0: all */
    long tick_ns;            /* mtimes of folders are multiples of it; 0: as the kernel has them */
    bool is_remote;          /* the file system is a network's */
    const char *hides;       /* a name that no read of a folder shows; folders change with each read then */
    bool refuses_renames;
    unsigned reads; /* of folders, so far */
} fault;

/* Does this call fail? What takes room fails on a full disk. */
static bool fails(unsigned call)
{
    if (fault.how == NOTHING || (fault.only != 0 && !(call & fault.only))) {
        return false;
    }
    fault.n++;
    if (fault.how == MEANWHILE) {
        fault.how = NOTHING;
        if (fault.n == fault.at) {
            fault.meanwhile();
        }
        fault.how = MEANWHILE;
        return false;
    }
    bool is_meant = fault.how == ONCE ? fault.n == fault.at : call & TAKES_ROOM && fault.n >= fault.at;
    if (is_meant) {
        errno = fault.how == ONCE ? EIO : ENOSPC;
    }
    return is_meant;
}

int openat(int dir, const char *name, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;
    va_end(list);
    return fails(flags & O_CREAT ? TAKES_ROOM : QUICK) ? -1 : (int)syscall(SYS_openat, dir, name, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    return fails(TAKES_ROOM) ? -1 : syscall(SYS_write, fd, bytes, n);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return fails(TAKES_ROOM) ? -1 : syscall(SYS_pwrite64, fd, bytes, n, at);
}

ssize_t read(int fd, void *bytes, size_t n)
{
    return fails(QUICK) ? -1 : syscall(SYS_read, fd, bytes, n);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
    return fails(QUICK) ? -1 : syscall(SYS_pread64, fd, bytes, n, at);
}

int fsync(int fd)
{
    (void)fd;
    return fails(TAKES_ROOM | WAITS) ? -1 : 0;
}

int fdatasync(int fd)
{
    return fsync(fd);
}

int flock(int fd, int operation)
{
    return fails(operation & LOCK_UN ? QUICK : WAITS) ? -1 : (int)syscall(SYS_flock, fd, operation);
}

int futimens(int fd, const struct timespec times[2])
{
    return fails(QUICK) ? -1 : (int)syscall(SYS_utimensat, fd, NULL, times, 0);
}

ssize_t getdents64(int fd, void *bytes, size_t n)
{
    ssize_t result = fails(READS_NAMES) ? -1 : syscall(SYS_getdents64, fd, bytes, n);
    fault.reads++;
    for (ssize_t at = 0; fault.hides != NULL && at < result;) {
        struct dirent64 *entry = (struct dirent64 *)(void *)((char *)bytes + at);
        if (strcmp(entry->d_name, fault.hides) == 0) {
            entry->d_name[0] = '.';
            (void)futimens(fd, NULL);
        }
        at += entry->d_reclen;
    }
    return result;
}

int fstatfs(int fd, struct statfs *out)
{
    int result = fails(QUICK) ? -1 : (int)syscall(SYS_fstatfs, fd, out);
    out->f_type = fault.is_remote ? NFS_SUPER_MAGIC : out->f_type;
    return result;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    if (fault.refuses_renames) {
        errno = EACCES;
        return -1;
    }
    return fails(TAKES_ROOM) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameat2(from_dir, from, to_dir, to, 0);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    if (fault.is_linkless && fault.how != NOTHING && strncmp(from, "cur/", 4) == 0) {
        errno = EMLINK;
        return -1;
    }
    return fails(TAKES_ROOM) ? -1 : (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int unlinkat(int dir, const char *name, int flags)
{
    return fails(QUICK) ? -1 : (int)syscall(SYS_unlinkat, dir, name, flags);
}

int mkdirat(int dir, const char *name, mode_t mode)
{
    return fails(TAKES_ROOM) ? -1 : (int)syscall(SYS_mkdirat, dir, name, mode);
}

int ftruncate(int fd, off_t size)
{
    return fails(QUICK) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

/* An mtime of a kernel whose clock for files ticks slowly. */
int fstat(int fd, struct stat *out)
{
    int result = fails(QUICK) ? -1 : (int)syscall(SYS_fstat, fd, out);
    if (result == 0 && S_ISDIR(out->st_mode) && fault.tick_ns > 0) {
        out->st_mtim.tv_nsec -= out->st_mtim.tv_nsec % fault.tick_ns;
    }
    return result;
}

int fstatat(int dir, const char *name, struct stat *out, int flags)
{
    return fails(QUICK) ? -1 : (int)syscall(SYS_newfstatat, dir, name, out, flags);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    return fd >= 0 && fails(QUICK) ? MAP_FAILED : (void *)syscall(SYS_mmap, at, n, protection, flags, fd, offset);
}

#endif
