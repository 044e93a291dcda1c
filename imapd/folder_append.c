/* SPDX-License-Identifier: ISC */
/* New files: written in tmp/ and synced without the lock (syncs of several sessions run side by side), then named in cur/, given
 * UIDs (synced) and told under it. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "imapd/folder_add.h"
#include "imapd/nameinfo.h"
#include "lib/clock.h"
#include "lib/maildir.h"
#include "lib/msgid.h"
#include "lib/str.h"

void folder_append_begin(struct folder_append *append, struct folder *folder)
{
    *append = (struct folder_append){.folder = folder, .fd = -1};
}

int folder_append_file(struct folder_append *append)
{
    char id[MSGID_LEN + 1];
    msgid_make(clock_wall_us(), id);
    (void)snprintf(append->name, sizeof append->name, "tmp/%s.P%ld", id, (long)getpid());
    append->fd = openat(append->folder->dir, append->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return append->fd < 0 ? -1 : 0;
}

/* The mtime of a message is its INTERNALDATE. */
static int set_date(int fd, uint32_t date)
{
    struct timespec times[2] = {{.tv_sec = (time_t)date}, {.tv_sec = (time_t)date}};
    return futimens(fd, times);
}

static void put_base(stralloc *out, const struct append_meta *meta, const char *host)
{
    char id[MSGID_LEN + 1];
    msgid_make(clock_wall_us(), id);
    maildir_base_append(out, id, 0, host);
    str_catf(out, ",S=%llu,W=%llu", (unsigned long long)meta->bytes, (unsigned long long)meta->wire_bytes);
}

int folder_append_done(struct folder_append *append, const struct append_meta *meta)
{
    if (set_date(append->fd, meta->date) < 0 || fsync(append->fd) < 0) {
        return -1;
    }
    close(append->fd);
    append->fd = -1;
    append->items = memory_grow(append->items, append->n + 1, sizeof *append->items);
    struct append_item *item = &append->items[append->n++];
    *item = (struct append_item){.meta = *meta, .tmp_at = (uint32_t)append->names.len};
    str_cat(&append->names, append->name, strlen(append->name) + 1);
    return 0;
}

/* tmp/NAME to cur/BASE:2,LETTERS for each. 0; -1 errno. */
static int name_all(struct folder_append *append, struct adding *adding, const char *host)
{
    struct folder *folder = append->folder;
    stralloc base = STRALLOC_ZERO;
    stralloc to = STRALLOC_ZERO;
    int result = 0;
    for (uint32_t i = 0; i < append->n && result == 0; i++) {
        const struct append_item *item = &append->items[i];
        base.len = to.len = 0;
        put_base(&base, &item->meta, host);
        str_cats(&to, "cur/");
        str_cat(&to, base.s, base.len);
        nameinfo_append(&to, item->meta.flags, item->meta.keywords);
        if (adding_announce(adding, &base, item->meta.keywords) < 0) {
            result = -1;
            break;
        }
        result = renameat2(folder->dir, append->names.s + item->tmp_at, folder->dir, str_text(&to), RENAME_NOREPLACE);
        if (result == 0) {
            struct record record = {.flags = item->meta.flags,
                                    .keywords = item->meta.keywords,
                                    .date = item->meta.date,
                                    .size = item->meta.wire_bytes >= UINT32_MAX ? UINT32_MAX : (uint32_t)item->meta.wire_bytes};
            adding_put(adding, &record, &base, &to);
        }
    }
    int error = errno;
    stralloc_free(&base);
    stralloc_free(&to);
    errno = error;
    return result;
}

struct commit {
    struct folder_append *append;
    const char *host;
    uint32_t *first_uid_out;
    struct adding adding;
};

static int commit_step(void *ctx)
{
    struct commit *commit = ctx;
    if (adding_begin(&commit->adding, commit->append->folder) < 0) {
        return -1;
    }
    if (adding_doubt(&commit->adding) < 0 || name_all(commit->append, &commit->adding, commit->host) < 0) {
        adding_undo(&commit->adding);
        return -1;
    }
    return adding_commit(&commit->adding, commit->first_uid_out);
}

int folder_append_commit(struct folder_append *append, const char *host, uint32_t *first_uid_out)
{
    struct commit commit = {.append = append, .host = host, .first_uid_out = first_uid_out, .adding = {.folder = append->folder}};
    int result = folder_guarded(append->folder, commit_step, &commit);
    int error = errno;
    if (result < 0 && error == EUCLEAN) {
        adding_undo(&commit.adding);
    }
    folder_append_abort(append);
    errno = error;
    return result;
}

void folder_append_abort(struct folder_append *append)
{
    if (append->fd >= 0) {
        close(append->fd);
        (void)unlinkat(append->folder->dir, append->name, 0);
        append->fd = -1;
    }
    for (uint32_t i = 0; i < append->n; i++) {
        (void)unlinkat(append->folder->dir, append->names.s + append->items[i].tmp_at, 0);
    }
    append->n = 0;
    free(append->items);
    append->items = NULL;
    stralloc_free(&append->names);
}
