/* SPDX-License-Identifier: ISC */
/* A dot-lock outlives its holder. Dovecot tells a dead one by the pid in it, where the host is its own, else by two minutes
 * without a change, and so do we. Ours has a second name as well, by which the next session knows it: all of them hold
 * stafet.lock, which the kernel takes from the dead, so a lock of ours that is met under it has no holder any more. */
#include "imapd/dotlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/durable.h"
#include "lib/scan.h"
#include "lib/str.h"

enum { STALE_SECONDS = 120, TRIES = 50, PAUSE_MS = 100 };

struct dotlock {
    int dir;
    const char *file;
    char lock[64], ours[80], text[64]; /* ours: the lock's second name */
};

int write_whole(int fd, const char *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t written = write(fd, bytes + at, n - at);
        if (written < 0) {
            return -1;
        }
        at += (size_t)written;
    }
    return 0;
}

static int enter(int dir, int how)
{
    int fd = openat(dir, DOTLOCK_OURS, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    while (fd >= 0 && flock(fd, how) < 0) {
        if (errno != EINTR) {
            int error = errno;
            close(fd);
            errno = error;
            return -1;
        }
    }
    return fd;
}

int dotlock_enter(int dir)
{
    return enter(dir, LOCK_EX);
}

int dotlock_enter_free(int dir)
{
    return enter(dir, LOCK_EX | LOCK_NB);
}

/* 1, 0; -1 errno (ENOENT: there is no lock). */
static int is_ours(const struct dotlock *dotlock)
{
    struct stat lock;
    struct stat ours;
    if (fstatat(dotlock->dir, dotlock->lock, &lock, AT_SYMLINK_NOFOLLOW) < 0) {
        return -1;
    }
    if (fstatat(dotlock->dir, dotlock->ours, &ours, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    return lock.st_ino == ours.st_ino && lock.st_dev == ours.st_dev;
}

static bool is_old(int dir, const char *name)
{
    struct stat stat;
    time_t now = (time_t)(clock_wall_us() / 1000000);
    return fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && stat.st_mtime < now - STALE_SECONDS;
}

/* /proc is asked, since a session may signal nobody. Where it shows no process 1 it hides others, or is not there: nobody knows.
 */
static bool is_process_dead(uint64_t pid)
{
    char path[32];
    struct stat stat;
    (void)snprintf(path, sizeof path, "/proc/%llu", (unsigned long long)pid);
    return fstatat(AT_FDCWD, "/proc/1", &stat, 0) == 0 && fstatat(AT_FDCWD, path, &stat, 0) < 0 && errno == ENOENT;
}

/* pid:host of this host, and there is no such process. */
static bool is_of_dead(const char *text, size_t n)
{
    uint64_t pid;
    struct utsname system;
    const char *colon = memchr(text, ':', n);
    if (colon == NULL || !scan_decimal(text, (size_t)(colon - text), INT32_MAX, &pid) || pid == 0 || uname(&system) < 0) {
        return false;
    }
    size_t len = n - (size_t)(colon + 1 - text);
    return len == strlen(system.nodename) && memcmp(colon + 1, system.nodename, len) == 0 && is_process_dead(pid);
}

/* Does the lock say so, and is it still that one? */
static bool is_dead(const struct dotlock *dotlock)
{
    char text[512];
    struct stat said;
    struct stat now;
    int fd = openat(dotlock->dir, dotlock->lock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t n = fstat(fd, &said) < 0 ? -1 : read(fd, text, sizeof text);
    close(fd);
    return n > 0 && is_of_dead(text, (size_t)n) && fstatat(dotlock->dir, dotlock->lock, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           now.st_ino == said.st_ino && now.st_dev == said.st_dev;
}

/* Where that fails the second name stays too: the next session knows it by that. */
static void give_back(const struct dotlock *dotlock)
{
    int error = errno;
    int ours = is_ours(dotlock);
    if (ours == 0 || (ours == 1 && unlinkat(dotlock->dir, dotlock->lock, 0) == 0)) {
        (void)unlinkat(dotlock->dir, dotlock->ours, 0);
    }
    errno = error;
}

/* The second name comes first: there is no moment in which the lock is not known as ours. */
static int make_ours(const struct dotlock *dotlock)
{
    char text[128];
    struct utsname system = {0};
    (void)uname(&system);
    int n = snprintf(text, sizeof text, "%ld:%s", (long)getpid(), system.nodename);
    int fd = openat(dotlock->dir, dotlock->ours, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -1;
    }
    int result = write_whole(fd, text, (size_t)n);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

/* What one of ours left that died. 0; -1 errno. */
static int clear(const struct dotlock *dotlock)
{
    int ours = is_ours(dotlock);
    if ((ours < 0 && errno != ENOENT) || (ours == 1 && unlinkat(dotlock->dir, dotlock->lock, 0) < 0)) {
        return -1;
    }
    return unlinkat(dotlock->dir, dotlock->ours, 0) < 0 && errno != ENOENT ? -1 : 0;
}

/* 1 we have it, 0 somebody has it, -1 errno. */
static int link_lock(const struct dotlock *dotlock)
{
    int result = linkat(dotlock->dir, dotlock->ours, dotlock->dir, dotlock->lock, 0);
    return result == 0 ? 1 : errno == EEXIST ? 0 : -1;
}

static int take(const struct dotlock *dotlock, unsigned tries)
{
    if (clear(dotlock) < 0 || make_ours(dotlock) < 0) {
        return -1;
    }
    for (unsigned try = 0; try < tries; try++) {
        int has = link_lock(dotlock);
        if (has == 0 && (is_old(dotlock->dir, dotlock->lock) || is_dead(dotlock))) {
            (void)unlinkat(dotlock->dir, dotlock->lock, 0);
            has = link_lock(dotlock);
        }
        if (has != 0) {
            return has == 1 ? 0 : -1;
        }
        struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
    errno = EAGAIN;
    return -1;
}

static dev_t trusted;

void dotlock_trust(dev_t device)
{
    trusted = device;
}

bool dotlock_trusts(int fd)
{
    struct stat stat;
    return trusted != 0 && fstat(fd, &stat) == 0 && stat.st_dev == trusted;
}

/* A crash after the rename may leave a new name with half of its bytes, which nobody was told of; it must not take an old file's
 * place. */
static int publish(const struct dotlock *dotlock, int fd)
{
    int dir = dotlock->dir;
    if (dotlock_trusts(fd)) {
        int result = durable_publish_late(fd, dir, dotlock->text, dir, dotlock->file);
        if (result == 0 || errno != EEXIST) {
            return result;
        }
    }
    return durable_replace(fd, dir, dotlock->text, dotlock->file);
}

static int replace_locked(const struct dotlock *dotlock, const stralloc *text)
{
    int dir = dotlock->dir;
    (void)unlinkat(dir, dotlock->text, 0);
    int fd = openat(dir, dotlock->text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -1;
    }
    int result = write_whole(fd, text->s, text->len) < 0 ? -1 : publish(dotlock, fd);
    int error = errno;
    close(fd);
    if (result < 0) {
        (void)unlinkat(dir, dotlock->text, 0);
    }
    errno = error;
    return result;
}

static int replace(int dir, const char *name, const stralloc *text, unsigned tries)
{
    struct dotlock dotlock = {.dir = dir, .file = name};
    (void)snprintf(dotlock.lock, sizeof dotlock.lock, "%s.lock", name);
    (void)snprintf(dotlock.ours, sizeof dotlock.ours, "%s.lock.stafet", name);
    (void)snprintf(dotlock.text, sizeof dotlock.text, "%s.tmp", name);
    int result = take(&dotlock, tries) < 0 ? -1 : replace_locked(&dotlock, text);
    give_back(&dotlock);
    return result;
}

int dotlock_replace(int dir, const char *name, const stralloc *text)
{
    return replace(dir, name, text, TRIES);
}

int dotlock_try(int dir, const char *name, const stralloc *text)
{
    return replace(dir, name, text, 1);
}
