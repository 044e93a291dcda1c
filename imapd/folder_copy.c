/* SPDX-License-Identifier: ISC */
/* COPY: a hard link a message, or a copy of the bytes where links end; MOVE: a rename. The target's lock is held while names are
 * made; MOVE holds the source's too, both taken in the order of their inodes. */
#include "imapd/folder_add.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "imapd/nameinfo.h"
#include "lib/str.h"

enum { COPY_BUFFER = 65536, TRIES = 64, UNMAPPED = -3 };

struct transfer {
    struct folder *from, *to;
    struct adding adding;
    bool is_move;
    bool has_source_lock;
    struct index_stamp source_before;
    uint64_t source_named_ns;  /* of its cur/, behind the last name that went */
    int keyword[KEYWORDS_MAX]; /* from's numbers in `to` */
    struct folder_list gone;   /* UIDs that other programs took */
    stralloc source, base, target;
};

/* Keywords go by name; those that the target has no room for (FOLDER_NO_KEYWORD) are left behind. The target is locked. -1 errno.
 */
static int map_keyword(struct transfer *transfer, unsigned number)
{
    const struct keywords *keywords = &transfer->from->keywords;
    int *mapped = &transfer->keyword[number];
    if (*mapped == UNMAPPED) {
        const char *name = keywords->text.s + keywords->at[number];
        bool is_named = keywords->len[number] > 0;
        int made = is_named ? folder_make_keyword(transfer->to, name, keywords->len[number]) : FOLDER_NO_KEYWORD;
        *mapped = made == -1 ? UNMAPPED : made;
        return made;
    }
    return *mapped;
}

/* 0; -1 errno. */
static int map_keywords(struct transfer *transfer, uint64_t bits, uint64_t *out)
{
    *out = 0;
    for (; bits != 0; bits &= bits - 1) {
        int number = map_keyword(transfer, (unsigned)__builtin_ctzll(bits));
        if (number == -1) {
            return -1;
        }
        *out |= number < 0 ? 0 : UINT64_C(1) << number;
    }
    return 0;
}

/* The same name may stand in the target already. The time of arrival stays; where the name does not begin with one (a name must
 * not begin with a dot) it is INTERNALDATE. */
static void make_base(struct transfer *transfer, const char *old, uint32_t date)
{
    transfer->base.len = 0;
    mailbox_base_append(&transfer->base, old, strlen(old), 'C', date);
}

static int write_copy(int in, int out)
{
    char buffer[COPY_BUFFER];
    struct stat stat;
    ssize_t n;
    while ((n = read(in, buffer, sizeof buffer)) > 0) {
        if (write_whole(out, buffer, (size_t)n) < 0) {
            return -1;
        }
    }
    if (n < 0 || fstat(in, &stat) < 0) {
        return -1;
    }
    struct timespec times[2] = {stat.st_mtim, stat.st_mtim};
    return futimens(out, times) < 0 ? -1 : fsync(out);
}

