/* SPDX-License-Identifier: ISC */
/* When is there something to scan? The index remembers the mtimes that were in force when it was true. An mtime is taken from a
 * clock that ticks every few milliseconds, and our own renames change it too, so an equal one proves nothing when it is young:
 * new/ is looked at once more then, cur/ some seconds later (how many depends on its size: a scan costs its share of them). */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"

/* TICK: longer than any tick of the clock of mtimes; some file systems know whole seconds only, FAT every other one. */
enum {
    TICK_US = 20000,
    LONG_TICK_US = 2000000,
    VERIFY_MIN_US = 2000000,
    VERIFY_EACH_US = 100,
    PATIENCE = 5,
    SECOND_NS = 1000000000
};

static uint64_t ns_of(const struct stat *stat)
{
    return (uint64_t)stat->st_mtim.tv_sec * SECOND_NS + (uint64_t)stat->st_mtim.tv_nsec;
}

int folder_stamp_now(const struct folder *folder, struct index_stamp *out)
{
    struct stat stat;
    *out = (struct index_stamp){0};
    if (fstat(folder->fresh, &stat) < 0) {
        return -1;
    }
    out->fresh_ns = ns_of(&stat);
    if (fstat(folder->cur, &stat) < 0) {
        return -1;
    }
    out->cur_ns = ns_of(&stat);
    if (fstatat(folder->dir, UIDLIST_NAME, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
        out->uidlist_ns = ns_of(&stat);
        out->uidlist_size = (uint64_t)stat.st_size;
        out->uidlist_inode = stat.st_ino;
    } else if (errno != ENOENT) {
        return -1;
    }
    if (fstatat(folder->dir, KEYWORDS_OURS, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
        out->keywords_size = (uint64_t)stat.st_size;
    } else if (errno != ENOENT) {
        return -1;
    }
    return 0;
}

void folder_put_stamp(struct folder *folder, const struct index_stamp *stamp)
{
    struct entry_stamp entry = {.stamp = *stamp,
                                .scanned_us = folder->scanned_us,
                                .cache_id = folder->cache_id,
                                .fresh_at = folder->fresh_at,
                                .uidnext = folder->uidnext,
                                .first_recent = folder->first_recent};
    size_t start = entry_begin(&folder->out, ENTRY_STAMP, 0);
    entry_put(&folder->out, &entry, sizeof entry);
    entry_end(&folder->out, start, 1);
}

/* How late that clock is does not matter: it is the one we ask. That of a network is the server's. */
uint64_t folder_clock_us(const struct folder *folder)
{
    struct stat stat;
    if (mailbox_is_snapshot(folder->cur)) {
        return clock_file_us();
    }
    return futimens(folder->lock, NULL) < 0 || fstat(folder->lock, &stat) < 0 ? 0 : ns_of(&stat) / 1000;
}

uint64_t folder_cur_now(const struct folder *folder)
{
    struct stat stat;
    return fstat(folder->cur, &stat) < 0 ? 0 : ns_of(&stat);
}

/* May what happens at this time still have that mtime? */
static bool is_in_tick(uint64_t ns, uint64_t us)
{
    return ns / 1000 + (ns % SECOND_NS == 0 ? LONG_TICK_US : TICK_US) > us;
}

/* Where the clock was set back nobody would verify it: it is not remembered. */
uint64_t folder_vouched(uint64_t cur_ns, uint64_t scanned_us)
{
    return is_in_tick(cur_ns, scanned_us) ? cur_ns : 0;
}

void folder_put_stamp_since(struct folder *folder, const struct index_stamp *before, uint64_t cur_ns)
{
    struct index_stamp now;
    struct index_stamp stamp = folder->stamp;
    if (folder_stamp_now(folder, &now) < 0) {
        return; /* the next look finds the difference */
    }
    if (before->cur_ns == stamp.cur_ns) {
        stamp.cur_ns = folder_vouched(cur_ns, folder->scanned_us);
    }
    bool is_list_known = before->uidlist_ns == stamp.uidlist_ns && before->uidlist_size == stamp.uidlist_size &&
                         before->uidlist_inode == stamp.uidlist_inode;
    if (is_list_known) {
        stamp.uidlist_ns = now.uidlist_ns;
        stamp.uidlist_size = now.uidlist_size;
        stamp.uidlist_inode = now.uidlist_inode;
    }
    if (before->keywords_size == stamp.keywords_size) {
        stamp.keywords_size = now.keywords_size;
    }
    if (memcmp(&stamp, &folder->stamp, sizeof stamp) != 0) {
        folder_put_stamp(folder, &stamp);
    }
}

void folder_put_stamp_of_keywords(struct folder *folder, const struct index_stamp *before)
{
    struct index_stamp now;
    struct index_stamp stamp = folder->stamp;
    if (before->keywords_size != stamp.keywords_size || folder_stamp_now(folder, &now) < 0) {
        return;
    }
    stamp.keywords_size = now.keywords_size;
    if (stamp.keywords_size != folder->stamp.keywords_size) {
        folder_put_stamp(folder, &stamp);
    }
}

/* An mtime of new/ that may still hide a delivery is not remembered. */
void folder_forget_young(struct index_stamp *stamp, uint64_t looked_us)
{
    if (is_in_tick(stamp->fresh_ns, looked_us)) {
        stamp->fresh_ns = 0;
    }
}

int folder_doubt(struct folder *folder)
{
    struct index_stamp doubtful = folder->stamp;
    if (doubtful.cur_ns == 0) {
        return 0;
    }
    doubtful.cur_ns = 0;
    folder_put_stamp(folder, &doubtful);
    return folder_commit(folder);
}

static bool is_young(const struct folder *folder, uint64_t cur_ns)
{
    return is_in_tick(cur_ns, folder->scanned_us);
}

bool folder_is_sure(const struct folder *folder, const struct index_stamp *now)
{
    return now->cur_ns == folder->stamp.cur_ns && now->fresh_ns == folder->stamp.fresh_ns && !is_young(folder, now->cur_ns);
}

bool folder_is_verify_due(const struct folder *folder, const struct index_stamp *now, bool is_waiting)
{
    uint64_t pause = VERIFY_MIN_US + (uint64_t)folder->n_live * VERIFY_EACH_US;
    uint64_t clock = clock_file_us();
    return is_young(folder, now->cur_ns) &&
           (clock > folder->scanned_us + (is_waiting ? PATIENCE * pause : pause) || clock < folder->scanned_us);
}
