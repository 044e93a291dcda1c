/* SPDX-License-Identifier: ISC */
/* New messages: UIDs in order of arrival (those that another server has given are kept), a record each, and the way from new/ to
 * cur/. The UID list is synced by the caller before a client can hear of them. */
#include "imapd/folder_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "imapd/courier.h"
#include "imapd/nameinfo.h"
#include "lib/str.h"

static int compare_new(const void *a, const void *b)
{
    const struct scan_new *x = a;
    const struct scan_new *y = b;
    if (x->uid != y->uid) {
        uint32_t x_uid = x->uid == 0 ? UINT32_MAX : x->uid;
        uint32_t y_uid = y->uid == 0 ? UINT32_MAX : y->uid;
        return x_uid < y_uid ? -1 : 1;
    }
    return x->at < y->at ? -1 : x->at > y->at;
}

/* BASE-D<uid> (before its fields `,S=…`): the name of a second message with one base name. */
static void other_base(stralloc *out, const char *base, size_t len, uint32_t uid)
{
    const char *comma = memchr(base, ',', len);
    size_t front = comma == NULL ? len : (size_t)(comma - base);
    out->len = 0;
    str_cat(out, base, front);
    str_catf(out, "-D%u", uid);
    str_cat(out, base + front, len - front);
}

struct place {
    const char *name; /* the file's now */
    int folder;
    bool is_new;
    stralloc *base, *target, *shorter; /* the scan's scratch */
};

/* A base name with which flags would not fit behind the name: others could not even be told that the message is to be removed. It
 * gets a shorter one, also before a SELECT; where that cannot be, it stays. */
static void shorten(struct scan *scan, struct place *place, bool is_listed)
{
    struct stat stat;
    size_t base_len = place->base->len;
    if (base_len <= MAILBOX_BASE_MAX || fstatat(place->folder, place->name, &stat, AT_SYMLINK_NOFOLLOW) < 0) {
        return;
    }
    place->shorter->len = 0;
    mailbox_base_append(place->shorter, place->name, base_len, 'L', stat.st_mtim.tv_sec < 0 ? 0 : (uint64_t)stat.st_mtim.tv_sec);
    size_t shorter_len = place->shorter->len;
    str_cats(place->shorter, place->name + base_len);
    if (renameat2(place->folder, place->name, place->folder, str_text(place->shorter), RENAME_NOREPLACE) == 0) {
        str_copy(place->base, place->shorter->s, shorter_len);
        place->name = place->shorter->s;
        scan->has_moved = true;
        scan->is_list_lost = scan->is_list_lost || is_listed;
    }
}

/* new/NAME to cur/BASE:2,LETTERS; place->base is then its base name. */
static void move_to_cur(struct scan *scan, struct place *place, const struct nameinfo *info, uint32_t uid)
{
    struct folder *folder = scan->folder;
    size_t old_len = place->base->len;
    for (unsigned try = 0; try < 2; try++) {
        str_copy(place->target, place->base->s, place->base->len);
        nameinfo_append(place->target, info->flags, info->keywords);
        if (renameat2(folder->fresh, place->name, folder->cur, str_text(place->target), RENAME_NOREPLACE) == 0) {
            place->name = place->target->s;
            place->folder = folder->cur;
            place->is_new = false;
            scan->has_moved = true;
            return;
        }
        if (errno != EEXIST) {
            break;
        }
        stralloc base = STRALLOC_ZERO;
        other_base(&base, place->base->s, place->base->len, uid);
        str_copy(place->base, base.s, base.len);
        stralloc_free(&base);
    }
    str_copy(place->base, place->name, old_len); /* it stays where it is */
}

/* The name's word. */
static uint32_t size_of(const struct mailbox_message *message)
{
    return message->wire_size >= UINT32_MAX ? UINT32_MAX : (uint32_t)message->wire_size;
}

static void put_record(struct scan *scan, const struct record *record, const stralloc *base)
{
    struct record copy = *record;
    copy.name_at = (uint32_t)scan->names.len;
    str_cat(&scan->names, base->s, base->len);
    str_cat(&scan->names, "", 1);
    str_cat(&scan->records, (const char *)&copy, sizeof copy);
    scan->n_records++;
}

/* Mail that just came is looked at here; what lies in cur/ already, maybe 100,000 of it, when somebody asks (folder_look.c). 0;
 * -1 errno. */
static int look_at(const struct place *place, const struct mailbox_message *message, struct record *record)
{
    struct stat stat;
    if (fstatat(place->folder, place->name, &stat, AT_SYMLINK_NOFOLLOW) < 0) {
        return -1;
    }
    record->date = folder_date_of(&stat);
    record->size = message->size == (uint64_t)stat.st_size ? record->size : UINT32_MAX;
    return 0;
}

/* It is looked at before it gets a name by which other programs may rename it. 0; -1 errno: the file may be there and cannot be
 * looked at. */
