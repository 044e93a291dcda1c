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

enum { PORTION = 256, TRIES = 4 };

/* One portion under the lock. */
struct portion {
    struct folder *folder;
    struct index_stamp before;
    bool was_clean; /* nobody else had changed cur/: afterwards our own changes explain its time */
    stralloc items, lines, from, to;
    uint32_t n;
};

static int portion_begin(struct portion *portion, struct folder *folder)
{
    *portion = (struct portion){.folder = folder};
    if (folder_lock(folder) < 0) {
        return -1;
    }
    if (folder_stamp_now(folder, &portion->before) < 0) {
        folder_unlock(folder);
        return -1;
    }
    portion->was_clean = memcmp(&portion->before, &folder->stamp, sizeof folder->stamp) == 0;
    return 0;
}

static int portion_end(struct portion *portion, enum index_kind kind)
{
    struct folder *folder = portion->folder;
    struct index_stamp stamp;
    int result = 0;
    if (portion->n > 0) {
        size_t start = entry_begin(&folder->out, kind, folder_next_modseq(folder));
        entry_put(&folder->out, portion->items.s, portion->items.len);
        entry_end(&folder->out, start, portion->n);
        if (portion->was_clean && folder_stamp_now(folder, &stamp) == 0) {
            folder_put_stamp(folder, &stamp);
        }
        folder->is_own = true;
        result = folder_commit(folder);
        folder->is_own = false;
    }
    if (result == 0 && portion->lines.len > 0) {
        result = keywords_add_ours(&folder->keywords, folder->dir, folder->head.uidvalidity, &portion->lines);
    }
    folder_unlock(folder);
    stralloc *texts[] = {&portion->items, &portion->lines, &portion->from, &portion->to};
    int error = errno;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        stralloc_free(texts[i]);
    }
    errno = error;
    return result;
}

/* The file's name now in portion->from: the record's word at the first try. 0; -1 errno. */
static int name_now(struct portion *portion, uint32_t index, unsigned try)
{
    struct folder *folder = portion->folder;
    if (try == 0 && !(folder_record_at(folder, index)->state & RECORD_IS_ODD)) {
        portion->from.len = 0;
        folder_name_append(folder, index, &portion->from);
        return 0;
    }
    return folder_find_name(folder, index, try > 0, &portion->from);
}

/* Renames the file to the name of these flags. 1 done; 0 it is gone; -1 errno. */
static int rename_one(struct portion *portion, uint32_t index, uint8_t flags, uint64_t keywords)
{
    struct folder *folder = portion->folder;
    portion->to.len = 0;
    str_cats(&portion->to, "cur/");
    str_cats(&portion->to, folder_base_name(folder, index));
    nameinfo_append(&portion->to, flags, keywords);
    for (unsigned try = 0; try < TRIES; try++) {
        if (name_now(portion, index, try) < 0) {
            return errno == ENOENT ? 0 : -1;
        }
        if (strcmp(str_text(&portion->from), str_text(&portion->to)) == 0) {
            return 1;
        }
        if (renameat2(folder->dir, portion->from.s, folder->dir, portion->to.s, RENAME_NOREPLACE) == 0) {
            return 1;
        }
        if (errno != ENOENT) {
            return -1;
        }
    }
    return 0;
}

static void new_flags(const struct record *record, const struct folder_store *store, uint8_t *flags, uint64_t *keywords)
{
    switch (store->how) {
    case STORE_ADD:
        *flags = record->flags | store->flags;
        *keywords = record->keywords | store->keywords;
        break;
    case STORE_REMOVE:
        *flags = (uint8_t)(record->flags & ~store->flags);
        *keywords = record->keywords & ~store->keywords;
        break;
    default:
        /* P has no name in IMAP: it stays. */
        *flags = (uint8_t)((record->flags & MAILBOX_PASSED) | store->flags);
        *keywords = store->keywords;
        break;
    }
}

/* Which letters the name has now follows from what the record says: a change only of keywords past the letters renames nothing.
 */
