/* SPDX-License-Identifier: ISC */
/* maildirsize (Maildir++): the quota in force and lines `bytes count` whose sum is the usage. Others append to it at the same
 * time, and any of them may rewrite it: so it is opened anew for each look, a line is one write, and a count that raced with a
 * change is not kept. The owner may have put anything in its place: links are not followed, and only a regular file is read. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mailbox.h"
#include "lib/quota.h"
#include "lib/scan.h"
#include "lib/str.h"

#define QUOTA_FILE "maildirsize"

enum { FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, LINE_MAX_BYTES = 64 };

/* `bytes count`: signed decimals with blanks around. */
static bool parse_line(const char *line, size_t n, struct quota_usage *sum)
{
    const char *word[2];
    size_t len[2];
    size_t at = 0;
    int64_t value[2];
    for (unsigned i = 0; i < 2; i++) {
        while (at < n && line[at] == ' ') {
            at++;
        }
        word[i] = line + at;
        while (at < n && line[at] != ' ') {
            at++;
        }
        len[i] = (size_t)(line + at - word[i]);
        if (!scan_signed(word[i], len[i], &value[i])) {
            return false;
        }
    }
    while (at < n && line[at] == ' ') {
        at++;
    }
    return at == n && !__builtin_add_overflow(sum->bytes, value[0], &sum->bytes) &&
           !__builtin_add_overflow(sum->count, value[1], &sum->count);
}

bool quota_file_parse(const char *bytes, size_t n, struct quota_file *out)
{
    struct quota_file file = {.lines = 0};
    const char *end = memchr(bytes, '\n', n);
    if (end == NULL || !quota_parse(bytes, (size_t)(end - bytes), &file.quota)) {
        return false;
    }
    size_t at = (size_t)(end - bytes) + 1;
    while (at < n) {
        end = memchr(bytes + at, '\n', n - at);
        if (end == NULL || !parse_line(bytes + at, (size_t)(end - bytes) - at, &file.usage)) {
            return false; /* a torn line: somebody's write is missing */
        }
        file.lines++;
        at = (size_t)(end - bytes) + 1;
    }
    if (file.usage.bytes < 0 || file.usage.count < 0) {
        return false;
    }
    *out = file;
    return true;
}

static bool is_equal(const struct quota *a, const struct quota *b)
{
    return a->bytes == b->bytes && a->count == b->count;
}

/* 1: read, 0: there is no good one, -1 errno. */
static int read_file(int maildir, struct quota_file *out, struct stat *stat_out)
{
    char bytes[QUOTA_FILE_MAX];
    int fd = openat(maildir, QUOTA_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT || errno == ELOOP ? 0 : -1;
    }
    int result = 0;
    if (fstat(fd, stat_out) == 0 && S_ISREG(stat_out->st_mode) && stat_out->st_size < QUOTA_FILE_MAX) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        result = n > 0 && n < QUOTA_FILE_MAX && quota_file_parse(bytes, (size_t)n, out);
    }
    close(fd);
    return result;
}

static void count_entry(int folder, const char *name, struct quota_usage *usage)
{
    struct mailbox_name parsed;
    struct stat found;
    if (!mailbox_name_parse(name, strlen(name), &parsed) || (parsed.flags & MAILBOX_TRASHED)) {
        return;
    }
    uint64_t size = parsed.size;
    if (size == MAILBOX_UNKNOWN) {
        if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(found.st_mode)) {
            return;
        }
        size = (uint64_t)found.st_size;
    }
    int64_t sum;
    if (!__builtin_add_overflow(usage->bytes, (int64_t)size, &sum)) {
        usage->bytes = sum;
        usage->count++;
    }
}

/* Opens a folder for reading its names; the stream owns the descriptor. */
static DIR *open_names(int dir_at, const char *name)
{
    int fd = openat(dir_at, name, FOLDER_FLAGS);
    DIR *names = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && names == NULL) {
        close(fd);
    }
    return names;
}

/* A sum over modification times that differs when any of the folders changed. */
static uint64_t add_stamp(uint64_t stamp, int folder)
{
    struct stat found;
    if (fstat(folder, &found) < 0) {
        return stamp;
    }
    return stamp * 1000003 + (uint64_t)found.st_mtim.tv_sec * 1000000000 + (uint64_t)found.st_mtim.tv_nsec;
}

