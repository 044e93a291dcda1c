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
#include "lib/clock.h"
#include "lib/msgid.h"
#include "lib/str.h"

enum { COPY_BUFFER = 65536 };

struct transfer {
    struct folder *from, *to;
    struct adding adding;
    bool is_move;
    bool has_source_lock, was_clean; /* MOVE: nobody else's change of the source hides behind ours */
    int keyword[KEYWORDS_MAX];       /* from's numbers in `to`; -1: none */
    stralloc source, base, target;
};

/* Keywords go by name; those that the target has no room for are left behind. Before the target is locked. */
static void map_keywords(struct transfer *transfer, uint64_t used)
{
    const struct keywords *keywords = &transfer->from->keywords;
    for (int i = 0; i < KEYWORDS_MAX; i++) {
        bool is_used = used >> i & 1 && keywords->len[i] > 0;
        transfer->keyword[i] =
            is_used ? folder_keyword(transfer->to, keywords->text.s + keywords->at[i], keywords->len[i], true) : -1;
    }
}

static uint64_t mapped(const struct transfer *transfer, uint64_t bits)
{
    uint64_t out = 0;
    for (int i = 0; i < KEYWORDS_MAX; i++) {
        if (bits >> i & 1 && transfer->keyword[i] >= 0) {
            out |= UINT64_C(1) << transfer->keyword[i];
        }
    }
    return out;
}

/* A new base name with the fields (,S= ,W=) of the old one: the same name may stand in the target already. */
static void make_base(struct transfer *transfer, const char *old)
{
    char id[MSGID_LEN + 1];
    msgid_make(clock_wall_us(), id);
    const char *comma = strchr(old, ',');
    size_t front = comma == NULL ? strlen(old) : (size_t)(comma - old);
    const char *dot = memchr(old, '.', front);
    size_t seconds = dot == NULL ? front : (size_t)(dot - old);
    transfer->base.len = 0;
    str_cat(&transfer->base, old, seconds < 12 ? seconds : 0); /* the time of arrival stays */
    str_catf(&transfer->base, ".C%s", id);
    if (comma != NULL) {
        str_cats(&transfer->base, comma);
    }
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
    int in = openat(transfer->from->dir, str_text(&transfer->source), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
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

/* 1 done, 0 it is gone, -1 errno. */
static int transfer_one(struct transfer *transfer, uint32_t uid)
{
    struct folder *from = transfer->from;
    uint32_t index = folder_index_of_uid(from, uid);
    if (index == FOLDER_NONE) {
        return 0;
    }
    struct record record = *folder_record_at(from, index);
    record.keywords = mapped(transfer, record.keywords);
    make_base(transfer, folder_base_name(from, index));
    transfer->target.len = 0;
    str_cats(&transfer->target, "cur/");
    str_cat(&transfer->target, transfer->base.s, transfer->base.len);
    nameinfo_append(&transfer->target, record.flags, record.keywords);
    transfer->source.len = 0;
    folder_name_append(from, index, &transfer->source);
    int result = record.state & RECORD_IS_ODD ? -1 : transfer_file(transfer);
    for (unsigned look = 0; result < 0 && (errno == ENOENT || (look == 0 && record.state & RECORD_IS_ODD)) && look < 2; look++) {
        if (folder_find_name(from, index, look > 0, &transfer->source) < 0) {
            return errno == ENOENT ? 0 : -1;
        }
        result = transfer_file(transfer);
    }
    if (result < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    adding_put(&transfer->adding, &record, &transfer->base, &transfer->target);
    return 1;
}

static ino_t lock_inode(const struct folder *folder)
{
    struct stat stat;
    return fstat(folder->lock, &stat) < 0 ? 0 : stat.st_ino;
}

static int lock_source(struct transfer *transfer)
{
    struct index_stamp now;
    struct folder *from = transfer->from;
    if (folder_lock(from) < 0) {
        return -1;
    }
    transfer->has_source_lock = true;
    transfer->was_clean = folder_stamp_now(from, &now) == 0 && memcmp(&now, &from->stamp, sizeof now) == 0;
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
    if (transfer->is_move && from > to && lock_source(transfer) < 0) {
        adding_undo(&transfer->adding);
        return -1;
    }
    return 0;
}

/* MOVE: the files are in the target; the source's index has to hear it. */
static int tell_source(struct transfer *transfer, const struct folder_list *uids)
{
    struct folder *from = transfer->from;
    struct index_stamp stamp;
    stralloc ranges = STRALLOC_ZERO;
    if (uids->n == 0 || (!transfer->has_source_lock && folder_lock(from) < 0)) {
        return uids->n == 0 ? 0 : -1;
    }
    for (uint32_t i = 0; i < uids->n; i++) {
        struct entry_range range = {uids->item[i], uids->item[i]};
        str_cat(&ranges, (const char *)&range, sizeof range);
    }
    size_t start = entry_begin(&from->out, ENTRY_EXPUNGE, folder_next_modseq(from));
    entry_put(&from->out, ranges.s, ranges.len);
    entry_end(&from->out, start, uids->n);
    if (transfer->was_clean && folder_stamp_now(from, &stamp) == 0) {
        folder_put_stamp(from, &stamp);
    }
    from->is_own = true;
    int result = folder_commit(from);
    from->is_own = false;
    stralloc_free(&ranges);
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

static uint64_t used_keywords(struct folder *from, const struct folder_list *which)
{
    uint64_t used = 0;
    for (uint32_t i = 0; i < which->n; i++) {
        uint32_t index = folder_index_of_uid(from, which->item[i]);
        used |= index == FOLDER_NONE ? 0 : folder_record_at(from, index)->keywords;
    }
    return used;
}

/* MOVE that ends halfway: what was moved is told as moved, the rest stays. COPY: all or none (RFC 3501 6.4.7). */
static int run(struct transfer *transfer, const struct folder_list *which, struct folder_list *source_uids,
               struct folder_list *uids)
{
    uint32_t first;
    map_keywords(transfer, used_keywords(transfer->from, which));
    if (lock_both(transfer) < 0) {
        return -1;
    }
    int result = transfer_all(transfer, which, source_uids);
    int error = errno;
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

static int transfer_run(struct transfer *transfer, const struct folder_list *which, struct folder_list *source_uids,
                        struct folder_list *uids)
{
    int result = run(transfer, which, source_uids, uids);
    int error = errno;
    if (transfer->is_move && tell_source(transfer, source_uids) < 0 && result == 0) {
        result = -1;
        error = errno;
    }
    if (transfer->has_source_lock) {
        folder_unlock(transfer->from);
    }
    stralloc_free(&transfer->source);
    stralloc_free(&transfer->base);
    stralloc_free(&transfer->target);
    errno = error;
    return result;
}

int folder_copy(struct folder *from, const struct folder_list *which, struct folder *to, struct folder_list *source_uids,
                struct folder_list *uids)
{
    struct transfer transfer = {.from = from, .to = to};
    return transfer_run(&transfer, which, source_uids, uids);
}

int folder_move(struct folder *from, const struct folder_list *which, struct folder *to, struct folder_list *source_uids,
                struct folder_list *uids)
{
    struct transfer transfer = {.from = from, .to = to, .is_move = true};
    return transfer_run(&transfer, which, source_uids, uids);
}