static int store_one(struct portion *portion, uint32_t index, const struct folder_store *store)
{
    struct folder *folder = portion->folder;
    const struct record *record = folder_record_at(folder, index);
    struct entry_flags item = {.uid = record->uid};
    new_flags(record, store, &item.flags, &item.keywords);
    if (item.flags == record->flags && item.keywords == record->keywords) {
        return 0;
    }
    uint64_t other = item.keywords ^ record->keywords;
    int done = rename_one(portion, index, item.flags, item.keywords);
    if (done <= 0) {
        return done;
    }
    if (other & ~KEYWORDS_LETTER_BITS) {
        str_catf(&portion->lines, "%u %llx\n", item.uid, (unsigned long long)(item.keywords & ~KEYWORDS_LETTER_BITS));
    }
    str_cat(&portion->items, (const char *)&item, sizeof item);
    portion->n++;
    return 0;
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
        if (store->has_unchangedsince && folder_record_at(folder, index)->modseq > store->unchangedsince) {
            folder_list_add(failed, uids[i]);
            continue;
        }
        result = store_one(&portion, index, store);
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
        if (store_portion(folder, which->item + at, n, store, failed) < 0) {
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

static int unlink_one(struct portion *portion, uint32_t index, uint64_t *freed)
{
    for (unsigned try = 0; try < TRIES; try++) {
        if (name_now(portion, index, try) < 0) {
            return errno == ENOENT ? 0 : -1;
        }
        uint64_t bytes = stored_bytes(portion->folder, str_text(&portion->from));
        if (unlinkat(portion->folder->dir, portion->from.s, 0) == 0) {
            *freed += bytes;
            return 1;
        }
        if (errno != ENOENT) {
            return -1;
        }
    }
    return 0;
}

static int expunge_portion(struct folder *folder, const uint32_t *uids, uint32_t n, uint64_t *freed, uint32_t *n_out)
{
    struct portion portion;
    int result = portion_begin(&portion, folder);
    if (result < 0) {
        return -1;
    }
    for (uint32_t i = 0; i < n && result >= 0; i++) {
        uint32_t index = folder_index_of_uid(folder, uids[i]);
        if (index == FOLDER_NONE) {
            continue;
        }
        result = unlink_one(&portion, index, freed);
        if (result >= 0) {
            struct entry_range range = {uids[i], uids[i]};
            str_cat(&portion.items, (const char *)&range, sizeof range);
            portion.n++;
            *n_out += (uint32_t)result;
        }
    }
    int error = errno;
    int ended = portion_end(&portion, ENTRY_EXPUNGE);
    errno = result < 0 ? error : errno;
    return result < 0 || ended < 0 ? -1 : 0;
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

/* Under the lock, with Dovecot's file read anew: its numbers hold. */
static int make_keyword(struct folder *folder, const char *name, size_t n)
{
    (void)keywords_read_dovecot(&folder->keywords, folder->dir);
    int number = keywords_find(&folder->keywords, name, n);
    bool is_known = number >= 0;
    if (!is_known) {
        number = keywords_free_number(&folder->keywords);
    }
    if (number < 0) {
        return -1;
    }
    keywords_set(&folder->keywords, (unsigned)number, name, n);
    int result = 0;
    if (!is_known && number < KEYWORDS_LETTERS) {
        result = keywords_write_dovecot(&folder->keywords, folder->dir);
    } else if (!is_known) {
        stralloc line = STRALLOC_ZERO;
        str_catf(&line, "k %d ", number);
        str_cat(&line, name, n);
        str_catc(&line, '\n');
        result = keywords_add_ours(&folder->keywords, folder->dir, folder->head.uidvalidity, &line);
        stralloc_free(&line);
    }
    size_t start = entry_begin(&folder->out, ENTRY_KEYWORD, 0);
    entry_put(&folder->out, name, n);
    entry_put(&folder->out, "", 1);
    entry_end(&folder->out, start, (uint32_t)number);
    return result < 0 || folder_commit(folder) < 0 ? -1 : number;
}

int folder_keyword(struct folder *folder, const char *name, size_t n, bool may_make)
{
    int number = keywords_find(&folder->keywords, name, n);
    if (number >= 0 || !may_make || n == 0 || n > KEYWORD_LEN_MAX) {
        return number;
    }
    if (folder_lock(folder) < 0) {
        return -1;
    }
    number = make_keyword(folder, name, n);
    folder_unlock(folder);
    return number;
}
