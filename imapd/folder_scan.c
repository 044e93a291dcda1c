/* SPDX-License-Identifier: ISC */
/* What foreign programs (and deliver) did to the Maildir becomes journal entries. One scan is one snapshot (lib/mailbox), so a
 * name that it does not show is gone. Runs under stafet.lock. */
#include "imapd/folder_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imapd/courier.h"
#include "imapd/nameinfo.h"
#include "lib/log.h"
#include "lib/str.h"

enum { SCANS = 3 };

static const char *known_name(const void *ctx, uint32_t value, size_t *len_out)
{
    const char *name = folder_base_name((struct folder *)(uintptr_t)ctx, value);
    *len_out = strlen(name);
    return name;
}

static const char *listed_name(const void *ctx, uint32_t value, size_t *len_out)
{
    const struct uidlist *list = ctx;
    *len_out = list->entry[value].name_len;
    return list->bytes.s + list->entry[value].name_at;
}

/* The table's room comes from the records themselves: the header's counts may be wrong. */
static void hash_known(struct scan *scan)
{
    struct folder *folder = scan->folder;
    struct folder_list known = {0};
    bool has_any = scan->is_whole || folder->n_new > 0;
    for (uint32_t i = folder_first(folder); has_any && i < folder_end(folder); i = folder_next(folder, i)) {
        if (scan->is_whole || folder_record_at(folder, i)->state & RECORD_IS_NEW) {
            folder_list_add(&known, i);
        }
    }
    namehash_init(&scan->known, known.n, known_name, folder);
    for (uint32_t k = known.n; k-- > 0;) {
        /* A double that came through new/ has a UID: the name is the older one's, and the list shall say so. */
        const char *name = folder_base_name(folder, known.item[k]);
        bool is_twice = namehash_put(&scan->known, name, strlen(name), known.item[k]);
        scan->is_list_lost = scan->is_list_lost || is_twice;
    }
    folder_list_free(&known);
}

/* Of two files with one base name: is the hidden one that which the index means? */
static bool is_meant(struct scan *scan, uint32_t k)
{
    const struct mailbox_message *message = &scan->box.hidden[k].message;
    const char *name = mailbox_hidden_name(&scan->box, k);
    uint32_t index = namehash_find(&scan->known, name, message->base_len);
    if (index == NAMEHASH_NONE) {
        return false;
    }
    scan->name.len = 0;
    folder_name_append(scan->folder, index, &scan->name);
    bool is_new = scan->name.s[0] == 'n';
    return is_new == ((message->state & MAILBOX_IS_NEW) != 0) && strcmp(str_text(&scan->name) + sizeof "cur", name) == 0;
}

/* How many files got a name of their own. */
static uint32_t part_doubles(struct scan *scan)
{
    uint32_t parted = 0;
    for (uint32_t k = 0; k < scan->box.n_hidden; k++) {
        int result = mailbox_part(&scan->box, k, is_meant(scan, k));
        parted += result == 1;
    }
    if (parted > 0) {
        log_event("alert", "what=%s files=%u", "two files had one base name, one of them has another now", parted);
    }
    return parted;
}

static int scan_all(struct scan *scan)
{
    for (unsigned try = 0; try < SCANS; try++) {
        if (mailbox_scan(&scan->box) < 0) {
            return -1;
        }
        if (scan->box.n_hidden == 0 || part_doubles(scan) == 0) {
            break;
        }
        scan->has_moved = true;
        scan->has_missed = try == SCANS - 1;
        scan->before.cur_ns = folder_cur_now(scan->folder); /* the next one sees it so */
    }
    return 0;
}

static int read_list(struct scan *scan)
{
    struct folder *folder = scan->folder;
    int result = uidlist_read(&scan->list, folder->dir, UIDLIST_NAME);
    if (result != UIDLIST_READ) {
        scan->is_list_lost = true;
        return result == UIDLIST_STRANGE ? uidlist_set_aside(folder->dir) : result;
    }
    if (scan->list.uidvalidity != folder->head.uidvalidity) {
        folder_damaged(folder, "another UIDVALIDITY stands in the UID list");
    }
    scan->has_list = true;
    scan->is_list_lost = scan->list.is_untidy || !folder_uidlist_is_whole(folder, &scan->list);
    scan->uidnext = scan->list.uidnext > scan->uidnext ? scan->list.uidnext : scan->uidnext;
    namehash_init(&scan->listed, scan->list.n, listed_name, &scan->list);
    for (uint32_t i = 0; i < scan->list.n; i++) {
        namehash_put(&scan->listed, scan->list.bytes.s + scan->list.entry[i].name_at, scan->list.entry[i].name_len, i);
    }
    return 0;
}