static int take_one(struct scan *scan, const struct scan_new *fresh, uint32_t uid)
{
    const struct mailbox_message *message = &scan->box.message[fresh->at];
    struct folder *folder = scan->folder;
    bool is_new = message->state & MAILBOX_IS_NEW;
    struct place place = {.name = mailbox_name(&scan->box, fresh->at),
                          .folder = is_new ? folder->fresh : folder->cur,
                          .is_new = is_new,
                          .base = &scan->base,
                          .target = &scan->name,
                          .shorter = &scan->shorter};
    struct record record = {.uid = uid, .date = RECORD_UNSEEN, .size = size_of(message)};
    struct nameinfo info;
    nameinfo_parse(place.name + message->base_len, (size_t)message->name_len - message->base_len, &info);
    str_copy(place.base, place.name, message->base_len);
    bool is_bare = message->name_len == message->base_len;
    shorten(scan, &place, fresh->is_listed);
    if (is_new && look_at(&place, message, &record) < 0) { /* no UID was given */
        scan->has_missed = true;
        return errno == ENOENT ? 0 : -1;
    }
    if (is_new && folder->mode == FOLDER_WRITE) {
        move_to_cur(scan, &place, &info, uid);
    }
    bool is_ours = info.is_ours || (is_new && (!place.is_new || is_bare));
    record.flags = info.flags;
    record.state = (uint8_t)((place.is_new ? RECORD_IS_NEW : 0) | (is_ours ? 0 : RECORD_IS_ODD));
    record.keywords = info.keywords;
    put_record(scan, &record, place.base);
    if (!fresh->is_listed && !scan->is_list_lost) { /* a lost one is written from the records */
        uidlist_line_append(&scan->lines, uid, place.base->s, place.base->len);
    }
    scan->uidnext = uid + 1;
    return 0;
}

static const char *listed_name(const void *ctx, uint32_t value, size_t *len_out)
{
    const struct uidlist *list = ctx;
    *len_out = list->entry[value].name_len;
    return list->bytes.s + list->entry[value].name_at;
}

/* Courier was here again: what it gave UIDs to keeps them. */
static void take_courier_uids(struct scan *scan, uint32_t uidnext)
{
    struct uidlist list;
    struct namehash hash;
    scan->uidnext = uidnext > scan->uidnext ? uidnext : scan->uidnext;
    if (uidlist_read(&list, scan->folder->dir, COURIER_UIDDB) != UIDLIST_READ) {
        return;
    }
    namehash_init(&hash, list.n, listed_name, &list);
    for (uint32_t i = 0; i < list.n; i++) {
        namehash_put(&hash, list.bytes.s + list.entry[i].name_at, list.entry[i].name_len, i);
    }
    for (uint32_t i = 0; i < scan->n_fresh; i++) {
        struct scan_new *fresh = &scan->fresh[i];
        uint32_t found = namehash_find(&hash, mailbox_name(&scan->box, fresh->at), scan->box.message[fresh->at].base_len);
        if (fresh->uid == 0 && found != NAMEHASH_NONE && list.entry[found].uid >= scan->folder->uidnext) {
            fresh->uid = list.entry[found].uid;
        }
    }
    scan->uidnext = list.uidnext > scan->uidnext ? list.uidnext : scan->uidnext;
    namehash_free(&hash);
    uidlist_free(&list);
}

/* Where no list had UIDs for them they are in order already. */
static void sort_new(struct scan *scan)
{
    for (uint32_t i = 1; i < scan->n_fresh; i++) {
        if (compare_new(&scan->fresh[i - 1], &scan->fresh[i]) > 0) {
            qsort(scan->fresh, scan->n_fresh, sizeof *scan->fresh, compare_new);
            return;
        }
    }
}

static int take_all(struct scan *scan)
{
    uint32_t highest = scan->uidnext;
    for (uint32_t i = 0; i < scan->n_fresh; i++) {
        const struct scan_new *fresh = &scan->fresh[i];
        if (fresh->uid == 0 && highest > scan->uidnext) {
            scan->uidnext = highest; /* behind all that the list has ever given */
        }
        if (fresh->uid == 0 && scan->uidnext == UINT32_MAX) {
            return folder_end_uids(scan->folder);
        }
        if (take_one(scan, fresh, fresh->uid == 0 ? scan->uidnext : fresh->uid) < 0) {
            return -1;
        }
    }
    scan->uidnext = highest > scan->uidnext ? highest : scan->uidnext;
    return 0;
}

int scan_take_new(struct scan *scan)
{
    uint32_t courier = courier_uidnext(scan->folder);
    if (courier > scan->folder->uidnext) {
        take_courier_uids(scan, courier);
    }
    if (scan->n_fresh == 0) {
        return 0;
    }
    sort_new(scan);
    return folder_doubt(scan->folder) < 0 ? -1 : take_all(scan);
}
