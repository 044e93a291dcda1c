/* SPDX-License-Identifier: ISC */
/* Flags are renames, expunges are unlinks; the journal tells the other sessions. What a foreign program did in the same moment is
 * looked up and the change is tried again, never dropped. The lock is held for 256 messages at a time. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/nameinfo.h"
#include "lib/str.h"

enum { PORTION = 256, TRIES = 64 };

/* One portion under the lock. */
struct portion {
    struct folder *folder;
    struct index_stamp before;
    bool is_sure; /* cur/ and new/ are as the index knows them */
    stralloc items, lines, from, to;
    uint32_t n;
    /* What other programs did and this portion came upon: struct entry_flags, struct entry_range. */
    stralloc foreign, gone;
    uint32_t n_foreign, n_gone;
};

static int portion_begin(struct portion *portion, struct folder *folder)
{
    *portion = (struct portion){.folder = folder};
    if (folder_lock(folder) < 0) {
        return -1;
    }
    int result = folder_stamp_now(folder, &portion->before);
    if (result == 0 && portion->before.keywords_size != folder->stamp.keywords_size) { /* a session died with them */
        result = folder_take_in(folder, true) < 0 ? -1 : folder_stamp_now(folder, &portion->before);
    }
    if (result < 0) {
        folder_unlock(folder);
        return -1;
    }
    portion->is_sure = folder_is_sure(folder, &portion->before);
    return 0;
}

static void put_items(struct folder *folder, enum index_kind kind, const stralloc *items, uint32_t n)
{
    size_t start = entry_begin(&folder->out, kind, folder_next_modseq(folder));
    entry_put(&folder->out, items->s, items->len);
    entry_end(&folder->out, start, n);
}

static int commit_portion(struct portion *portion, enum index_kind kind)
{
    struct folder *folder = portion->folder;
    int result = 0;
    uint64_t named_ns = folder_cur_now(folder);
    if (portion->n_foreign > 0) {
        put_items(folder, ENTRY_FLAGS, &portion->foreign, portion->n_foreign);
    }
    if (portion->n_gone > 0) {
        put_items(folder, ENTRY_EXPUNGE, &portion->gone, portion->n_gone);
    }
    result = folder_commit(folder);
    if (result == 0 && portion->lines.len > 0) {
        result = keywords_add_ours(&folder->keywords, folder->dir, folder->head.uidvalidity, &portion->lines, false);
    }
    if (result == 0 && portion->n > 0) {
        put_items(folder, kind, &portion->items, portion->n);
        folder_put_stamp_since(folder, &portion->before, named_ns);
        folder->is_own = true;
        result = folder_commit(folder);
        folder->is_own = false;
    }
    return result;
}

static int portion_end(struct portion *portion, enum index_kind kind)
{
    int result = commit_portion(portion, kind);
    folder_unlock(portion->folder);
    stralloc *texts[] = {&portion->items, &portion->lines, &portion->from, &portion->to, &portion->foreign, &portion->gone};
    int error = errno;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        stralloc_free(texts[i]);
    }
    errno = error;
    return result;
}

/* The file's name now in portion->from: the record's word at the first try, then by the scan of this command, then by new ones.
 * 0; -1 errno. */
static int name_now(struct portion *portion, uint32_t index, unsigned try)
{
    struct folder *folder = portion->folder;
    bool is_odd = folder_record_at(folder, index)->state & RECORD_IS_ODD;
    if (try == 0 && !is_odd) {
        portion->from.len = 0;
        folder_name_append(folder, index, &portion->from);
        return 0;
    }
    return folder_find_name(folder, index, try > (is_odd ? 0 : 1), &portion->from);
}

/* What the name in portion->from says, and the state of a record with it. */
static uint8_t parse_name(struct portion *portion, uint32_t index, struct nameinfo *info_out)
{
    size_t base_end = sizeof "cur/" - 1 + strlen(folder_base_name(portion->folder, index));
    nameinfo_parse(portion->from.s + base_end, portion->from.len - base_end, info_out);
    bool is_new = portion->from.s[0] == 'n';
    bool is_bare = portion->from.len == base_end;
    return (uint8_t)((is_new ? RECORD_IS_NEW : 0) | (info_out->is_ours || (is_new && is_bare) ? 0 : RECORD_IS_ODD));
}

static void put_range(stralloc *items, uint32_t *n, uint32_t uid)
{
    struct entry_range range = {uid, uid};
    str_cat(items, (const char *)&range, sizeof range);
    ++*n;
}

/* A name that never holds still is no reason to say that the file is gone. */
static int give_up(void)
{
    errno = EAGAIN;
    return -1;
}

static bool is_same_flags(const struct entry_flags *a, const struct entry_flags *b)
{
    return a->flags == b->flags && a->keywords == b->keywords;
}