static void put_flags(struct scan *scan, const struct record *record, const struct nameinfo *info, uint8_t state)
{
    struct entry_flags flags = {.uid = record->uid,
                                .flags = info->flags,
                                .state = state,
                                .keywords = info->keywords | (record->keywords & ~KEYWORDS_LETTER_BITS)};
    str_cat(&scan->flags, (const char *)&flags, sizeof flags);
    scan->n_flags++;
}

static void compare_known(struct scan *scan, uint32_t at, uint32_t index)
{
    const struct mailbox_message *message = &scan->box.message[at];
    const struct record *record = folder_record_at(scan->folder, index);
    const char *name = mailbox_name(&scan->box, at);
    struct nameinfo info;
    nameinfo_parse(name + message->base_len, (size_t)message->name_len - message->base_len, &info);
    bool is_new = message->state & MAILBOX_IS_NEW;
    /* A name of new/ without letters says nothing about flags. */
    uint8_t state = (uint8_t)((is_new ? RECORD_IS_NEW : 0) |
                              (info.is_ours || (is_new && message->name_len == message->base_len) ? 0 : RECORD_IS_ODD));
    scan->seen[index] = 1;
    if (is_new) {
        struct scan_move move = {at, index};
        str_cat(&scan->moves, (const char *)&move, sizeof move);
    }
    if (record->flags != info.flags || (record->keywords & KEYWORDS_LETTER_BITS) != info.keywords || record->state != state) {
        put_flags(scan, record, &info, state);
    }
}

static void add_fresh(struct scan *scan, uint32_t at)
{
    const char *name = mailbox_name(&scan->box, at);
    if (memchr(name, '\n', scan->box.message[at].base_len) != NULL) {
        scan->n_unfit++;
        return; /* its line in the UID list would be two, the second one anybody's */
    }
    uint32_t entry = scan->has_list ? namehash_find(&scan->listed, name, scan->box.message[at].base_len) : NAMEHASH_NONE;
    if (scan->n_fresh == scan->room) {
        scan->room = scan->room == 0 ? 64 : 2 * scan->room;
        scan->fresh = memory_grow(scan->fresh, scan->room, sizeof *scan->fresh);
    }
    uint32_t uid = entry == NAMEHASH_NONE ? 0 : scan->list.entry[entry].uid;
    /* A UID below what clients have seen belongs to the past: the message is a new one. */
    bool is_listed = uid >= scan->folder->uidnext;
    scan->fresh[scan->n_fresh++] = (struct scan_new){.at = at, .uid = is_listed ? uid : 0, .is_listed = is_listed};
}

static void put_range(struct scan *scan, uint32_t uid)
{
    struct entry_range range = {uid, uid};
    str_cat(&scan->ranges, (const char *)&range, sizeof range);
    scan->n_ranges++;
}

/* Another server, which had lost the list, has given this message a new UID. */
static bool is_given_anew(const struct scan *scan, uint32_t at)
{
    uint32_t entry = scan->has_list ? namehash_find(&scan->listed, mailbox_name(&scan->box, at), scan->box.message[at].base_len)
                                    : NAMEHASH_NONE;
    return entry != NAMEHASH_NONE && scan->list.entry[entry].uid >= scan->folder->uidnext;
}

