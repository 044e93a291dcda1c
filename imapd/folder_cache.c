/* SPDX-License-Identifier: ISC */
/* stafet.cache: [magic 8][id 8], then blobs: [len u32][uid u32][crc u32][0 u32][summary], at multiples of 8. Only appended to,
 * under stafet.lock; an index names it by its id. Each blob is checked when it is read: one that does not fit is parsed anew. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "lib/clock.h"
#include "lib/crc32c.h"
#include "lib/str.h"

#define CACHE_NAME  "stafet.cache"
#define CACHE_MAGIC "STCACHE1"
enum { CACHE_HEADER = 16, BLOBS_MAX = 4 << 20, PIECE = 256 << 10 };

struct blob_head {
    uint32_t len, uid, crc, zero;
};

static void unmap_cache(struct folder *folder)
{
    if (folder->cache_map != NULL) {
        munmap((void *)(uintptr_t)folder->cache_map, folder->cache_len);
        folder->cache_map = NULL;
        folder->cache_len = 0;
    }
}

static void close_cache(struct folder *folder)
{
    unmap_cache(folder);
    if (folder->cache >= 0) {
        close(folder->cache);
        folder->cache = -1;
    }
}

/* The file of this id is open. */
static bool open_cache(struct folder *folder)
{
    char head[CACHE_HEADER];
    uint64_t id;
    if (folder->cache >= 0 && folder->cache_open_id == folder->cache_id) {
        return true;
    }
    close_cache(folder);
    int fd = folder->cache_id == 0 ? -1 : openat(folder->dir, CACHE_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool is_ours = pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head && memcmp(head, CACHE_MAGIC, 8) == 0;
    memcpy(&id, head + 8, sizeof id);
    if (!is_ours || id != folder->cache_id) {
        close(fd);
        return false;
    }
    folder->cache = fd;
    folder->cache_open_id = id;
    return true;
}

/* Maps what there is now, when [at, at+n) lies beyond what is mapped. */
static bool map_cache(struct folder *folder, uint64_t end)
{
    struct stat stat;
    if (end <= folder->cache_len) {
        return true;
    }
    unmap_cache(folder);
    if (fstat(folder->cache, &stat) < 0 || (uint64_t)stat.st_size < end) {
        return false;
    }
    void *map = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, folder->cache, 0);
    if (map == MAP_FAILED) {
        return false;
    }
    folder->cache_map = map;
    folder->cache_len = (size_t)stat.st_size;
    return true;
}

bool folder_cache_find(struct folder *folder, uint32_t index, const char **blob_out, size_t *len_out)
{
    const struct record *record = folder_record_at(folder, index);
    uint64_t at = (uint64_t)record->cache_at * 8;
    struct blob_head head;
    if (at == 0 || !open_cache(folder) || !map_cache(folder, at + sizeof head)) {
        return false;
    }
    memcpy(&head, folder->cache_map + at, sizeof head);
    uint64_t end = (at + sizeof head + head.len + 7) / 8 * 8;
    if (head.uid != record->uid || !map_cache(folder, end)) {
        return false;
    }
    const char *blob = folder->cache_map + at;
    if (crc32c(0, blob + sizeof head, head.len) != head.crc) {
        return false;
    }
    *blob_out = blob;
    *len_out = (size_t)(end - at);
    return true;
}

static bool find_cached(struct folder *folder, uint32_t index, const char **bytes_out, size_t *len_out)
{
    struct blob_head head;
    const char *blob;
    size_t len;
    if (!folder_cache_find(folder, index, &blob, &len)) {
        return false;
    }
    memcpy(&head, blob, sizeof head);
    *bytes_out = blob + sizeof head;
    *len_out = head.len;
    return true;
}

/* Made by this command already? */
static bool find_made(const struct folder *folder, uint32_t uid, const char **bytes_out, size_t *len_out)
{
    uint32_t n = folder->blob_uids.n;
    if (n == 0 || folder->blob_uids.item[n - 1] != uid) {
        return false;
    }
    const char *at = folder->blobs.s + folder->blob_places.item[n - 1];
    struct blob_head head;
    memcpy(&head, at, sizeof head);
    *bytes_out = at + sizeof head;
    *len_out = head.len;
    return true;
}

/* One already encoded summary joins those that wait. */
void folder_cache_put(struct folder *folder, uint32_t uid, const char *bytes, size_t n)
{
    struct blob_head head = {.len = (uint32_t)n, .uid = uid, .crc = crc32c(0, bytes, n)};
    static const char zeros[8];
    folder_list_add(&folder->blob_uids, uid);
    folder_list_add(&folder->blob_places, (uint32_t)folder->blobs.len);
    str_cat(&folder->blobs, (const char *)&head, sizeof head);
    str_cat(&folder->blobs, bytes, n);
    str_cat(&folder->blobs, zeros, (8 - folder->blobs.len % 8) % 8);
}

static int feed_file(struct folder *folder, int fd)
{
    static char *piece;
    ssize_t n;
    if (piece == NULL) {
        piece = memory_get(PIECE, 1);
    }
    while ((n = read(fd, piece, PIECE)) > 0) {
        mime_summary_feed(folder->work, piece, (size_t)n);
    }
    return n < 0 ? -1 : 0;
}

static int make_summary(struct folder *folder, uint32_t index)
{
    int fd = folder_open_message(folder, index, NULL);
    if (fd < 0) {
        return -1;
    }
    if (folder->work == NULL) {
        folder->work = memory_get(1, sizeof *folder->work);
    }
    folder_look_at(folder, index, fd);
    mime_summary_start(folder->work);
    int result = feed_file(folder, fd);
    int error = errno;
    close(fd);
    stralloc summary = STRALLOC_ZERO;
    if (result == 0 && !mime_summary_end(folder->work, &summary)) {
        result = -1;
        error = EFBIG;
    }
    if (result == 0) {
        if (folder->blobs.len > BLOBS_MAX) {
            folder_cache_flush(folder);
        }
        folder_cache_put(folder, folder_record_at(folder, index)->uid, summary.s, summary.len);
    }
    stralloc_free(&summary);
    errno = error;
    return result;
}

