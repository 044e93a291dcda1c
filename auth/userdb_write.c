/* SPDX-License-Identifier: ISC */
/* Changes of vpasswd(5). The folder belongs to vmail: every name in it is opened through userdb_open_safe, new files are made
 * O_EXCL, and what vmail slips in between is refused at the next open. The text comes first and is the source; should the power
 * fail before the cdb follows, readers use the older cdb, say so in the log, and the next change of any mailbox mends it. */
#include "auth/userdb_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/textfile.h"
#include "lib/cdbmap.h"
#include "lib/log.h"
#include "lib/str.h"

struct line {
    const char *bytes;
    size_t len, key_len; /* key_len: bytes before the first ':' */
};
struct edit {
    int folder, lock;
    stralloc text;
    stralloc added; /* lines that a change makes: text is never moved under the slices */
    struct line *lines;
    size_t n_lines, room;
};

static enum userdb_write error_kind(void)
{
    if (errno == EPERM) {
        return USERDB_WRITE_UNSAFE;
    }
    return errno == EAGAIN ? USERDB_WRITE_BUSY : USERDB_WRITE_ERROR;
}

static void edit_end(struct edit *edit)
{
    int why = errno;
    free(edit->lines);
    stralloc_free(&edit->text);
    stralloc_free(&edit->added);
    if (edit->lock >= 0) {
        close(edit->lock);
    }
    if (edit->folder >= 0) {
        close(edit->folder);
    }
    errno = why;
}

static void edit_push(struct edit *edit, const char *bytes, size_t n)
{
    const char *colon = memchr(bytes, ':', n);
    if (edit->n_lines == edit->room) {
        edit->room = edit->room == 0 ? 64 : edit->room * 2;
        edit->lines = memory_grow(edit->lines, edit->room, sizeof *edit->lines);
    }
    edit->lines[edit->n_lines++] = (struct line){bytes, n, colon == NULL ? n : (size_t)(colon - bytes)};
}

