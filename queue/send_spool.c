/* SPDX-License-Identifier: ISC */
/* Names only: what a file holds is send_message's matter. Trusts nothing that it reads in new/ and in the trigger but the form of
 * an id. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/scan.h"
#include "queue/send_spool.h"

enum { SCAN_MS = 60000, SYNC_MS = 1000, SLOT_ROOM = 24, TRIGGER_ROOM = 65536 };

static int open_folder(const char *name, bool is_ours)
{
    if (is_ours && mkdir(name, 0700) < 0 && errno != EEXIST) {
        die_temporary("%s cannot be made", name);
    }
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        die_temporary("%s cannot be opened", name);
    }
    return fd;
}

static void take_lock(struct spool *spool)
{
    spool->lock = open("spool/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->lock < 0) {
        die_temporary("spool/lock cannot be opened");
    }
    if (flock(spool->lock, LOCK_EX | LOCK_NB) < 0) {
        die_temporary(errno == EWOULDBLOCK ? "another stafet-send works on this spool: it holds spool/lock"
                                           : "spool/lock cannot be locked");
    }
}

void spool_open(struct spool *spool)
{
    take_lock(spool);
    spool->tmp = open_folder("spool/tmp", false);
    spool->new = open_folder("spool/new", false);
    spool->cur = open_folder("spool/cur", true);
    spool->later = open_folder("spool/later", true);
    spool->hold = open_folder("spool/hold", true);
    spool->bad = open_folder("spool/bad", true);
    spool->trigger = open("spool/trigger", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (spool->trigger < 0 || fstat(spool->trigger, &st) < 0) {
        die_temporary("spool/trigger cannot be opened");
    }
    if (!S_ISFIFO(st.st_mode)) {
        die_temporary("spool/trigger is no FIFO");
    }
}

/* Calls `each` for every name of a folder but . and ..; -1 errno. */
static int walk(int folder, void (*each)(void *ctx, const char *name), void *ctx)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        int error = errno;
        if (fd >= 0) {
            close(fd);
        }
        errno = error;
        return -1;
    }
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL; errno = 0) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            each(ctx, entry->d_name);
        }
    }
    int error = errno;
    closedir(dir);
    errno = error;
    return error == 0 ? 0 : -1;
}

static void add_id(void *ctx, const char *name)
{
    if (msgid_is_valid(name, strlen(name))) {
        id_queue_put(ctx, name);
    } else {
        log_event("stranger", "name=%s reason=%s", name, "spool/new and spool/cur hold message files only; it is left alone");
    }
}

static void count(void *ctx, const char *name)
{
    (void)name;
    (*(size_t *)ctx)++;
}

static void count_rest(struct spool *spool)
{
    spool->n_hold = spool->n_bad = 0;
    if (walk(spool->hold, count, &spool->n_hold) < 0 || walk(spool->bad, count, &spool->n_bad) < 0) {
        log_event("alert", "folder=%s error=%s", "spool/hold or spool/bad", strerror(errno));
    }
}

static void slot_name(const struct waiting *entry, char out[SLOT_ROOM])
{
    (void)snprintf(out, SLOT_ROOM, "%010llu", (unsigned long long)entry->minute * 60);
}

static void later_name(const struct waiting *entry, char out[SPOOL_NAME])
{
    struct spoolfile_later later;
    char slot[SLOT_ROOM];
    slot_name(entry, slot);
    waiting_name(entry, &later);
    (void)snprintf(out, SPOOL_NAME, "%s/%s.%u.%s.%s", slot, later.id, later.tries, later.site, later.why);
}

/* Moves into later/, making the slot's folder. */
static int move_later(const struct spool *spool, int from, const char *name, const struct waiting *entry)
{
    char to[SPOOL_NAME], slot[SLOT_ROOM];
    later_name(entry, to);
    if (renameat(from, name, spool->later, to) == 0) {
        return 0;
    }
    slot_name(entry, slot);
    if (errno != ENOENT || (mkdirat(spool->later, slot, 0700) < 0 && errno != EEXIST)) {
        return -1;
    }
    return renameat(from, name, spool->later, to);
}

struct slot_walk {
    struct spool *spool;
    struct waiting_list *list;
    const char *slot;
    int folder;
};

/* The list rebuilds the name from its entry: a file of another spelling gets ours. */
static void add_later(void *ctx, const char *name)
{
    const struct slot_walk *walk_of = ctx;
    char wanted[SPOOL_NAME];
    struct waiting entry;
    uint64_t seconds = 0;
    (void)scan_decimal_text(walk_of->slot, UINT32_MAX * (uint64_t)60, &seconds);
    if (!waiting_from_name(name, seconds + 59, &entry)) {
        log_event("stranger", "name=%s reason=%s", name, "no name of a message that waits; it is left alone");
        return;
    }
    later_name(&entry, wanted);
    size_t n = strlen(walk_of->slot);
    if ((strncmp(wanted, walk_of->slot, n) != 0 || wanted[n] != '/' || strcmp(wanted + n + 1, name) != 0) &&
        move_later(walk_of->spool, walk_of->folder, name, &entry) < 0) {
        log_event("alert", "name=%s error=%s", name, strerror(errno));
        return;
    }
    waiting_add(walk_of->list, &entry);
}

