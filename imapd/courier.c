/* SPDX-License-Identifier: ISC */
/* A folder that Courier served: UIDs of courierimapuiddb go into dovecot-uidlist once, keywords of courierimapkeywords/ into
 * names and letters. courierimapuiddb is kept up afterwards: Courier would give a UID of ours to another message, and it believes
 * the next UID in the header even where a line has a higher one. So the header comes first, overwritten in place (its number has
 * ten digits since we wrote it), then the lines. The rest of Courier's files stays as it is. */
#include "imapd/courier.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "imapd/folder_inner.h"
#include "imapd/namehash.h"
#include "imapd/textfile.h"
#include "lib/scan.h"
#include "lib/str.h"

enum { NAMES_MAX = 1000, DIGITS = 10, HEADER_MAX = 64, SPARE = 4096 };

int courier_import(int dir, struct uidlist *out)
{
    int found = uidlist_read(out, dir, COURIER_UIDDB);
    if (found != UIDLIST_READ) {
        return found < 0 ? -1 : 0;
    }
    stralloc text = STRALLOC_ZERO;
    uidlist_header_append(&text, out->uidvalidity, out->uidnext, "", 0);
    for (uint32_t i = 0; i < out->n; i++) {
        uidlist_line_append(&text, out->entry[i].uid, out->bytes.s + out->entry[i].name_at, out->entry[i].name_len);
    }
    int result = dotlock_replace(dir, UIDLIST_NAME, &text);
    stralloc_free(&text);
    if (result < 0) {
        uidlist_free(out);
        return -1;
    }
    return 1;
}

struct header {
    uint64_t uidvalidity, uidnext;
    size_t uidnext_at, digits;
};

/* `1 UIDVALIDITY UIDNEXT` */
static bool read_header(int fd, struct header *out)
{
    char text[HEADER_MAX];
    ssize_t n = pread(fd, text, sizeof text, 0);
    const char *lf = n < 4 ? NULL : memchr(text, '\n', (size_t)n);
    const char *blank = lf == NULL || memcmp(text, "1 ", 2) != 0 ? NULL : memchr(text + 2, ' ', (size_t)(lf - text - 2));
    if (blank == NULL) {
        return false;
    }
    out->uidnext_at = (size_t)(blank + 1 - text);
    out->digits = (size_t)(lf - blank - 1);
    return scan_decimal(text + 2, (size_t)(blank - text - 2), UINT32_MAX, &out->uidvalidity) &&
           scan_decimal(blank + 1, out->digits, UINT32_MAX, &out->uidnext);
}

static void put_line(stralloc *out, uint32_t uid, const char *name)
{
    str_catf(out, "%u %s\n", uid, name);
}

static void write_anew(struct folder *folder, uint32_t uidnext, const struct folder_news *news)
{
    stralloc text = STRALLOC_ZERO;
    str_catf(&text, "1 %u %0*u\n", folder->head.uidvalidity, (int)DIGITS, uidnext);
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        put_line(&text, folder_record_at(folder, i)->uid, folder_base_name(folder, i));
    }
    for (uint32_t i = 0; i < news->n; i++) {
        put_line(&text, news->record[i].uid, news->names + news->record[i].name_at);
    }
    (void)unlinkat(folder->dir, COURIER_UIDDB ".tmp", 0);
    int fd = openat(folder->dir, COURIER_UIDDB ".tmp", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)!(write_whole(fd, text.s, text.len) < 0 ||
                renameat(folder->dir, COURIER_UIDDB ".tmp", folder->dir, COURIER_UIDDB) < 0);
        close(fd);
    }
    stralloc_free(&text);
}

/* At its end now. What came behind half a line would be part of it. */
static bool ends_with_a_line(int fd)
{
    char last;
    off_t end = lseek(fd, 0, SEEK_END);
    return end > 0 && pread(fd, &last, 1, end - 1) == 1 && last == '\n';
}

static bool go_on(int fd, const struct header *header, uint32_t uidnext, const struct folder_news *news)
{
    char digits[DIGITS + 1];
    stralloc lines = STRALLOC_ZERO;
    (void)snprintf(digits, sizeof digits, "%0*u", (int)DIGITS, uidnext);
    for (uint32_t i = 0; i < news->n; i++) {
        put_line(&lines, news->record[i].uid, news->names + news->record[i].name_at);
    }
    bool is_done = ends_with_a_line(fd) && pwrite(fd, digits, DIGITS, (off_t)header->uidnext_at) == DIGITS &&
                   write_whole(fd, lines.s, lines.len) == 0;
    stralloc_free(&lines);
    return is_done;
}