int folder_summary(struct folder *folder, uint32_t index, const char **bytes_out, size_t *len_out)
{
    uint32_t uid = folder_record_at(folder, index)->uid;
    if (find_made(folder, uid, bytes_out, len_out) || find_cached(folder, index, bytes_out, len_out)) {
        return 0;
    }
    if (make_summary(folder, index) < 0) {
        return -1;
    }
    (void)find_made(folder, uid, bytes_out, len_out);
    return 0;
}

int folder_cache_create(struct folder *folder)
{
    (void)unlinkat(folder->dir, CACHE_NAME ".tmp", 0);
    return openat(folder->dir, CACHE_NAME ".tmp", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

void folder_cache_head_append(stralloc *out, uint64_t id)
{
    str_cat(out, CACHE_MAGIC, 8);
    str_cat(out, (const char *)&id, sizeof id);
}

int folder_cache_adopt(struct folder *folder, int fd, uint64_t id)
{
    if (renameat(folder->dir, CACHE_NAME ".tmp", folder->dir, CACHE_NAME) < 0) {
        return -1;
    }
    close_cache(folder);
    folder->cache = fd;
    folder->cache_id = folder->cache_open_id = id;
    return 0;
}

uint64_t folder_cache_size(struct folder *folder)
{
    struct stat stat;
    return !open_cache(folder) || fstat(folder->cache, &stat) < 0 ? 0 : (uint64_t)stat.st_size;
}

/* A new file under a new id. */
static int begin_cache(struct folder *folder)
{
    stralloc head = STRALLOC_ZERO;
    uint64_t id = clock_wall_us();
    int fd = folder_cache_create(folder);
    if (fd < 0) {
        return -1;
    }
    folder_cache_head_append(&head, id);
    int result = write_whole(fd, head.s, head.len) < 0 || folder_cache_adopt(folder, fd, id) < 0 ? -1 : 0;
    stralloc_free(&head);
    if (result < 0) {
        close(fd);
        return -1;
    }
    folder_put_stamp(folder, &folder->stamp);
    return 0;
}

static uint32_t size_of_blob(const char *at)
{
    struct mime_summary summary;
    struct blob_head head;
    memcpy(&head, at, sizeof head);
    bool is_good = mime_summary_open(&summary, at + sizeof head, head.len);
    return !is_good || summary.wire_bytes >= UINT32_MAX ? UINT32_MAX : (uint32_t)summary.wire_bytes;
}

static int append_blobs(struct folder *folder)
{
    struct stat stat;
    if ((!open_cache(folder) && begin_cache(folder) < 0) || fstat(folder->cache, &stat) < 0) {
        return -1;
    }
    uint64_t at = ((uint64_t)stat.st_size + 7) / 8 * 8;
    if (at / 8 + folder->blobs.len / 8 > UINT32_MAX || lseek(folder->cache, (off_t)at, SEEK_SET) < 0 ||
        write_whole(folder->cache, folder->blobs.s, folder->blobs.len) < 0) {
        return -1;
    }
    size_t start = entry_begin(&folder->out, ENTRY_CACHE, 0);
    for (uint32_t i = 0; i < folder->blob_uids.n; i++) {
        uint32_t place = folder->blob_places.item[i];
        struct entry_cache item = {.uid = folder->blob_uids.item[i],
                                   .cache_at = (uint32_t)((at + place) / 8),
                                   .size = size_of_blob(folder->blobs.s + place),
                                   .date = RECORD_UNSEEN};
        entry_put(&folder->out, &item, sizeof item);
    }
    entry_end(&folder->out, start, folder->blob_uids.n);
    return 0;
}

static void append_facts(struct folder *folder)
{
    size_t start = entry_begin(&folder->out, ENTRY_CACHE, 0);
    entry_put(&folder->out, folder->facts.s, folder->facts.len);
    entry_end(&folder->out, start, (uint32_t)(folder->facts.len / sizeof(struct entry_cache)));
}

static void forget_staged(struct folder *folder)
{
    folder->blobs.len = folder->facts.len = 0;
    folder->blob_uids.n = folder->blob_places.n = 0;
}

/* A summary has counted the bytes: it has the last word on a size. */
void folder_cache_stage(struct folder *folder)
{
    if (folder->facts.len > 0) {
        append_facts(folder);
    }
    if (folder->blob_uids.n > 0) {
        (void)!append_blobs(folder);
    }
    forget_staged(folder);
}

/* In the midst of a command: the lock, but no new base, so that indexes stay. */
void folder_cache_flush(struct folder *folder)
{
    struct stat stat;
    if (folder->blob_uids.n == 0 && folder->facts.len == 0) {
        return;
    }
    if (flock(folder->lock, LOCK_EX | LOCK_NB) == 0) {
        bool was_own = folder->is_own;
        folder->is_locked = true;
        folder->is_own = false;
        bool is_ours = fstat(folder->lock, &stat) == 0 && stat.st_nlink > 0;
        if (is_ours && folder_play(folder) == 0 && fstat(folder->index, &stat) == 0 && stat.st_nlink > 0) {
            folder_cache_stage(folder);
            (void)!folder_commit(folder); /* a cache that cannot be written costs time, nothing else */
            folder->has_news = false;     /* nobody need wake for it */
        }
        folder->is_own = was_own;
        folder_unlock(folder);
    }
    forget_staged(folder);
}