static struct entry_flags changed_flags(const struct entry_flags *now, const struct folder_store *store)
{
    struct entry_flags out = {.uid = now->uid};
    switch (store->how) {
    case STORE_ADD:
        out.flags = now->flags | store->flags;
        out.keywords = now->keywords | store->keywords;
        break;
    case STORE_REMOVE:
        out.flags = (uint8_t)(now->flags & ~store->flags);
        out.keywords = now->keywords & ~store->keywords;
        break;
    default:
        /* P has no name in IMAP: it stays. */
        out.flags = (uint8_t)((now->flags & MAILBOX_PASSED) | store->flags);
        out.keywords = store->keywords;
        break;
    }
    return out;
}

/* One message on its way to other flags. */
struct change {
    uint32_t index;
    struct entry_flags known, now, then; /* by the index; by the file's name; when we are done */
};

enum step { STEP_DONE, STEP_AGAIN, STEP_FAILED };

/* The file from the name that it has (portion->from) to that of change->then. */
static enum step rename_file(struct portion *portion, const struct change *change)
{
    struct folder *folder = portion->folder;
    bool is_same = is_same_flags(&change->now, &change->then);
    if (is_same && portion->is_sure) {
        return STEP_DONE;
    }
    portion->to.len = 0;
    str_cats(&portion->to, "cur/");
    str_cats(&portion->to, folder_base_name(folder, change->index));
    nameinfo_append(&portion->to, change->then.flags, change->then.keywords);
    bool is_done = is_same || strcmp(str_text(&portion->from), str_text(&portion->to)) == 0
                       ? faccessat(folder->dir, str_text(&portion->from), F_OK, AT_SYMLINK_NOFOLLOW) == 0
                       : renameat2(folder->dir, portion->from.s, folder->dir, portion->to.s, RENAME_NOREPLACE) == 0;
    return is_done ? STEP_DONE : errno == ENOENT ? STEP_AGAIN : STEP_FAILED;
}