static void compare_all(struct scan *scan)
{
    struct folder *folder = scan->folder;
    uint32_t end = folder_end(folder);
    scan->seen = memory_get((size_t)end + 1, 1);
    for (uint32_t at = 0; at < scan->box.n; at++) {
        uint32_t index = namehash_find(&scan->known, mailbox_name(&scan->box, at), scan->box.message[at].base_len);
        if (index == NAMEHASH_NONE || is_given_anew(scan, at)) {
            add_fresh(scan, at); /* the old one, which stays unseen, goes */
        } else {
            compare_known(scan, at, index);
        }
    }
    if (scan->n_unfit > 0) {
        log_event("alert", "what=%s files=%u", "messages with a line end in their name are left alone", scan->n_unfit);
    }
    bool is_sure = scan->is_whole && !scan->box.is_torn;
    for (uint32_t i = folder_first(folder); is_sure && i < end; i = folder_next(folder, i)) {
        if (!scan->seen[i]) {
            put_range(scan, folder_record_at(folder, i)->uid);
        }
    }
    bool is_any_gone = !scan->is_whole && scan->moves.len / sizeof(struct scan_move) < folder->n_new;
    scan->has_missed = scan->has_missed || scan->box.is_torn || is_any_gone;
}

/* A message that an EXAMINE or a foreign program left in new/. */
static void move_known(struct scan *scan, const struct scan_move *move)
{
    struct folder *folder = scan->folder;
    const struct record *record = folder_record_at(folder, move->index);
    const struct mailbox_message *message = &scan->box.message[move->at];
    const char *name = mailbox_name(&scan->box, move->at);
    struct nameinfo info;
    nameinfo_parse(name + message->base_len, (size_t)message->name_len - message->base_len, &info);
    scan->name.len = 0;
    str_cat(&scan->name, name, message->base_len);
    nameinfo_append(&scan->name, info.flags, info.keywords);
    if (renameat2(folder->fresh, name, folder->cur, str_text(&scan->name), RENAME_NOREPLACE) == 0) {
        put_flags(scan, record, &info, 0);
        scan->has_moved = true;
    } else if (errno == ENOENT || errno == EEXIST) {
        scan->has_missed = true;
    }
}

static void move_all_known(struct scan *scan)
{
    const struct scan_move *moves = (const struct scan_move *)(const void *)scan->moves.s;
    size_t n = scan->folder->mode == FOLDER_WRITE ? scan->moves.len / sizeof *moves : 0;
    for (size_t i = 0; i < n; i++) {
        move_known(scan, &moves[i]);
    }
    scan->moved_ns = folder_cur_now(scan->folder);
}

static void put_entry(struct scan *scan, enum index_kind kind, uint32_t n, const stralloc *items, const stralloc *more)
{
    stralloc *out = &scan->folder->out;
    if (n == 0) {
        return;
    }
    size_t start = entry_begin(out, kind, folder_next_modseq(scan->folder));
    entry_put(out, items->s, items->len);
    if (more != NULL) {
        entry_put(out, more->s, more->len);
    }
    entry_end(out, start, n);
}

/* What was true before the scan is true of its result; only what we did ourselves is newer. */
static int choose_stamp(struct scan *scan, struct index_stamp *stamp)
{
    struct index_stamp now;
    *stamp = scan->before;
    if (folder_stamp_now(scan->folder, &now) < 0) {
        return -1;
    }
    if (scan->has_moved) {
        stamp->cur_ns = folder_vouched(scan->moved_ns, scan->is_whole ? scan->started_us : scan->folder->scanned_us);
        stamp->fresh_ns = 0;
    }
    if (scan->has_missed) {
        stamp->cur_ns = 0;
    }
    if (scan->is_list_lost || scan->lines.len > 0) {
        stamp->uidlist_ns = now.uidlist_ns;
        stamp->uidlist_size = now.uidlist_size;
        stamp->uidlist_inode = now.uidlist_inode;
    }
    stamp->keywords_size = scan->folder->stamp.keywords_size; /* not looked at */
    folder_forget_young(stamp, scan->started_us);
    return 0;
}

/* A new stamp, where there is something new in it. */
static void put_stamp(struct scan *scan, const struct index_stamp *stamp, uint64_t fresh_at)
{
    struct folder *folder = scan->folder;
    bool is_same = memcmp(stamp, &folder->stamp, sizeof *stamp) == 0 && !scan->is_whole && scan->uidnext == folder->uidnext &&
                   folder->fresh_at == fresh_at;
    if (is_same) {
        return;
    }
    uint32_t uidnext = folder->uidnext;
    uint64_t scanned_us = folder->scanned_us;
    folder->scanned_us = scan->is_whole ? scan->started_us : scanned_us;
    folder->uidnext = scan->uidnext; /* for the stamp's entry: the append comes before it */
    folder_put_stamp(folder, stamp);
    folder->uidnext = uidnext;
    folder->scanned_us = scanned_us;
}