uint32_t courier_uidnext(const struct folder *folder)
{
    struct header header = {0};
    int fd = openat(folder->dir, COURIER_UIDDB, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    bool is_ours = read_header(fd, &header) && header.uidvalidity == folder->head.uidvalidity;
    close(fd);
    return is_ours ? (uint32_t)header.uidnext : 0;
}

void courier_keep_up(struct folder *folder, uint32_t uidnext, const struct folder_news *news)
{
    struct header header;
    int fd = openat(folder->dir, COURIER_UIDDB, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (read_header(fd, &header) && header.uidvalidity == folder->head.uidvalidity && header.uidnext <= uidnext) {
        bool may_go_on = header.uidnext == folder->uidnext && header.digits == DIGITS;
        if (!may_go_on || !go_on(fd, &header, uidnext, news)) {
            write_anew(folder, uidnext, news);
        }
    }
    close(fd);
}

void courier_compact(struct folder *folder)
{
    struct stat stat;
    const struct folder_news none = {.n = 0};
    if (fstatat(folder->dir, COURIER_UIDDB, &stat, AT_SYMLINK_NOFOLLOW) < 0 ||
        (uint64_t)stat.st_size < 2 * folder_list_bytes(folder) + SPARE) {
        return;
    }
    uint32_t uidnext = courier_uidnext(folder);
    if (uidnext > 0 && uidnext <= folder->uidnext) {
        write_anew(folder, folder->uidnext, &none);
    }
}

struct import {
    struct folder *folder;
    int dir; /* courierimapkeywords/ */
    struct namehash known;
    uint64_t *bits; /* one an index */
    stralloc text;
    int number[NAMES_MAX]; /* of the names of :list */
    unsigned n_names;
};

static const char *base_name(const void *ctx, uint32_t value, size_t *len_out)
{
    const char *name = folder_base_name((struct folder *)(uintptr_t)ctx, value);
    *len_out = strlen(name);
    return name;
}

static bool read_text(struct import *import, const char *name)
{
    import->text.len = 0;
    return textfile_read(import->dir, name, &import->text) == 1;
}

/* -1: there is no room, or it is a name that no client could be told. */
static int number_of(struct import *import, const char *name, size_t n)
{
    struct keywords *keywords = &import->folder->keywords;
    int number = keywords_find(keywords, name, n);
    if (number < 0) {
        number = keywords_free_number(keywords);
        if (number >= 0) {
            keywords_set(keywords, (unsigned)number, name, n);
            number = keywords->len[number] > 0 ? number : -1;
        }
    }
    return number;
}

static uint64_t bit_of(int number)
{
    return number < 0 ? 0 : UINT64_C(1) << number;
}

/* `BASE:INDEX INDEX …` of :list. */
static void take_indexes(struct import *import, const char *line, size_t n)
{
    const char *end = line + n;
    const char *colon = memchr(line, ':', n);
    uint32_t index = colon == NULL ? NAMEHASH_NONE : namehash_find(&import->known, line, (size_t)(colon - line));
    if (index == NAMEHASH_NONE) {
        return;
    }
    for (const char *at = colon + 1; at < end;) {
        const char *blank = memchr(at, ' ', (size_t)(end - at));
        const char *stop = blank == NULL ? end : blank;
        uint64_t number;
        if (scan_decimal(at, (size_t)(stop - at), NAMES_MAX - 1, &number) && number < import->n_names) {
            import->bits[index] |= bit_of(import->number[number]);
        }
        at = stop + 1;
    }
}

static void take_list(struct import *import)
{
    bool is_name = true;
    if (!read_text(import, ":list")) {
        return;
    }
    const char *at = import->text.s;
    const char *end = at + import->text.len;
    for (const char *lf; at < end && (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1) {
        size_t n = (size_t)(lf - at);
        if (n == 0) {
            is_name = false;
        } else if (is_name && import->n_names < NAMES_MAX) {
            import->number[import->n_names++] = number_of(import, at, n);
        } else if (!is_name) {
            take_indexes(import, at, n);
        }
    }
}

/* A file a message: its keywords, one a line, instead of what :list said. */
static void take_file(struct import *import, const char *file, const char *base)
{
    const char *colon = strchr(base, ':');
    uint32_t index = namehash_find(&import->known, base, colon == NULL ? strlen(base) : (size_t)(colon - base));
    if (index == NAMEHASH_NONE || !read_text(import, file)) {
        return;
    }
    import->bits[index] = 0;
    const char *at = import->text.s;
    const char *end = at + import->text.len;
    for (const char *lf; at < end && (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1) {
        if (lf > at) {
            import->bits[index] |= bit_of(number_of(import, at, (size_t)(lf - at)));
        }
    }
}

/* .N.BASE: which N; -1: not such a name. */
static int64_t number_in_name(const char *name, const char **base_out)
{
    uint64_t number;
    const char *dot = name[0] == '.' ? strchr(name + 1, '.') : NULL;
    if (dot == NULL || !scan_decimal(name + 1, (size_t)(dot - name - 1), INT64_MAX, &number)) {
        return -1;
    }
    *base_out = dot + 1;
    return (int64_t)number;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    const char *base;
    int64_t x = number_in_name((*a)->d_name, &base);
    int64_t y = number_in_name((*b)->d_name, &base);
    return x < y ? -1 : x > y;
}

/* Plain names first, then .N.BASE by ascending N: the last one holds. */
static void take_files(struct import *import)
{
    struct dirent **names;
    int n = scandirat(import->dir, ".", &names, NULL, compare_names);
    for (int i = 0; i < n; i++) {
        const char *base = names[i]->d_name;
        if (base[0] != ':' && (base[0] != '.' || number_in_name(base, &base) >= 0)) {
            take_file(import, names[i]->d_name, base);
        }
        free(names[i]);
    }
    if (n >= 0) {
        free(names);
    }
}

static void give(struct folder *folder, uint32_t index, uint64_t bits, stralloc *lines)
{
    struct record *record = folder_record_at(folder, index);
    stralloc from = STRALLOC_ZERO;
    stralloc to = STRALLOC_ZERO;
    uint64_t before = record->keywords;
    if (record->state != 0) {
        return; /* still in new/, or with a strange name: keywords come with the next change */
    }
    folder_name_append(folder, index, &from);
    record->keywords |= bits;
    folder_name_append(folder, index, &to);
    if (strcmp(str_text(&from), str_text(&to)) != 0 && renameat2(folder->dir, from.s, folder->dir, to.s, RENAME_NOREPLACE) < 0) {
        record->keywords = before;
    }
    if (record->keywords & ~KEYWORDS_LETTER_BITS) {
        keywords_line_append(lines, record->uid, record->keywords);
    }
    stralloc_free(&from);
    stralloc_free(&to);
}

static int give_all(struct import *import)
{
    struct folder *folder = import->folder;
    stralloc lines = STRALLOC_ZERO;
    for (uint32_t i = 0; i < folder_end(folder); i++) {
        if (import->bits[i] != 0) {
            give(folder, i, import->bits[i], &lines);
        }
    }
    int result = keywords_write_dovecot(&folder->keywords, folder->dir);
    if (result == 0 && lines.len > 0) {
        result = keywords_add_ours(&folder->keywords, folder->dir, folder->head.uidvalidity, &lines, true);
    }
    stralloc_free(&lines);
    struct index_stamp now = {0};
    if (result == 0) {
        result = folder_stamp_now(folder, &now);
        folder->stamp.keywords_size = now.keywords_size; /* of the rest only the scan can tell */
    }
    return result;
}

int courier_take_keywords(struct folder *folder)
{
    struct import import = {.folder = folder};
    import.dir = openat(folder->dir, "courierimapkeywords", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (import.dir < 0) {
        return 0;
    }
    uint32_t end = folder_end(folder);
    import.bits = memory_get((size_t)end + 1, sizeof *import.bits);
    namehash_init(&import.known, end, base_name, folder);
    for (uint32_t i = 0; i < end; i++) {
        const char *name = folder_base_name(folder, i);
        namehash_put(&import.known, name, strlen(name), i);
    }
    take_list(&import);
    take_files(&import);
    int result = give_all(&import);
    namehash_free(&import.known);
    free(import.bits);
    stralloc_free(&import.text);
    close(import.dir);
    return result;
}
