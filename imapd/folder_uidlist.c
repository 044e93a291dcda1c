/* SPDX-License-Identifier: ISC */
/* The index knows every UID that was given: where the list is lost, or Dovecot could not read it, it is written anew from here.
 */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "imapd/courier.h"
#include "imapd/dotlock.h"
#include "lib/log.h"
#include "lib/str.h"

struct writing {
    const struct uidlist *before; /* whose other fields are kept; NULL: nobody's */
    stralloc *text;
};

static void put_message(struct writing *writing, uint32_t uid, const char *name)
{
    const struct uidlist_entry *entry = writing->before == NULL ? NULL : uidlist_find(writing->before, uid);
    if (entry == NULL || entry->fields_len == 0) {
        uidlist_line_append(writing->text, uid, name, strlen(name));
        return;
    }
    str_catn(writing->text, uid);
    str_catc(writing->text, ' ');
    str_cat(writing->text, writing->before->bytes.s + entry->fields_at, entry->fields_len);
    str_catc(writing->text, ':');
    str_cats(writing->text, name);
    str_catc(writing->text, '\n');
}

void folder_uidlist_text(struct folder *folder, const struct uidlist *before, uint32_t uidnext, const struct folder_news *news,
                         stralloc *out)
{
    struct writing writing = {.before = before, .text = out};
    bool has_extra = before != NULL && before->extra_len > 0;
    uidlist_header_append(out, folder->head.uidvalidity, uidnext, has_extra ? before->bytes.s + before->extra_at : "",
                          has_extra ? before->extra_len : 0);
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        put_message(&writing, folder_record_at(folder, i)->uid, folder_base_name(folder, i));
    }
    for (uint32_t i = 0; i < news->n; i++) {
        put_message(&writing, news->record[i].uid, news->names + news->record[i].name_at);
    }
}

int folder_uidlist_write(struct folder *folder, const struct uidlist *before, uint32_t uidnext, const struct folder_news *news)
{
    stralloc text = STRALLOC_ZERO;
    folder_uidlist_text(folder, before, uidnext, news, &text);
    int result = dotlock_replace(folder->dir, UIDLIST_NAME, &text);
    if (result == 0 && news->n > 0) {
        courier_keep_up(folder, uidnext, news);
    }
    stralloc_free(&text);
    return result;
}

/* Its place is free, or what is there is not to be appended to. */
static int begin_anew(struct folder *folder, uint32_t uidnext, const struct folder_news *news)
{
    struct uidlist list;
    int found = uidlist_read(&list, folder->dir, UIDLIST_NAME);
    if (found < 0 || (found == UIDLIST_STRANGE && uidlist_set_aside(folder->dir) < 0)) {
        return -1;
    }
    int result = -1;
    errno = ESTALE;
    if (found != UIDLIST_READ || list.uidvalidity == folder->head.uidvalidity) {
        result = folder_uidlist_write(folder, found == UIDLIST_READ ? &list : NULL, uidnext, news);
    }
    int error = errno;
    if (found == UIDLIST_READ) {
        uidlist_free(&list);
    }
    errno = error;
    return result;
}

int folder_uidlist_add(struct folder *folder, uint32_t uidnext, const stralloc *lines, const struct folder_news *news)
{
    int added = uidlist_add(folder->dir, folder->head.uidvalidity, lines);
    if (added == 1) {
        courier_keep_up(folder, uidnext, news);
    }
    return added < 0 ? -1 : added == 1 ? 0 : begin_anew(folder, uidnext, news);
}

int folder_end_uids(struct folder *folder)
{
    static const char *const lists[][2] = {{UIDLIST_NAME, UIDLIST_NAME ".used-up"},
                                           {"courierimapuiddb", "courierimapuiddb.used-up"}};
    log_event("alert", "what=%s kept=%s", "no UID is left: the mailbox gets another UIDVALIDITY", lists[0][1]);
    for (size_t i = 0; i < 2; i++) {
        (void)renameat(folder->dir, lists[i][0], folder->dir, lists[i][1]);
    }
    (void)unlinkat(folder->dir, INDEX_NAME, 0);
    errno = EAGAIN;
    return -1;
}

bool folder_uidlist_is_whole(struct folder *folder, const struct uidlist *list)
{
    uint32_t at = 0;
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        uint32_t uid = folder_record_at(folder, i)->uid;
        while (at < list->n && list->entry[at].uid < uid) {
            at++;
        }
        const char *name = folder_base_name(folder, i);
        bool is_there = at < list->n && list->entry[at].uid == uid && list->entry[at].name_len == strlen(name) &&
                        memcmp(list->bytes.s + list->entry[at].name_at, name, list->entry[at].name_len) == 0;
        if (!is_there) {
            log_event("alert", "what=%s uid=%u", "the UID list lacks messages of the index", uid);
            return false;
        }
    }
    return true;
}