static int write_list(struct scan *scan)
{
    const struct folder_news news = {
        .record = (const struct record *)(const void *)scan->records.s, .n = scan->n_records, .names = scan->names.s};
    if (scan->is_list_lost) {
        return folder_uidlist_write(scan->folder, scan->has_list ? &scan->list : NULL, scan->uidnext, &news);
    }
    return scan->lines.len == 0 ? 0 : folder_uidlist_add(scan->folder, scan->uidnext, &scan->lines, &news);
}

static int finish(struct scan *scan)
{
    struct folder *folder = scan->folder;
    struct index_stamp stamp;
    uint64_t fresh_at = folder->fresh_at;
    put_entry(scan, ENTRY_EXPUNGE, scan->n_ranges, &scan->ranges, NULL);
    if (folder_commit(folder) < 0 || write_list(scan) < 0) { /* a list from the index shall not name what is gone */
        return -1;
    }
    put_entry(scan, ENTRY_FLAGS, scan->n_flags, &scan->flags, NULL);
    put_entry(scan, ENTRY_APPEND, scan->n_records, &scan->records, &scan->names);
    scan_take_fresh(scan);
    if (choose_stamp(scan, &stamp) < 0) {
        return -1;
    }
    put_stamp(scan, &stamp, fresh_at);
    return folder_commit(folder);
}

static void scan_free(struct scan *scan)
{
    int error = errno;
    scan->box.folder = scan->box.fresh = scan->box.cur = -1; /* they stay the folder's */
    mailbox_close(&scan->box);
    if (scan->has_list) {
        namehash_free(&scan->listed);
        uidlist_free(&scan->list);
    }
    namehash_free(&scan->known);
    free(scan->seen);
    free(scan->fresh);
    stralloc *texts[] = {&scan->lines, &scan->records, &scan->names,   &scan->flags, &scan->ranges,
                         &scan->name,  &scan->base,    &scan->shorter, &scan->moves};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        stralloc_free(texts[i]);
    }
    errno = error;
}

static int scan_run(struct scan *scan, bool is_list_new)
{
    struct folder *folder = scan->folder;
    if (scan->is_whole) {
        if (folder_read_keywords(folder) < 0) {
            return -1;
        }
    }
    if (is_list_new && read_list(scan) < 0) {
        return -1;
    }
    hash_known(scan);
    if ((scan->is_whole ? scan_all(scan) : mailbox_scan_new(&scan->box)) < 0) {
        return -1;
    }
    /* What came to cur/ meanwhile the scan may not have seen. */
    scan->has_missed = scan->has_missed || folder_cur_now(folder) != scan->before.cur_ns;
    compare_all(scan);
    if (scan_take_new(scan) < 0) {
        return -1;
    }
    move_all_known(scan);
    return finish(scan);
}

int folder_take_in(struct folder *folder, bool is_waiting)
{
    struct scan scan = {.folder = folder,
                        .box = {.folder = folder->dir, .fresh = folder->fresh, .cur = folder->cur},
                        .started_us = folder_clock_us(folder),
                        .uidnext = folder->uidnext};
    if (folder_stamp_now(folder, &scan.before) < 0) {
        return -1;
    }
    const struct index_stamp *now = &scan.before;
    const struct index_stamp *then = &folder->stamp;
    bool is_list_new = now->uidlist_ns != then->uidlist_ns || now->uidlist_size != then->uidlist_size ||
                       now->uidlist_inode != then->uidlist_inode || now->uidlist_inode == 0; /* 0: there is none */
    bool is_courier_new = courier_uidnext(folder) > folder->uidnext;
    scan.is_whole = is_list_new || is_courier_new || now->cur_ns != then->cur_ns || folder_is_verify_due(folder, now, is_waiting);
    bool is_any = scan.is_whole || now->fresh_ns != then->fresh_ns || (folder->mode == FOLDER_WRITE && folder->n_new > 0);
    int result = is_any ? scan_run(&scan, is_list_new) : 0;
    if (result == 0 && now->keywords_size != folder->stamp.keywords_size) {
        result = folder_take_ours(folder, now->keywords_size);
    }
    scan_free(&scan);
    return result;
}