/* Name and flags of the file as they are now. 1; 0 it is gone; -1 errno. */
static int look_up(struct portion *portion, struct change *change, unsigned try)
{
    struct nameinfo info;
    bool is_odd = folder_record_at(portion->folder, change->index)->state & RECORD_IS_ODD;
    if (name_now(portion, change->index, try) < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    if (try > 0 || is_odd) {
        change->now.state = parse_name(portion, change->index, &info);
        change->now.flags = info.flags;
        change->now.keywords = info.keywords | (change->known.keywords & ~KEYWORDS_LETTER_BITS);
    }
    return 1;
}

/* Other programs rename at any time: the change is made to what they made of the name, so that theirs and ours both stand.
 * 1 done; 0 it is gone; -1 errno. */
static int rename_one(struct portion *portion, struct change *change, const struct folder_store *store)
{
    for (unsigned try = 0; try < TRIES; try++) {
        int found = look_up(portion, change, try);
        if (found <= 0) {
            return found;
        }
        bool is_late = store->has_unchangedsince && !is_same_flags(&change->now, &change->known);
        change->then = is_late ? change->now : changed_flags(&change->now, store);
        switch (rename_file(portion, change)) {
        case STEP_DONE:
            return 1;
        case STEP_FAILED:
            return -1;
        case STEP_AGAIN:
            break;
        }
    }
    return give_up();
}

static void put_flags(stralloc *items, uint32_t *n, const struct entry_flags *flags)
{
    str_cat(items, (const char *)flags, sizeof *flags);
    ++*n;
}

/* 0; 1 it changed since; -1 errno. */
static int store_one(struct portion *portion, uint32_t index, const struct folder_store *store)
{
    const struct record *record = folder_record_at(portion->folder, index);
    struct entry_flags known = {
        .uid = record->uid, .flags = record->flags, .state = record->state, .reserved = 0, .keywords = record->keywords};
    struct change change = {.index = index, .known = known, .now = known, .then = known};
    if (store->has_unchangedsince && record->modseq > store->unchangedsince) {
        return 1;
    }
    int done = rename_one(portion, &change, store);
    if (done < 0) {
        return -1;
    }
    if (done == 0) {
        put_range(&portion->gone, &portion->n_gone, change.known.uid);
        return 0;
    }
    bool is_late = !is_same_flags(&change.now, &change.known);
    if (is_late) {
        put_flags(&portion->foreign, &portion->n_foreign, &change.now);
    }
    uint64_t other = change.then.keywords ^ change.now.keywords;
    if (other & ~KEYWORDS_LETTER_BITS) {
        str_catf(&portion->lines, "%u %llx\n", change.then.uid,
                 (unsigned long long)(change.then.keywords & ~KEYWORDS_LETTER_BITS));
    }
    if (!is_same_flags(&change.then, &change.now)) {
        put_flags(&portion->items, &portion->n, &change.then);
    }
    return is_late && store->has_unchangedsince ? 1 : 0;
}

static int store_portion(struct folder *folder, const uint32_t *uids, uint32_t n, const struct folder_store *store,
                         struct folder_list *failed)
{
    struct portion portion;
    int result = portion_begin(&portion, folder);
    if (result < 0) {
        return -1;
    }
    for (uint32_t i = 0; i < n && result == 0; i++) {
        uint32_t index = folder_index_of_uid(folder, uids[i]);
        if (index == FOLDER_NONE) {
            continue;
        }
        result = store_one(&portion, index, store);
        if (result == 1) {
            folder_list_add(failed, uids[i]);
            result = 0;
        }
    }
    int error = errno;
    int ended = portion_end(&portion, ENTRY_FLAGS);
    errno = result < 0 ? error : errno;
    return result < 0 || ended < 0 ? -1 : 0;
}

int folder_store(struct folder *folder, const struct folder_list *which, const struct folder_store *store,
                 struct folder_list *failed)
{
    for (uint32_t at = 0; at < which->n; at += PORTION) {
        uint32_t n = which->n - at < PORTION ? which->n - at : PORTION;
        uint32_t n_failed = failed == NULL ? 0 : failed->n;
        int result = store_portion(folder, which->item + at, n, store, failed);
        if (result < 0 && errno == ENAMETOOLONG && unlinkat(folder->dir, INDEX_NAME, 0) == 0) {
            /* An index from before names were shortened: made anew it has other names, and the same UIDs. */
            if (failed != NULL) {
                failed->n = n_failed;
            }
            result = store_portion(folder, which->item + at, n, store, failed);
        }
        if (result < 0) {
            return -1;
        }
    }
    return 0;
}

static uint64_t stored_bytes(struct folder *folder, const char *name)
{
    struct stat stat;
    struct mailbox_name said;
    const char *slash = strrchr(name, '/');
    if (mailbox_name_parse(slash + 1, strlen(slash + 1), &said) && said.size != MAILBOX_UNKNOWN) {
        return said.size;
    }
    return fstatat(folder->dir, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)stat.st_size : 0;
}

/* Did a foreign program take \\Deleted away meanwhile? The name in portion->from says it. */
static bool is_saved(struct portion *portion, uint32_t index)
{
    struct nameinfo info;
    const struct record *record = folder_record_at(portion->folder, index);
    uint8_t state = parse_name(portion, index, &info);
    if (info.flags & MAILBOX_TRASHED || !(record->flags & MAILBOX_TRASHED)) {
        return false;
    }
    struct entry_flags now = {.uid = record->uid,
                              .flags = info.flags,
                              .state = state,
                              .keywords = info.keywords | (record->keywords & ~KEYWORDS_LETTER_BITS)};
    put_flags(&portion->foreign, &portion->n_foreign, &now);
    return true;
}

enum removal { REMOVAL_DONE, REMOVAL_GONE, REMOVAL_SAVED, REMOVAL_FAILED };

static enum removal unlink_one(struct portion *portion, uint32_t index, uint64_t *freed)
{
    for (unsigned try = 0; try < TRIES; try++) {
        if (name_now(portion, index, try) < 0) {
            return errno == ENOENT ? REMOVAL_GONE : REMOVAL_FAILED;
        }
        if (is_saved(portion, index)) {
            return REMOVAL_SAVED;
        }
        uint64_t bytes = stored_bytes(portion->folder, str_text(&portion->from));
        if (unlinkat(portion->folder->dir, portion->from.s, 0) == 0) {
            *freed += bytes;
            return REMOVAL_DONE;
        }
        if (errno != ENOENT) {
            return REMOVAL_FAILED;
        }
    }
    (void)give_up();
    return REMOVAL_FAILED;
}

static int expunge_portion(struct folder *folder, const uint32_t *uids, uint32_t n, uint64_t *freed, uint32_t *n_out)
{
    struct portion portion;
    if (portion_begin(&portion, folder) < 0) {
        return -1;
    }
    enum removal removal = REMOVAL_DONE;
    for (uint32_t i = 0; i < n && removal != REMOVAL_FAILED; i++) {
        uint32_t index = folder_index_of_uid(folder, uids[i]);
        if (index == FOLDER_NONE) {
            continue;
        }
        removal = unlink_one(&portion, index, freed);
        if (removal == REMOVAL_DONE || removal == REMOVAL_GONE) {
            put_range(&portion.items, &portion.n, uids[i]);
            *n_out += removal == REMOVAL_DONE;
        }
    }
    int error = errno;
    int ended = portion_end(&portion, ENTRY_EXPUNGE);
    errno = removal == REMOVAL_FAILED ? error : errno;
    return removal == REMOVAL_FAILED || ended < 0 ? -1 : 0;
}

int folder_expunge(struct folder *folder, const struct folder_list *which, uint64_t *freed_out, uint32_t *n_out)
{
    *freed_out = 0;
    *n_out = 0;
    for (uint32_t at = 0; at < which->n; at += PORTION) {
        uint32_t n = which->n - at < PORTION ? which->n - at : PORTION;
        if (expunge_portion(folder, which->item + at, n, freed_out, n_out) < 0) {
            return -1;
        }
    }
    return 0;
}
