/* SPDX-License-Identifier: ISC */
/* Opening, locking, syncing. stafet.lock is held for one look and one append; nobody waits for a lock to read. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "imapd/mailboxes.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/wake.h"

enum {
    DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
    JOURNAL_MAX = 128 * 1024,
    UNLOCK_TRIES = 3,
    TAIL_MAX = 512,
    LATE = 2,
    PRESSED = 4 << 20
};

uint64_t folder_next_modseq(const struct folder *folder)
{
    uint64_t now = clock_wall_us();
    return now > folder->modseq ? now : folder->modseq + 1;
}

/* Anything that a client can see? */
static bool is_news(const stralloc *entries)
{
    struct entry_head head;
    for (size_t at = 0; at < entries->len; at += head.len) {
        memcpy(&head, entries->s + at, sizeof head);
        if (head.kind != ENTRY_STAMP && head.kind != ENTRY_CACHE) {
            return true;
        }
    }
    return false;
}

static int append_out(const struct folder *folder)
{
    if (lseek(folder->index, (off_t)folder->journal_at, SEEK_SET) >= 0 &&
        write_whole(folder->index, folder->out.s, folder->out.len) == 0) {
        return 0;
    }
    int error = errno;
    (void)!ftruncate(folder->index, (off_t)folder->journal_at);
    errno = error;
    return -1;
}

int folder_commit(struct folder *folder)
{
    if (folder->out.len == 0) {
        return 0;
    }
    if (folder->map == NULL) {
        folder_return(folder);
    }
    int result = folder->is_building ? 0 : append_out(folder);
    if (result == 0) {
        folder->has_news = folder->has_news || is_news(&folder->out);
        folder_play_out(folder);
    }
    folder->out.len = 0;
    return result;
}

