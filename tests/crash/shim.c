/* SPDX-License-Identifier: ISC */
/* Loaded before libc: deliberately broken recipes, which the crash tests must catch. BROKEN names one:
 *   no-sync          nothing is synced before it is acknowledged
 *   no-folder-sync   folders are not synced
 *   no-list-sync     the UID list is not synced (fdatasync)
 *   late-sync        a file is synced only after its name is published
 *   early-answer     queue says K, and imapd OK, before the file has its name
 *   early-list       imapd says OK before the UID stands in its list
 *   early-unlink     send unlinks a message when it gives it away, before it has the answer
 *   no-lock          a lock that somebody else has is no obstacle: two sends
 *   no-cut           the torn end of a file stays where it is
 *   blind            failures of fsync and pwrite are not seen
 * late-sync also takes a file of whatever size for the one that was meant ("EEXIST is delivered"). CLOCK_SHIFT: seconds by which
 * the wall clock is wrong. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static bool is(const char *recipe)
{
    const char *broken = getenv("BROKEN");
    return broken != NULL && strcmp(broken, recipe) == 0;
}

static bool is_folder(int fd)
{
    struct stat found;
    return fstat(fd, &found) == 0 && S_ISDIR(found.st_mode);
}

/* What early-answer and late-sync have put off. */
static struct {
    bool is_rename;
    int from_dir, to_dir, fd;
    char from[256], to[256];
    unsigned flags;
} waiting = {.fd = -1};

static struct {
    int fd;
    size_t len;
    char bytes[1024];
} list;

static int rename_now(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

static int sync_now(int fd)
{
    int result = (int)syscall(SYS_fsync, fd);
    return is("blind") ? 0 : result;
}

int fsync(int fd)
{
    if (is("no-sync") || (is("no-folder-sync") && is_folder(fd))) {
        return 0;
    }
    if (is("late-sync") && !is_folder(fd)) {
        waiting.fd = fd;
        return 0;
    }
    return is("early-answer") && waiting.is_rename ? 0 : sync_now(fd);
}

int fdatasync(int fd)
{
    return is("no-sync") || is("no-list-sync") || is("early-list") ? 0 : (int)syscall(SYS_fdatasync, fd);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    if (is("early-answer")) {
        waiting.is_rename = true;
        waiting.from_dir = from_dir;
        waiting.to_dir = to_dir;
        waiting.flags = flags;
        (void)snprintf(waiting.from, sizeof waiting.from, "%s", from);
        (void)snprintf(waiting.to, sizeof waiting.to, "%s", to);
        return 0;
    }
    int result = rename_now(from_dir, from, to_dir, to, flags);
    if (waiting.fd >= 0) {
        int error = errno;
        (void)sync_now(waiting.fd);
        waiting.fd = -1;
        errno = error;
    }
    return result;
}

/* The size that the name tells is the size that is there. */
int fstatat(int dir, const char *path, struct stat *out, int flags)
{
    int result = (int)syscall(SYS_newfstatat, dir, path, out, flags);
    const char *size = strstr(path, ",S=");
    if (result == 0 && size != NULL && is("late-sync")) {
        out->st_size = atol(size + 3);
    }
    return result;
}

int clock_gettime(clockid_t which, struct timespec *out)
{
    const char *shift = getenv("CLOCK_SHIFT");
    int result = (int)syscall(SYS_clock_gettime, which, out);
    if (which == CLOCK_REALTIME && shift != NULL) {
        out->tv_sec += atol(shift);
    }
    return result;
}

static bool carries_descriptor(const struct msghdr *message)
{
    return message->msg_controllen > 0;
}

/* The file behind a descriptor loses its name. */
static void unlink_sent(const struct msghdr *message)
{
    char link[64];
    char path[4096];
    int fd;
    const struct cmsghdr *head = (const struct cmsghdr *)message->msg_control;
    memcpy(&fd, CMSG_DATA(head), sizeof fd);
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n > 0) {
        path[n] = 0;
        (void)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    }
}

/* What was put off is done after the answer. */
static void do_late(void)
{
    if (waiting.is_rename) {
        waiting.is_rename = false;
        (void)rename_now(waiting.from_dir, waiting.from, waiting.to_dir, waiting.to, waiting.flags);
        (void)sync_now(waiting.to_dir);
    }
    if (list.len > 0) {
        (void)!syscall(SYS_write, list.fd, list.bytes, list.len);
        list.len = 0;
    }
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (is("early-unlink") && carries_descriptor(message)) {
        unlink_sent(message);
    }
    ssize_t result = (ssize_t)syscall(SYS_sendmsg, fd, message, flags);
    do_late();
    return result;
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    ssize_t result = (ssize_t)syscall(SYS_writev, fd, parts, n);
    do_late();
    return result;
}

/* Appended lines of the UID list. Its descriptor is closed before they are written: they have another. */
ssize_t write(int fd, const void *bytes, size_t n)
{
    if (is("early-list") && (fcntl(fd, F_GETFL) & O_APPEND) && n < sizeof list.bytes) {
        list.fd = fcntl(fd, F_DUPFD_CLOEXEC, 64);
        list.len = n;
        memcpy(list.bytes, bytes, n);
        return (ssize_t)n;
    }
    return (ssize_t)syscall(SYS_write, fd, bytes, n);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    ssize_t result = (ssize_t)syscall(SYS_pwrite64, fd, bytes, n, offset);
    return is("blind") ? (ssize_t)n : result;
}

int ftruncate(int fd, off_t length)
{
    return is("no-cut") ? 0 : (int)syscall(SYS_ftruncate, fd, length);
}

int flock(int fd, int operation)
{
    return is("no-lock") ? 0 : (int)syscall(SYS_flock, fd, operation);
}