/* cur/ and new/ of one folder; usage NULL: the stamp only. */
static uint64_t count_folder(int maildir, uint64_t stamp, struct quota_usage *usage)
{
    static const char *const inner[] = {"cur", "new"};
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        DIR *names = open_names(maildir, inner[i]);
        if (names == NULL) {
            continue;
        }
        stamp = add_stamp(stamp, dirfd(names));
        struct dirent *entry = usage == NULL ? NULL : readdir(names);
        while (entry != NULL) {
            count_entry(dirfd(names), entry->d_name, usage);
            entry = readdir(names);
        }
        closedir(names);
    }
    return stamp;
}

static bool is_counted_folder(const char *name)
{
    return name[0] == '.' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, ".Trash") != 0;
}

static int count_all(int maildir, uint64_t *stamp_out, struct quota_usage *usage)
{
    DIR *names = open_names(maildir, ".");
    if (names == NULL) {
        return -1;
    }
    uint64_t stamp = count_folder(maildir, 0, usage);
    struct dirent *entry = readdir(names);
    while (entry != NULL) {
        int folder = is_counted_folder(entry->d_name) ? openat(maildir, entry->d_name, FOLDER_FLAGS) : -1;
        if (folder >= 0) {
            stamp = count_folder(folder, stamp, usage);
            close(folder);
        }
        entry = readdir(names);
    }
    closedir(names);
    *stamp_out = stamp;
    return 0;
}

static int write_file(int fd, const struct quota *quota, const struct quota_usage *usage)
{
    stralloc text = STRALLOC_ZERO;
    quota_format(&text, quota);
    str_catf(&text, "\n%lld %lld\n", (long long)usage->bytes, (long long)usage->count);
    ssize_t n = write(fd, text.s, text.len);
    bool is_whole = n >= 0 && (size_t)n == text.len;
    stralloc_free(&text);
    return is_whole ? 0 : -1;
}

/* A new maildirsize by way of tmp/. No sync: what a power cut takes is counted again. */
static int replace_file(int maildir, const struct quota *quota, const struct quota_usage *usage)
{
    stralloc name = STRALLOC_ZERO;
    str_catf(&name, "tmp/%llu.%ld_NeWmAiLdIrSiZe", (unsigned long long)clock_wall_us(), (long)getpid());
    int fd = openat(maildir, str_text(&name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int result = -1;
    if (fd >= 0) {
        result = write_file(fd, quota, usage);
        if (result == 0) {
            result = renameat(maildir, name.s, maildir, QUOTA_FILE);
        }
        int saved = errno;
        if (result < 0) {
            unlinkat(maildir, name.s, 0);
        }
        close(fd);
        errno = saved;
    }
    stralloc_free(&name);
    return result;
}

int quota_recalculate(int maildir, const struct quota *quota, struct quota_usage *out)
{
    struct quota_usage usage = {0, 0};
    uint64_t before;
    uint64_t after;
    if (count_all(maildir, &before, &usage) < 0 || count_all(maildir, &after, NULL) < 0) {
        return -1;
    }
    if (before == after && replace_file(maildir, quota, &usage) < 0) {
        return -1;
    }
    *out = usage;
    return 0;
}

int quota_load(int maildir, const struct quota *quota, uint64_t coming, uint64_t now_seconds, struct quota_usage *out)
{
    struct quota_file file;
    struct stat stat;
    if (!quota_is_limited(quota)) {
        *out = (struct quota_usage){0, 0};
        return 0;
    }
    int found = read_file(maildir, &file, &stat);
    if (found < 0) {
        return -1;
    }
    if (found == 0 || !is_equal(&file.quota, quota)) {
        return quota_recalculate(maildir, quota, out);
    }
    uint64_t touched = (uint64_t)stat.st_mtim.tv_sec;
    if (touched + QUOTA_FILE_STALE < now_seconds) {
        return quota_recalculate(maildir, quota, out);
    }
    bool is_old = touched + QUOTA_FILE_SECONDS < now_seconds;
    if (quota_is_exceeded(quota, &file.usage, coming, coming > 0) && (file.lines > 1 || is_old)) {
        return quota_recalculate(maildir, quota, out);
    }
    *out = file.usage;
    return 0;
}

int quota_append(int maildir, int64_t bytes, int64_t count)
{
    char line[LINE_MAX_BYTES];
    struct stat found;
    int fd = openat(maildir, QUOTA_FILE, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    int n = snprintf(line, sizeof line, "%lld %lld\n", (long long)bytes, (long long)count);
    int result = 0;
    if (fstat(fd, &found) == 0 && S_ISREG(found.st_mode)) {
        result = write(fd, line, (size_t)n) == n ? 0 : -1;
    }
    close(fd);
    return result;
}