static int open_lock(struct folder *folder)
{
    folder->lock = openat(folder->dir, DOTLOCK_OURS, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return folder->lock < 0 ? -1 : 0;
}

/* A file whose name is gone locks nothing: others have a new one. 0; -1 errno. */
static int take_lock(struct folder *folder)
{
    struct stat stat = {.st_nlink = 1};
    for (;;) {
        if (flock(folder->lock, LOCK_EX) < 0) {
            if (errno != EINTR) {
                return -1;
            }
        } else if (fstat(folder->lock, &stat) < 0 || stat.st_nlink > 0) {
            folder->is_locked = true;
            return 0;
        } else {
            close(folder->lock);
            if (open_lock(folder) < 0) {
                return -1;
            }
        }
    }
}

int folder_lock(struct folder *folder)
{
    if (take_lock(folder) < 0) {
        return -1;
    }
    folder->out.len = 0;
    bool was_own = folder->is_own;
    folder->is_own = false;
    int result = folder_play(folder) < 0 || folder_switch(folder) < 0 ? -1 : 0;
    folder->is_own = was_own;
    if (result < 0) {
        folder_unlock(folder);
    }
    return result;
}

void folder_unlock(struct folder *folder)
{
    int error = errno;
    folder->is_locked = false;
    /* Else a second look at the same folder would wait for ourselves. */
    for (unsigned try = 0; try < UNLOCK_TRIES && flock(folder->lock, LOCK_UN) < 0; try++) {
    }
    if (folder->has_news) {
        folder->has_news = false;
        wake_all(folder->dir);
    }
    errno = error;
}

/* Somebody else may have built it meanwhile. */
static int build_locked(struct folder *folder)
{
    if (take_lock(folder) < 0) {
        return -1;
    }
    int result = 0;
    folder->index = openat(folder->dir, INDEX_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (folder->index >= 0 && folder_load(folder) < 0) {
        log_event("alert", "what=%s", "a damaged index is made anew");
        close(folder->index);
        folder->index = -1;
    }
    if (folder->index < 0) {
        result = folder_build(folder);
    }
    folder_unlock(folder);
    return result;
}

static int open_index(struct folder *folder)
{
    folder->index = openat(folder->dir, INDEX_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (folder->index >= 0 && folder_load(folder) == 0) {
        return 0;
    }
    if (folder->index < 0 && errno != ENOENT) {
        return -1;
    }
    if (folder->index >= 0) {
        close(folder->index);
        folder->index = -1;
    }
    return build_locked(folder);
}

static int open_folders(struct folder *folder, int root, const char *path)
{
    stralloc directory = STRALLOC_ZERO;
    mailboxes_directory(root, path, &directory);
    folder->dir = openat(root, directory.s, DIRECTORY);
    stralloc_free(&directory);
    if (folder->dir < 0) {
        return -1;
    }
    folder->fresh = openat(folder->dir, "new", DIRECTORY);
    folder->cur = openat(folder->dir, "cur", DIRECTORY);
    return folder->fresh < 0 || folder->cur < 0 || open_lock(folder) < 0 ? -1 : 0;
}

struct opening {
    struct folder *folder;
    int root;
    const char *path;
};

static int open_all(void *ctx)
{
    const struct opening *opening = ctx;
    struct folder *folder = opening->folder;
    return open_folders(folder, opening->root, opening->path) < 0 || open_index(folder) < 0 || folder_play(folder) < 0 ||
                   folder_switch(folder) < 0
               ? -1
               : 0;
}

/* Damage that shows at once is mended at once. */
static int try_to_open(struct opening *opening, enum folder_mode mode)
{
    struct folder *folder = opening->folder;
    memset(folder, 0, sizeof *folder);
    folder->mode = mode;
    folder->is_root = strcmp(opening->path, ".") == 0;
    folder->dir = folder->fresh = folder->cur = folder->lock = folder->index = folder->cache = -1;
    int result = folder_guarded(folder, open_all, opening);
    if (result < 0) {
        int error = errno;
        folder_close(folder);
        errno = error;
    }
    return result;
}

int folder_open(struct folder *folder, int root, const char *path, enum folder_mode mode)
{
    struct opening opening = {.folder = folder, .root = root, .path = path};
    int result = try_to_open(&opening, mode);
    if (result < 0 && errno == EUCLEAN) {
        result = try_to_open(&opening, mode);
    }
    if (result < 0) {
        return -1;
    }
    /* Nothing was told yet: all of it is the first answer. */
    folder->changed.n = 0;
    for (uint32_t i = 0; i < folder->pending.n; i++) {
        folder_list_add(&folder->gone, folder->pending.item[i]);
    }
    folder_list_sort(&folder->gone);
    folder->pending.n = folder->ghosts.n = 0;
    folder->told_end = 0;
    return 0;
}

static void close_one(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void folder_close(struct folder *folder)
{
    folder_rest(folder);
    int *fds[] = {&folder->dir, &folder->fresh, &folder->cur, &folder->lock, &folder->index, &folder->cache};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        close_one(fds[i]);
    }
    free(folder->tail);
    folder->tail = NULL;
    stralloc_free(&folder->tail_names);
    stralloc_free(&folder->keywords.text);
    stralloc_free(&folder->out);
    struct folder_list *lists[] = {&folder->gone,    &folder->pending,   &folder->ghosts,
                                   &folder->changed, &folder->blob_uids, &folder->blob_places};
    stralloc_free(&folder->blobs);
    stralloc_free(&folder->facts);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        folder_list_free(lists[i]);
    }
}

static void add_recent(struct folder *folder, uint32_t from, uint32_t to)
{
    unsigned n = folder->n_recent;
    if (n > 0 && folder->recent[n - 1].to == from) {
        folder->recent[n - 1].to = to;
        return;
    }
    if (n == sizeof folder->recent / sizeof *folder->recent) {
        memmove(folder->recent, folder->recent + 1, sizeof *folder->recent * (n - 1));
        n--;
    }
    folder->recent[n] = (struct folder_span){from, to};
    folder->n_recent = n + 1;
}

/* The first session that selects takes \Recent; one that only looks sees it without taking it. */
static void take_recent(struct folder *folder)
{
    if (folder->first_recent >= folder->uidnext) {
        return;
    }
    if (folder->mode == FOLDER_WRITE) {
        add_recent(folder, folder->first_recent, folder->uidnext);
        folder->first_recent = folder->uidnext;
        folder_put_stamp(folder, &folder->stamp);
    } else {
        folder->n_recent = 0;
        add_recent(folder, folder->first_recent, folder->uidnext);
    }
}

static bool is_base_old(const struct folder *folder)
{
    return folder->journal_at - folder->head.journal_at > JOURNAL_MAX || folder->n_tail > TAIL_MAX;
}

static int sync_locked(struct folder *folder)
{
    int result = folder_lock(folder);
    if (result < 0) {
        return -1;
    }
    result = folder_take_in(folder, true);
    if (result == 0) {
        take_recent(folder);
        result = folder_commit(folder);
    }
    folder_unlock(folder);
    return result;
}

/* While nobody waits. */
void folder_tidy(struct folder *folder)
{
    struct index_stamp now;
    bool is_verify_due = folder->index >= 0 && folder_stamp_now(folder, &now) == 0 && folder_is_verify_due(folder, &now, false);
    if ((!is_verify_due && !is_base_old(folder)) || folder_lock(folder) < 0) {
        return;
    }
    if (is_verify_due) {
        (void)!folder_take_in(folder, false);
    }
    /* Somebody else may have done it while we waited. */
    if (is_base_old(folder)) {
        folder_compact(folder);
        if (folder_write_base(folder, folder->head.uidvalidity) == 0) {
            (void)!folder_switch(folder);
        }
    }
    folder_unlock(folder);
}

static int tidy_step(void *ctx)
{
    folder_tidy(ctx);
    return 0;
}

void folder_tidy_late(struct folder *folder)
{
    if (folder->index >= 0 && folder->journal_at - folder->head.journal_at > (uint64_t)LATE * JOURNAL_MAX) {
        (void)!folder_guarded(folder, tidy_step, folder);
    }
}

void folder_tidy_pressed(struct folder *folder)
{
    if (folder->journal_at > 2 * folder->head.journal_at + PRESSED) {
        folder_tidy(folder);
    }
}

int folder_sync(struct folder *folder, enum folder_depth depth)
{
    struct index_stamp now;
    folder_forget_names(folder);
    if (folder_play(folder) < 0 || folder_switch(folder) < 0) {
        return -1;
    }
    if (folder->is_torn) {
        return sync_locked(folder);
    }
    if (depth == FOLDER_JOURNAL) {
        return 0;
    }
    if (folder_stamp_now(folder, &now) < 0) {
        return -1;
    }
    bool is_same = memcmp(&now, &folder->stamp, sizeof now) == 0 && !folder_is_verify_due(folder, &now, true);
    bool is_writing = folder->mode == FOLDER_WRITE && (folder->n_new > 0 || folder->first_recent < folder->uidnext);
    if (is_same && !is_writing) {
        if (folder->mode == FOLDER_READ) {
            take_recent(folder);
        }
        return 0;
    }
    return sync_locked(folder);
}