static int copy_bytes(struct transfer *transfer)
{
    int in = openat(transfer->from->dir, str_text(&transfer->source), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (in < 0) {
        return -1;
    }
    stralloc tmp = STRALLOC_ZERO;
    str_cats(&tmp, "tmp/");
    str_cat(&tmp, transfer->base.s, transfer->base.len);
    int out = openat(transfer->to->dir, str_text(&tmp), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int result = out < 0 || write_copy(in, out) < 0 ? -1 : 0;
    if (result == 0) {
        result = renameat2(transfer->to->dir, tmp.s, transfer->to->dir, str_text(&transfer->target), RENAME_NOREPLACE);
    }
    int error = errno;
    if (out >= 0) {
        close(out);
    }
    if (result < 0) {
        (void)unlinkat(transfer->to->dir, tmp.s, 0);
    }
    close(in);
    stralloc_free(&tmp);
    errno = error;
    return result;
}

static int transfer_file(struct transfer *transfer)
{
    const char *source = str_text(&transfer->source);
    const char *target = str_text(&transfer->target);
    if (transfer->is_move) {
        return renameat2(transfer->from->dir, source, transfer->to->dir, target, RENAME_NOREPLACE);
    }
    if (linkat(transfer->from->dir, source, transfer->to->dir, target, 0) == 0) {
        return 0;
    }
    return errno == EMLINK || errno == EXDEV || errno == EPERM ? copy_bytes(transfer) : -1;
}

/* The file by the index's word at the first try, then by its name now, with the flags that other programs have given it. */
static int find_source(struct transfer *transfer, uint32_t index, unsigned try, struct record *record)
{
    struct folder *from = transfer->from;
    struct nameinfo info;
    transfer->source.len = 0;
    bool is_odd = record->state & RECORD_IS_ODD;
    if (try == 0 && !is_odd) {
        folder_name_append(from, index, &transfer->source);
        return 0;
    }
    if (folder_find_name(from, index, try > (is_odd ? 0 : 1), &transfer->source) < 0) {
        return -1;
    }
    size_t base_end = sizeof "cur/" - 1 + strlen(folder_base_name(from, index));
    nameinfo_parse(transfer->source.s + base_end, transfer->source.len - base_end, &info);
    record->flags = info.flags;
    record->keywords = (record->keywords & ~KEYWORDS_LETTER_BITS) | info.keywords;
    return 0;
}

/* The record as the target will have it, and its name. 0; -1 errno. */
static int put_target(struct transfer *transfer, struct record *record)
{
    uint64_t keywords;
    if (map_keywords(transfer, record->keywords, &keywords) < 0) {
        return -1;
    }
    transfer->adding.before.keywords_size = transfer->to->stamp.keywords_size; /* new names are known already */
    record->keywords = keywords;
    transfer->target.len = 0;
    str_cats(&transfer->target, "cur/");
    str_cat(&transfer->target, transfer->base.s, transfer->base.len);
    nameinfo_append(&transfer->target, record->flags, record->keywords);
    return adding_announce(&transfer->adding, &transfer->base, record->keywords);
}

/* Keywords may have to be written, which takes a while: nobody vouches for what comes to both folders meanwhile. */
static int choose_target(struct transfer *transfer, struct record *record)
{
    if (record->keywords == 0) {
        return put_target(transfer, record);
    }
    uint64_t from_ns = folder_cur_now(transfer->from);
    uint64_t to_ns = folder_cur_now(transfer->to);
    int result = put_target(transfer, record);
    if (folder_cur_now(transfer->from) != from_ns) {
        transfer->source_before.cur_ns = UINT64_MAX;
    }
    if (folder_cur_now(transfer->to) != to_ns) {
        transfer->adding.before.cur_ns = UINT64_MAX;
    }
    return result;
}

/* 1 done, 0 it is gone, -1 errno. */
static int transfer_one(struct transfer *transfer, uint32_t uid)
{
    struct folder *from = transfer->from;
    uint32_t index = folder_index_of_uid(from, uid);
    if (index == FOLDER_NONE) {
        return 0;
    }
    struct record record = *folder_record_at(from, index);
    make_base(transfer, folder_base_name(from, index), record.date);
    for (unsigned try = 0; try < TRIES; try++) {
        if (find_source(transfer, index, try, &record) < 0) {
            if (errno == ENOENT) {
                folder_list_add(&transfer->gone, uid);
            }
            return errno == ENOENT ? 0 : -1;
        }
        struct record copy = record;
        if (choose_target(transfer, &copy) < 0) {
            return -1;
        }
        if (transfer_file(transfer) == 0) {
            adding_put(&transfer->adding, &copy, &transfer->base, &transfer->target);
            return 1;
        }
        if (errno != ENOENT) {
            return -1;
        }
    }
    errno = EAGAIN; /* it is there, under a name that never holds still */
    return -1;
}

static ino_t lock_inode(const struct folder *folder)
{
    struct stat stat;
    return fstat(folder->lock, &stat) < 0 ? 0 : stat.st_ino;
}

static int lock_source(struct transfer *transfer)
{
    if (folder_lock(transfer->from) < 0) {
        return -1;
    }
    transfer->has_source_lock = true;
    return 0;
}

/* A folder onto itself has one lock, for the target: the source hears of it afterwards. */
static int lock_both(struct transfer *transfer)
{
    ino_t from = lock_inode(transfer->from);
    ino_t to = lock_inode(transfer->to);
    if (transfer->is_move && from < to && lock_source(transfer) < 0) {
        return -1;
    }
    if (adding_begin(&transfer->adding, transfer->to) < 0) {
        return -1;
    }
    transfer->adding.is_move = transfer->is_move;
    bool has_failed = transfer->is_move && from > to && lock_source(transfer) < 0;
    has_failed = has_failed || (transfer->has_source_lock && folder_stamp_now(transfer->from, &transfer->source_before) < 0);
    if (has_failed || adding_doubt(&transfer->adding) < 0) {
        adding_undo(&transfer->adding);
        return -1;
    }
    return 0;
}

static void put_ranges(struct folder *folder, const struct folder_list *uids)
{
    if (uids->n == 0) {
        return;
    }
    size_t start = entry_begin(&folder->out, ENTRY_EXPUNGE, folder_next_modseq(folder));
    for (uint32_t i = 0; i < uids->n; i++) {
        struct entry_range range = {uids->item[i], uids->item[i]};
        entry_put(&folder->out, &range, sizeof range);
    }
    entry_end(&folder->out, start, uids->n);
}

/* The source's index has to hear which files are gone: to the target (MOVE), or to where other programs moved them. */
static int tell_source(struct transfer *transfer, const struct folder_list *uids)
{
    struct folder *from = transfer->from;
    const struct folder_list none = {.n = 0};
    const struct folder_list *moved = transfer->is_move ? uids : &none;
    if (moved->n + transfer->gone.n == 0) {
        return 0;
    }
    if (!transfer->has_source_lock && folder_lock(from) < 0) {
        return -1;
    }
    put_ranges(from, &transfer->gone);
    put_ranges(from, moved);
    if (transfer->has_source_lock) {
        folder_put_stamp_since(from, &transfer->source_before, transfer->source_named_ns);
    }
    from->is_own = true;
    int result = folder_commit(from);
    from->is_own = false;
    if (!transfer->has_source_lock) {
        folder_unlock(from);
    }
    return result;
}

static int transfer_all(struct transfer *transfer, const struct folder_list *which, struct folder_list *source_uids)
{
    for (uint32_t i = 0; i < which->n; i++) {
        int result = transfer_one(transfer, which->item[i]);
        if (result < 0) {
            return -1;
        }
        if (result == 1) {
            folder_list_add(source_uids, which->item[i]);
        }
    }
    return 0;
}

/* MOVE that ends halfway: what was moved is told as moved, the rest stays. COPY: all or none (RFC 3501 6.4.7). */
static int run(struct transfer *transfer, const struct folder_list *which, struct folder_list *source_uids,
               struct folder_list *uids)
{
    uint32_t first;
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        transfer->keyword[i] = UNMAPPED;
    }
    if (lock_both(transfer) < 0) {
        return -1;
    }
    int result = transfer_all(transfer, which, source_uids);
    int error = errno;
    transfer->source_named_ns = folder_cur_now(transfer->from);
    if (result < 0 && (!transfer->is_move || source_uids->n == 0)) {
        adding_undo(&transfer->adding);
        source_uids->n = 0;
        errno = error;
        return -1;
    }
    if (transfer->adding.n == 0) {
        adding_undo(&transfer->adding);
        return 0;
    }
    if (adding_commit(&transfer->adding, &first) < 0) {
        return -1;
    }
    for (uint32_t i = 0; i < source_uids->n; i++) {
        folder_list_add(uids, first + i);
    }
    errno = error;
    return result;
}

struct run {
    struct transfer *transfer;
    const struct folder_list *which;
    struct folder_list *source_uids, *uids;
};

static int run_step(void *ctx)
{
    struct run *it = ctx;
    return run(it->transfer, it->which, it->source_uids, it->uids);
}

/* A target that is damaged gets nothing: what was moved already is found by its next scan. */
static int run_guarded(struct run *it)
{
    int result = folder_guarded(it->transfer->to, run_step, it);
    int error = errno;
    if (result < 0 && error == EUCLEAN) {
        adding_undo(&it->transfer->adding);
        it->uids->n = 0;
    }
    errno = error;
    return result;
}

static int transfer_run(struct transfer *transfer, const struct folder_list *which, struct folder_list *source_uids,
                        struct folder_list *uids)
{
    int result = run_guarded(&(struct run){transfer, which, source_uids, uids});
    int error = errno;
    if (tell_source(transfer, source_uids) < 0 && result == 0) {
        result = -1;
        error = errno;
    }
    if (transfer->has_source_lock) {
        folder_unlock(transfer->from);
    }
    folder_list_free(&transfer->gone);
    stralloc_free(&transfer->source);
    stralloc_free(&transfer->base);
    stralloc_free(&transfer->target);
    errno = error;
    return result;
}

int folder_copy(struct folder *from, const struct folder_list *which, struct folder *to, struct folder_list *source_uids,
                struct folder_list *uids)
{
    struct transfer transfer = {.from = from, .to = to, .adding = {.folder = to}};
    return transfer_run(&transfer, which, source_uids, uids);
}

int folder_move(struct folder *from, const struct folder_list *which, struct folder *to, struct folder_list *source_uids,
                struct folder_list *uids)
{
    struct transfer transfer = {.from = from, .to = to, .adding = {.folder = to}, .is_move = true};
    return transfer_run(&transfer, which, source_uids, uids);
}