static void add_slot(void *ctx, const char *name)
{
    struct slot_walk *walk_of = ctx;
    walk_of->slot = name;
    walk_of->folder = openat(walk_of->spool->later, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (walk_of->folder < 0 || walk(walk_of->folder, add_later, ctx) < 0) {
        log_event("alert", "folder=%s error=%s", name, strerror(errno));
    }
    if (walk_of->folder >= 0) {
        close(walk_of->folder);
        (void)unlinkat(walk_of->spool->later, name, AT_REMOVEDIR); /* where it is empty */
    }
}

void spool_read(struct spool *spool, struct id_queue *fresh, struct id_queue *again, struct waiting_list *later)
{
    struct slot_walk walk_of = {.spool = spool, .list = later};
    if (walk(spool->later, add_slot, &walk_of) < 0 || walk(spool->cur, add_id, again) < 0 ||
        walk(spool->new, add_id, fresh) < 0) {
        die_temporary("the spool cannot be read");
    }
    id_queue_sort(fresh);
    id_queue_sort(again);
    count_rest(spool);
}

void spool_read_trigger(struct spool *spool, struct id_queue *fresh)
{
    static char bytes[TRIGGER_ROOM];
    ssize_t n = read(spool->trigger, bytes, sizeof bytes);
    for (ssize_t at = 0; at + SPOOLFILE_TRIGGER <= n; at += SPOOLFILE_TRIGGER) {
        char record[SPOOLFILE_TRIGGER], id[MSGID_LEN + 1] = {0};
        memcpy(id, bytes + at, MSGID_LEN);
        spoolfile_trigger_record(id, record);
        if (msgid_is_valid(id, MSGID_LEN) && memcmp(record, bytes + at, sizeof record) == 0) {
            id_queue_put(fresh, id);
        } else {
            spool->wants_scan = true;
        }
    }
    /* A full pipe may have turned others away, and a piece of a record is none. */
    spool->wants_scan = spool->wants_scan || n == (ssize_t)sizeof bytes || (n > 0 && n % SPOOLFILE_TRIGGER != 0);
}

void spool_scan(struct spool *spool, struct id_queue *fresh, uint64_t now_ms)
{
    if (fresh->n > 0 || (!spool->wants_scan && now_ms - spool->scanned_ms < SCAN_MS)) {
        return;
    }
    spool->scanned_ms = now_ms;
    spool->wants_scan = false;
    if (walk(spool->new, add_id, fresh) < 0) {
        log_event("alert", "folder=%s error=%s", "spool/new", strerror(errno));
    }
    id_queue_sort(fresh);
}

int spool_where(const struct spool *spool, enum spool_place place, const struct waiting *entry, char name_out[SPOOL_NAME])
{
    id_unpack(&entry->id, name_out);
    switch (place) {
    case PLACE_NEW:
        return spool->new;
    case PLACE_HOLD:
        return spool->hold;
    case PLACE_LATER:
        if ((entry->flags & WAITING_IN_CUR) != 0) {
            break;
        }
        later_name(entry, name_out);
        return spool->later;
    case PLACE_CUR:
        break;
    }
    return spool->cur;
}

int spool_read_hold(const struct spool *spool, struct id_queue *out)
{
    return walk(spool->hold, add_id, out);
}

int spool_take_new(const struct spool *spool, const char *id)
{
    return renameat(spool->new, id, spool->cur, id);
}

int spool_take_later(const struct spool *spool, const struct waiting *entry)
{
    char from[SPOOL_NAME], slot[SLOT_ROOM], id[MSGID_LEN + 1];
    if ((entry->flags & WAITING_IN_CUR) != 0) {
        return 0;
    }
    later_name(entry, from);
    id_unpack(&entry->id, id);
    if (renameat(spool->later, from, spool->cur, id) < 0) {
        return -1;
    }
    slot_name(entry, slot);
    (void)unlinkat(spool->later, slot, AT_REMOVEDIR); /* where it is empty */
    return 0;
}

int spool_put_later(struct spool *spool, struct waiting *entry)
{
    char id[MSGID_LEN + 1];
    id_unpack(&entry->id, id);
    if (move_later(spool, spool->cur, id, entry) < 0) {
        entry->flags |= WAITING_IN_CUR;
        return -1;
    }
    return 0;
}

int spool_put_bad(struct spool *spool, const char *id, const char *reason)
{
    char name[SPOOL_NAME];
    (void)snprintf(name, sizeof name, "%s.%s", id, reason);
    if (renameat(spool->cur, id, spool->bad, name) < 0) {
        return -1;
    }
    spool->n_bad++;
    return 0;
}

int spool_put_hold(struct spool *spool, const char *id)
{
    if (renameat(spool->cur, id, spool->hold, id) < 0) {
        return -1;
    }
    spool->n_hold++;
    return 0;
}

int spool_remove(struct spool *spool, const char *id)
{
    spool->is_cur_dirty = true;
    return unlinkat(spool->cur, id, 0);
}

void spool_sync_cur(struct spool *spool, uint64_t now_ms)
{
    if (!spool->is_cur_dirty || now_ms - spool->synced_ms < SYNC_MS) {
        return;
    }
    spool->is_cur_dirty = false;
    spool->synced_ms = now_ms;
    if (fsync(spool->cur) < 0) {
        log_event("alert", "folder=%s error=%s", "spool/cur", strerror(errno));
    }
}