/* Lock, read, cut into lines. may_create: a vpasswd that is not there is an empty one. */
static int edit_begin(struct edit *edit, int dir_at, const char *folder, bool may_create)
{
    *edit = (struct edit){.folder = openat(dir_at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .lock = -1};
    if (edit->folder < 0) {
        return -1;
    }
    edit->lock = userdb_open_safe(edit->folder, ".vpasswd.lock", O_RDWR | O_CREAT);
    if (edit->lock < 0 || textfile_lock(edit->lock) < 0) {
        return -1;
    }
    int fd = userdb_open_safe(edit->folder, "vpasswd", O_RDONLY);
    if (fd < 0) {
        return may_create && errno == ENOENT ? 0 : -1;
    }
    int result = textfile_read(fd, &edit->text);
    close(fd);
    size_t at = 0, len;
    const char *line;
    while (result == 0 && textfile_next_line(edit->text.s, edit->text.len, &at, &line, &len)) {
        if (len > 0) {
            edit_push(edit, line, len);
        }
    }
    return result;
}

static bool line_has_name(const struct line *line, const char *name)
{
    size_t n = strlen(name);
    return line->key_len == n && line->len > n && memcmp(line->bytes, name, n) == 0;
}

/* n_lines when it is not there. */
static size_t edit_find(const struct edit *edit, const char *name)
{
    size_t i = 0;
    while (i < edit->n_lines && !line_has_name(&edit->lines[i], name)) {
        i++;
    }
    return i;
}

/* By name; equal names keep their order (the first one is the one that counts). */
static int compare_lines(const void *left, const void *right)
{
    const struct line *a = left, *b = right;
    size_t n = a->key_len < b->key_len ? a->key_len : b->key_len;
    int order = memcmp(a->bytes, b->bytes, n);
    if (order == 0 && a->key_len != b->key_len) {
        order = a->key_len < b->key_len ? -1 : 1;
    }
    if (order == 0) {
        order = a->bytes < b->bytes ? -1 : 1;
    }
    return order;
}

static int write_text(const struct edit *edit)
{
    stralloc out = STRALLOC_ZERO;
    for (size_t i = 0; i < edit->n_lines; i++) {
        str_cat(&out, edit->lines[i].bytes, edit->lines[i].len);
        str_catc(&out, '\n');
    }
    int result = textfile_replace(edit->folder, "vpasswd", 0600, &out);
    int why = errno;
    stralloc_free(&out);
    errno = why;
    return result;
}

static int write_cdb(const struct edit *edit)
{
    int fd = textfile_begin(edit->folder, "vpasswd.cdb", 0600);
    if (fd < 0) {
        return -1;
    }
    struct cdbmap_maker *maker = cdbmap_make_start(fd);
    int result = 0;
    for (size_t i = 0; i < edit->n_lines && result == 0; i++) {
        const struct line *line = &edit->lines[i];
        struct userdb_record record;
        if (!userdb_parse_line(line->bytes, line->len, &record)) {
            log_event("warning", "what=%s line=%zu", "a line of vpasswd is not understood: kept in the text, left out of the cdb",
                      i + 1);
            continue;
        }
        result =
            cdbmap_make_add(maker, line->bytes, line->key_len, line->bytes + line->key_len + 1, line->len - line->key_len - 1);
    }
    if (cdbmap_make_finish(maker) < 0 || result < 0) {
        textfile_abandon(edit->folder, "vpasswd.cdb", fd);
        return -1;
    }
    return textfile_end(edit->folder, "vpasswd.cdb", fd);
}

static enum userdb_write edit_commit(struct edit *edit)
{
    if (edit->n_lines > 1) {
        qsort(edit->lines, edit->n_lines, sizeof *edit->lines, compare_lines);
    }
    return write_text(edit) < 0 || write_cdb(edit) < 0 ? error_kind() : USERDB_WRITE_DONE;
}

static bool has_bad_byte(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == ':' || (unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

/* Appends the record's line to `added`; *line_out is made of it by take_added, once nothing is appended any more. */
static enum userdb_write put_record(struct edit *edit, const struct userdb_record *record)
{
    if (!userdb_name_is_good(record->name, strlen(record->name)) || has_bad_byte(record->password) ||
        has_bad_byte(record->gecos) || has_bad_byte(record->dir) || has_bad_byte(record->quota) ||
        strpbrk(record->clear, "\r\n") != NULL) {
        return USERDB_WRITE_BAD;
    }
    userdb_append_line(&edit->added, record);
    return edit->added.len - 1 > USERDB_LINE_MAX ? USERDB_WRITE_TOO_LONG : USERDB_WRITE_DONE;
}

/* Nothing is to be done, says the text. After a crash, or an edit by hand, the cdb says otherwise: it follows the text. */
static enum userdb_write let_cdb_follow(const struct edit *edit, enum userdb_write otherwise)
{
    return write_cdb(edit) < 0 ? error_kind() : otherwise;
}

static enum userdb_write add_record(struct edit *edit, const struct userdb_record *record)
{
    if (edit_find(edit, record->name) < edit->n_lines) {
        return let_cdb_follow(edit, USERDB_WRITE_EXISTS);
    }
    enum userdb_write result = put_record(edit, record);
    if (result == USERDB_WRITE_DONE) {
        edit_push(edit, edit->added.s, edit->added.len - 1);
        result = edit_commit(edit);
    }
    return result;
}

enum userdb_write userdb_create(int dir_at, const char *folder, const struct userdb_record *postmaster)
{
    struct edit edit;
    struct userdb_record record = *postmaster;
    record.flags = (record.flags | USERDB_QA_ADMIN) & ~(uint32_t)USERDB_BOUNCE_MAIL;
    if (strcmp(record.name, "postmaster") != 0) {
        return USERDB_WRITE_POSTMASTER;
    }
    enum userdb_write result = edit_begin(&edit, dir_at, folder, true) < 0 ? error_kind() : USERDB_WRITE_DONE;
    if (result == USERDB_WRITE_DONE) {
        result = edit.n_lines > 0 ? USERDB_WRITE_EXISTS : add_record(&edit, &record);
    }
    edit_end(&edit);
    return result;
}

enum userdb_write userdb_add(int dir_at, const char *folder, const struct userdb_record *record)
{
    struct edit edit;
    enum userdb_write result = edit_begin(&edit, dir_at, folder, false) < 0 ? error_kind() : add_record(&edit, record);
    edit_end(&edit);
    return result;
}

/* postmaster stays reachable, and stays the domain's administrator. */
static bool harms_postmaster(const struct userdb_record *before, const struct userdb_record *after)
{
    if (strcmp(before->name, "postmaster") != 0) {
        return false;
    }
    bool is_locked = (after->flags & USERDB_BOUNCE_MAIL) != 0 && (before->flags & USERDB_BOUNCE_MAIL) == 0;
    bool is_deposed = (after->flags & USERDB_QA_ADMIN) == 0 && (before->flags & USERDB_QA_ADMIN) != 0;
    return is_locked || is_deposed;
}

static enum userdb_write change_record(struct edit *edit, const char *name, void (*change)(struct userdb_record *, const void *),
                                       const void *ctx)
{
    struct userdb_record before;
    size_t i = edit_find(edit, name);
    if (i == edit->n_lines) {
        return let_cdb_follow(edit, USERDB_WRITE_NONE);
    }
    if (!userdb_parse_line(edit->lines[i].bytes, edit->lines[i].len, &before)) {
        return USERDB_WRITE_BAD;
    }
    struct userdb_record after = before;
    change(&after, ctx);
    memcpy(after.name, before.name, sizeof after.name);
    if (harms_postmaster(&before, &after)) {
        return USERDB_WRITE_POSTMASTER;
    }
    enum userdb_write result = put_record(edit, &after);
    if (result == USERDB_WRITE_DONE) {
        edit->lines[i].bytes = edit->added.s;
        edit->lines[i].len = edit->added.len - 1;
        result = edit_commit(edit);
    }
    return result;
}

enum userdb_write userdb_change(int dir_at, const char *folder, const char *name,
                                void (*change)(struct userdb_record *, const void *ctx), const void *ctx)
{
    struct edit edit;
    enum userdb_write result =
        edit_begin(&edit, dir_at, folder, false) < 0 ? error_kind() : change_record(&edit, name, change, ctx);
    edit_end(&edit);
    return result;
}

static enum userdb_write delete_record(struct edit *edit, const char *name)
{
    size_t kept = 0, n = edit->n_lines;
    for (size_t i = 0; i < n; i++) {
        if (!line_has_name(&edit->lines[i], name)) {
            edit->lines[kept++] = edit->lines[i];
        }
    }
    if (kept == n) {
        return let_cdb_follow(edit, USERDB_WRITE_NONE);
    }
    edit->n_lines = kept;
    return edit_commit(edit);
}

enum userdb_write userdb_delete(int dir_at, const char *folder, const char *name)
{
    struct edit edit;
    if (strcmp(name, "postmaster") == 0) {
        return USERDB_WRITE_POSTMASTER;
    }
    enum userdb_write result = edit_begin(&edit, dir_at, folder, false) < 0 ? error_kind() : delete_record(&edit, name);
    edit_end(&edit);
    return result;
}

int userdb_each(int dir_at, const char *folder, void (*each)(const struct userdb_record *, void *ctx), void *ctx)
{
    char file[768];
    stralloc text = STRALLOC_ZERO;
    int fd = userdb_path(folder, "vpasswd", file, sizeof file) ? userdb_open_safe(dir_at, file, O_RDONLY) : -1;
    if (fd < 0) {
        return -1;
    }
    int result = textfile_read(fd, &text);
    close(fd);
    size_t at = 0, len;
    const char *line;
    while (result == 0 && textfile_next_line(text.s, text.len, &at, &line, &len)) {
        struct userdb_record record;
        if (userdb_parse_line(line, len, &record)) {
            each(&record, ctx);
        }
    }
    stralloc_free(&text);
    return result;
}
