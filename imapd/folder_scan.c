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

#include "imapd/nameinfo.h"
#include "lib/clock.h"
#include "lib/str.h"

enum { VERIFY_SECONDS = 600 };

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

static void hash_known(struct scan *scan)
{
    struct folder *folder = scan->folder;
    namehash_init(&scan->known, scan->is_whole ? folder->n_live : folder->n_new, known_name, folder);
    if (!scan->is_whole && folder->n_new == 0) {
        return;
    }
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        if (scan->is_whole || folder_record_at(folder, i)->state & RECORD_IS_NEW) {
            const char *name = folder_base_name(folder, i);
            namehash_put(&scan->known, name, strlen(name), i);
        }
    }
}

static int read_list(struct scan *scan)
{
    struct folder *folder = scan->folder;
    int result = uidlist_read(&scan->list, folder->dir, UIDLIST_NAME);
    if (result <= 0) {
        return result;
    }
    if (scan->list.uidvalidity != folder->head.uidvalidity) {
        folder_damaged(folder, "another UIDVALIDITY stands in the UID list");
    }
    scan->has_list = true;
    scan->uidnext = scan->list.uidnext > scan->uidnext ? scan->list.uidnext : scan->uidnext;
    namehash_init(&scan->listed, scan->list.n, listed_name, &scan->list);
    for (uint32_t i = 0; i < scan->list.n; i++) {
        namehash_put(&scan->listed, scan->list.bytes.s + scan->list.entry[i].name_at, scan->list.entry[i].name_len, i);
    }
    return 1;
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
    if (record->flags != info.flags || (record->keywords & KEYWORDS_LETTER_BITS) != info.keywords || record->state != state) {
        put_flags(scan, record, &info, state);
    }
}

static void add_fresh(struct scan *scan, uint32_t at)
{
    const char *name = mailbox_name(&scan->box, at);
    uint32_t entry = scan->has_list ? namehash_find(&scan->listed, name, scan->box.message[at].base_len) : NAMEHASH_NONE;
    if (scan->n_fresh == scan->room) {
        scan->room = scan->room == 0 ? 64 : 2 * scan->room;
        scan->fresh = memory_grow(scan->fresh, scan->room, sizeof *scan->fresh);
    }
    uint32_t uid = entry == NAMEHASH_NONE ? 0 : scan->list.entry[entry].uid;
    /* A UID below what clients have seen belongs to the past: the message is a new one. */
    scan->fresh[scan->n_fresh++] = (struct scan_new){.at = at, .uid = uid < scan->folder->uidnext ? 0 : uid};
}

static void compare_all(struct scan *scan)
{
    struct folder *folder = scan->folder;
    uint32_t end = folder_end(folder);
    scan->seen = memory_get((size_t)end + 1, 1);
    hash_known(scan);
    for (uint32_t at = 0; at < scan->box.n; at++) {
        uint32_t index = namehash_find(&scan->known, mailbox_name(&scan->box, at), scan->box.message[at].base_len);
        if (index == NAMEHASH_NONE) {
            add_fresh(scan, at);
        } else {
            compare_known(scan, at, index);
        }
    }
    for (uint32_t i = folder_first(folder); scan->is_whole && i < end; i = folder_next(folder, i)) {
        if (!scan->seen[i]) {
            uint32_t uid = folder_record_at(folder, i)->uid;
            struct entry_range range = {uid, uid};
            str_cat(&scan->ranges, (const char *)&range, sizeof range);
            scan->n_ranges++;
        }
    }
}

/* Messages that an EXAMINE or a foreign program left in new/. */
static void move_known_new(struct scan *scan)
{
    struct folder *folder = scan->folder;
    if (folder->mode != FOLDER_WRITE || folder->n_new == 0) {
        return;
    }
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        struct record *record = folder_record_at(folder, i);
        if (!(record->state & RECORD_IS_NEW)) {
            continue;
        }
        scan->name.len = 0;
        str_cats(&scan->name, folder_base_name(folder, i));
        size_t base_len = scan->name.len;
        nameinfo_append(&scan->name, record->flags, record->keywords);
        stralloc from = STRALLOC_ZERO;
        str_copy(&from, scan->name.s, base_len);
        struct nameinfo info = {.flags = record->flags, .keywords = record->keywords & KEYWORDS_LETTER_BITS};
        if (renameat2(folder->fresh, str_text(&from), folder->cur, str_text(&scan->name), RENAME_NOREPLACE) == 0) {
            put_flags(scan, record, &info, 0);
        }
        stralloc_free(&from);
    }
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

static int finish(struct scan *scan)
{
    struct folder *folder = scan->folder;
    struct index_stamp stamp;
    if (scan->lines.len > 0 && uidlist_add(folder->dir, folder->head.uidvalidity, scan->uidnext, &scan->lines) < 0) {
        return -1;
    }
    put_entry(scan, ENTRY_EXPUNGE, scan->n_ranges, &scan->ranges, NULL);
    put_entry(scan, ENTRY_FLAGS, scan->n_flags, &scan->flags, NULL);
    put_entry(scan, ENTRY_APPEND, scan->n_records, &scan->records, &scan->names);
    scan_take_fresh(scan);
    if (folder_stamp_now(folder, &stamp) < 0) {
        return -1;
    }
    if (scan->is_whole) {
        folder->scanned_us = clock_wall_us();
    }
    uint32_t uidnext = folder->uidnext;
    folder->uidnext = scan->uidnext; /* for the stamp's entry: the append comes before it */
    folder_put_stamp(folder, &stamp);
    folder->uidnext = uidnext;
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
    stralloc *texts[] = {&scan->lines, &scan->records, &scan->names, &scan->flags, &scan->ranges, &scan->name};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        stralloc_free(texts[i]);
    }
    errno = error;
}

static int scan_run(struct folder *folder, bool is_whole, bool is_list_new)
{
    struct scan scan = {.folder = folder,
                        .box = {.folder = folder->dir, .fresh = folder->fresh, .cur = folder->cur},
                        .is_whole = is_whole,
                        .uidnext = folder->uidnext};
    if (is_whole) {
        (void)keywords_read_dovecot(&folder->keywords, folder->dir);
    }
    int result = is_list_new && read_list(&scan) < 0 ? -1 : 0;
    if (result == 0) {
        result = is_whole ? mailbox_scan(&scan.box) : mailbox_scan_new(&scan.box);
    }
    if (result == 0) {
        compare_all(&scan);
        result = scan_take_new(&scan);
    }
    if (result == 0) {
        move_known_new(&scan);
        result = finish(&scan);
    }
    scan_free(&scan);
    return result;
}

int folder_take_in(struct folder *folder)
{
    struct index_stamp now;
    if (folder_stamp_now(folder, &now) < 0) {
        return -1;
    }
    const struct index_stamp *then = &folder->stamp;
    bool is_list_new =
        now.uidlist_ns != then->uidlist_ns || now.uidlist_size != then->uidlist_size || now.uidlist_inode != then->uidlist_inode;
    bool is_verify_due =
        now.cur_ns / 1000 > folder->scanned_us && clock_wall_us() > folder->scanned_us + UINT64_C(1000000) * VERIFY_SECONDS;
    if (is_list_new || now.cur_ns != then->cur_ns || is_verify_due) {
        return scan_run(folder, true, is_list_new);
    }
    if (now.fresh_ns != then->fresh_ns || (folder->mode == FOLDER_WRITE && folder->n_new > 0)) {
        return scan_run(folder, false, false);
    }
    return 0;
}
