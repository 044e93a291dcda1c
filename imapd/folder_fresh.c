/* SPDX-License-Identifier: ISC */
/* stafet.fresh into stafet.cache, for the messages that a scan has just found: the first FETCH after a delivery is warm. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/folder_scan.h"
#include "lib/fresh.h"
#include "lib/str.h"

enum { KEEP = 1 << 20 };

static const char *new_name(const void *ctx, uint32_t value, size_t *len_out)
{
    const struct scan *scan = ctx;
    const struct record *records = (const struct record *)(const void *)scan->records.s;
    const char *name = scan->names.s + records[value].name_at;
    *len_out = strlen(name);
    return name;
}

static void take_entries(struct scan *scan, const stralloc *bytes, size_t *at)
{
    struct namehash known;
    struct fresh_entry entry;
    const struct record *records = (const struct record *)(const void *)scan->records.s;
    namehash_init(&known, scan->n_records, new_name, scan);
    for (uint32_t i = 0; i < scan->n_records; i++) {
        size_t len;
        const char *name = new_name(scan, i, &len);
        namehash_put(&known, name, len, i);
    }
    while (fresh_next(bytes->s, bytes->len, at, &entry)) {
        uint32_t found = namehash_find(&known, entry.base, entry.base_len);
        if (found != NAMEHASH_NONE) {
            folder_cache_put(scan->folder, records[found].uid, entry.summary, entry.summary_len);
        }
    }
    namehash_free(&known);
}

/* What lies behind fresh_at. False: it is no file of ours. */
static bool read_rest(struct folder *folder, int fd, stralloc *bytes)
{
    struct stat stat;
    if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || stat.st_size > (off_t)2 * FRESH_MAX) {
        return false;
    }
    uint64_t size = (uint64_t)stat.st_size;
    folder->fresh_at = folder->fresh_at > size ? 0 : folder->fresh_at;
    size_t n = (size_t)(size - folder->fresh_at);
    ssize_t got = pread(fd, str_room(bytes, n + 1), n, (off_t)folder->fresh_at);
    bytes->len = got < 0 ? 0 : (size_t)got;
    return got >= 0;
}

/* May the file go on? An entry that broke would hide all behind it. */
static bool take_rest(struct scan *scan, int fd)
{
    struct folder *folder = scan->folder;
    stralloc bytes = STRALLOC_ZERO;
    size_t at = 0;
    bool is_good = read_rest(folder, fd, &bytes);
    if (is_good && bytes.len > 0) {
        take_entries(scan, &bytes, &at);
        is_good = folder->fresh_at + bytes.len <= KEEP && !fresh_is_broken(bytes.s, bytes.len, at);
        folder->fresh_at += at;
        folder_cache_stage(folder);
    }
    stralloc_free(&bytes);
    return is_good;
}

void scan_take_fresh(struct scan *scan)
{
    struct folder *folder = scan->folder;
    int fd = scan->n_records == 0 ? -1 : openat(folder->dir, FRESH_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    bool may_go_on = take_rest(scan, fd);
    close(fd);
    if (!may_go_on) {
        (void)unlinkat(folder->dir, FRESH_NAME, 0); /* what a deliverer adds to it meanwhile is parsed by the session */
        folder->fresh_at = 0;
    }
}
