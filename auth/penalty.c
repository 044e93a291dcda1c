/* SPDX-License-Identifier: ISC */
/* Files instead of a daemon's memory: they survive a restart, need no lock (an append of one byte and a time stamp cannot tear),
 * and an operator sees with ls who is guessing. */
#include "auth/penalty.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

#define PENALTY   "auth/penalty"
#define LAST      "auth/last"
#define OPEN_SMTP "auth/open-smtp"
#define SWEPT     "auth/swept"
enum {
    FAILURES_MAX = 64,
    FORGIVEN = 3,
    WAIT_MAX = 15,
    SWEEP_SECONDS = 3600,
    SWEEP_FILES = 2000,
    LOOK_US = 1000000,
    NAME_SIZE = 400
};

void penalty_prepare(void)
{
    static const char *const folders[] = {"auth", PENALTY, LAST, OPEN_SMTP};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (mkdir(folders[i], 0700) < 0 && errno != EEXIST) {
            log_event("warning", "what=%s folder=%s error=%s", "logins cannot be remembered", folders[i], strerror(errno));
        }
    }
}

bool penalty_key(const char *ip, char out[PENALTY_KEY_SIZE])
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, ip, &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24) != 127 && inet_ntop(AF_INET, &v4, out, PENALTY_KEY_SIZE) != NULL;
    }
    if (inet_pton(AF_INET6, ip, &v6) != 1 || IN6_IS_ADDR_LOOPBACK(&v6)) {
        return false;
    }
    memset(v6.s6_addr + 8, 0, 8);
    return inet_ntop(AF_INET6, &v6, out, PENALTY_KEY_SIZE) != NULL;
}

unsigned penalty_seconds(uint64_t failures)
{
    return failures == 0 ? 0 : failures > 3 ? WAIT_MAX : 1U << failures;
}

static bool make_name(char *out, const char *folder, const char *file)
{
    int n = snprintf(out, NAME_SIZE, "%s/%s", folder, file);
    return n > 0 && n < NAME_SIZE;
}

static void complain(const char *name)
{
    static uint64_t last_ms;
    log_event_rarely(&last_ms, "warning", "what=%s file=%s error=%s", "login cannot be remembered", name, strerror(errno));
}

static uint64_t modified_us(const struct stat *st)
{
    return (uint64_t)st->st_mtim.tv_sec * 1000000 + (uint64_t)st->st_mtim.tv_nsec / 1000;
}

/* What is left of `seconds` since the file was changed, rounded up; 0 too for a file of the future. */
static unsigned seconds_left(const struct stat *st, uint64_t seconds, uint64_t now_us)
{
    uint64_t then = modified_us(st), length = seconds * 1000000;
    if (then > now_us + length || then + length <= now_us) {
        return 0;
    }
    uint64_t left = (then + length - now_us + 999999) / 1000000;
    return (unsigned)(left > seconds ? seconds : left);
}

/* Creates the file where it is missing and stamps it with the present time. Descriptor or -1 (logged). */
static int touch(const char *name, int flags)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);
    if (fd < 0 || futimens(fd, NULL) < 0) {
        complain(name);
    }
    return fd;
}

unsigned penalty_wait(const char *ip, uint64_t now_us)
{
    char key[PENALTY_KEY_SIZE], name[NAME_SIZE];
    struct stat st;
    if (!penalty_key(ip, key) || !make_name(name, PENALTY, key) || lstat(name, &st) < 0) {
        return 0;
    }
    return seconds_left(&st, penalty_seconds((uint64_t)st.st_size), now_us);
}

void penalty_add(const char *ip, uint64_t now_us)
{
    char key[PENALTY_KEY_SIZE], name[NAME_SIZE];
    struct stat st;
    if (!penalty_key(ip, key) || !make_name(name, PENALTY, key)) {
        return;
    }
    bool is_old = lstat(name, &st) == 0 &&
                  (modified_us(&st) + PENALTY_FADE_SECONDS * 1000000ULL < now_us || modified_us(&st) > now_us + 60000000ULL);
    int fd = touch(name, O_APPEND | (is_old ? O_TRUNC : 0));
    if (fd < 0) {
        return;
    }
    if ((fstat(fd, &st) < 0 || st.st_size < FAILURES_MAX) && write(fd, ".", 1) != 1) {
        complain(name);
    }
    close(fd);
}

void penalty_forgive(const char *ip)
{
    char key[PENALTY_KEY_SIZE], name[NAME_SIZE];
    struct stat st;
    if (penalty_key(ip, key) && make_name(name, PENALTY, key) && lstat(name, &st) == 0 && st.st_size <= FORGIVEN) {
        unlink(name);
    }
}

unsigned penalty_pop_wait(const struct login *login, uint64_t interval, uint64_t now_us)
{
    char account[sizeof login->user + sizeof login->domain], name[NAME_SIZE];
    struct stat st;
    snprintf(account, sizeof account, "%s@%s", login->user, login->domain);
    if (interval == 0 || !make_name(name, LAST, account)) {
        return 0;
    }
    unsigned left = lstat(name, &st) == 0 ? seconds_left(&st, interval, now_us) : 0;
    int fd = left > 0 ? -1 : touch(name, 0);
    if (fd >= 0) {
        close(fd);
    }
    return left;
}

void penalty_open_smtp(const char *ip, const struct login *login)
{
    char name[NAME_SIZE];
    struct in6_addr address;
    bool is_address = inet_pton(AF_INET, ip, &address) == 1 || inet_pton(AF_INET6, ip, &address) == 1;
    int fd = is_address && make_name(name, OPEN_SMTP, ip) ? touch(name, O_TRUNC) : -1;
    if (fd < 0) {
        return;
    }
    if (dprintf(fd, "%s@%s\n", login->user, login->domain) < 0) {
        complain(name);
    }
    close(fd);
}

static void sweep_folder(const char *folder, uint64_t hours, uint64_t now_us)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return;
    }
    struct stat st;
    const struct dirent *entry;
    for (unsigned i = 0; i < SWEEP_FILES && (entry = readdir(dir)) != NULL; i++) {
        if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            modified_us(&st) + hours * 3600000000 < now_us) {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    closedir(dir);
}

void penalty_sweep(uint64_t now_us)
{
    static uint64_t looked_us;
    struct stat st;
    if (now_us >= looked_us && now_us - looked_us < LOOK_US) {
        return;
    }
    looked_us = now_us;
    if (lstat(SWEPT, &st) == 0 && seconds_left(&st, SWEEP_SECONDS, now_us) > 0) {
        return;
    }
    int fd = touch(SWEPT, 0);
    if (fd < 0) {
        return;
    }
    close(fd);
    sweep_folder(PENALTY, 1, now_us);
    sweep_folder(OPEN_SMTP, 3, now_us);
    sweep_folder(LAST, 24, now_us);
}
