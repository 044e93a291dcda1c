/* SPDX-License-Identifier: ISC */
/* UIDs are promises: a list that cannot be read is an error, one that is not understood is never appended to. Lines are only
 * appended (one write, one sync), always with ascending UIDs: Dovecot throws another list away. A rewrite takes its lock file. */
#include "imapd/uidlist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "imapd/textfile.h"
#include "lib/log.h"
#include "lib/scan.h"
#include "lib/str.h"

enum { GUID_BYTES = 16 };

static void add_entry(struct uidlist *list, const struct uidlist_entry *entry)
{
    if (list->n == list->room) {
        list->room = list->room == 0 ? 256 : 2 * list->room;
        list->entry = memory_grow(list->entry, list->room, sizeof *list->entry);
    }
    list->entry[list->n++] = *entry;
    if (entry->uid >= list->uidnext) {
        list->uidnext = entry->uid + 1;
    }
}

/* UID [FIELDS ]:NAME (3) or UID NAME (1). */
static bool parse_line(struct uidlist *list, uint32_t version, const char *line, size_t n)
{
    const char *blank = memchr(line, ' ', n);
    uint64_t uid;
    if (blank == NULL || !scan_decimal(line, (size_t)(blank - line), UINT32_MAX - 1, &uid) || uid == 0) {
        return false;
    }
    const char *end = line + n;
    const char *fields = blank + 1;
    const char *name = fields;
    if (version == 3) {
        name = memchr(fields, ':', (size_t)(end - fields));
        if (name == NULL || name == end - 1) {
            return false;
        }
        name++;
    }
    const char *colon = memchr(name, ':', (size_t)(end - name));
    size_t name_len = (size_t)((colon == NULL ? end : colon) - name);
    size_t fields_len = version == 3 ? (size_t)(name - 1 - fields) : 0;
    if (name_len == 0 || name_len > 255 || fields_len > 4096) {
        return false;
    }
    struct uidlist_entry entry = {.uid = (uint32_t)uid,
                                  .name_at = (uint32_t)(name - list->bytes.s),
                                  .fields_at = (uint32_t)(fields - list->bytes.s),
                                  .name_len = (uint16_t)name_len,
                                  .fields_len = (uint16_t)fields_len};
    add_entry(list, &entry);
    return true;
}

static bool scan_uint32(const char *text, size_t n, uint32_t *out)
{
    uint64_t number;
    if (!scan_decimal(text, n, UINT32_MAX, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

/* `1 UIDVALIDITY UIDNEXT`, or `3` and fields of a letter and a value. */
static uint32_t parse_header(struct uidlist *list, const char *line, size_t n)
{
    const char *end = line + n;
    if (n < 2 || (line[0] != '1' && line[0] != '3') || line[1] != ' ') {
        return 0;
    }
    unsigned number = 0;
    for (const char *at = line + 2; at < end; number++) {
        const char *blank = memchr(at, ' ', (size_t)(end - at));
        const char *stop = blank == NULL ? end : blank;
        size_t len = (size_t)(stop - at);
        bool is_good = true;
        if (line[0] == '1') {
            is_good = number > 1 || scan_uint32(at, len, number == 0 ? &list->uidvalidity : &list->uidnext);
        } else if (len > 0 && at[0] == 'V') {
            is_good = scan_uint32(at + 1, len - 1, &list->uidvalidity);
        } else if (len > 0 && at[0] == 'N') {
            is_good = scan_uint32(at + 1, len - 1, &list->uidnext);
        } else if (list->extra_len == 0) {
            list->extra_at = (uint32_t)(at - line); /* the header is the first line */
            list->extra_len = (uint32_t)(end - at);
        }
        if (!is_good) {
            return 0;
        }
        at = blank == NULL ? end : blank + 1;
    }
    return list->uidvalidity == 0 ? 0 : line[0] == '1' ? 1 : 3;
}

static int compare_uids(const void *a, const void *b)
{
    const struct uidlist_entry *x = a;
    const struct uidlist_entry *y = b;
    if (x->uid != y->uid) {
        return x->uid < y->uid ? -1 : 1;
    }
    return x->name_at < y->name_at ? -1 : 1;
}

static void sort_and_drop_repeated(struct uidlist *list)
{
    bool is_sorted = true;
    for (uint32_t i = 1; i < list->n && is_sorted; i++) {
        is_sorted = list->entry[i - 1].uid < list->entry[i].uid;
    }
    if (is_sorted) {
        return;
    }
    list->is_untidy = true;
    qsort(list->entry, list->n, sizeof *list->entry, compare_uids);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        if (i + 1 == list->n || list->entry[i + 1].uid != list->entry[i].uid) {
            list->entry[kept++] = list->entry[i];
        }
    }
    list->n = kept;
}

bool uidlist_parse(struct uidlist *list)
{
    const char *at = list->bytes.s; /* NULL where there is nothing */
    const char *lf = list->bytes.len == 0 ? NULL : memchr(at, '\n', list->bytes.len);
    uint32_t version = lf == NULL ? 0 : parse_header(list, at, (size_t)(lf - at));
    if (version == 0) {
        return false;
    }
    const char *end = at + list->bytes.len;
    /* A last line without its LF was torn: its UID was never told. */
    for (at = lf + 1; at < end && (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1) {
        if (!parse_line(list, version, at, (size_t)(lf - at))) {
            list->n_bad++;
        }
    }
    if (list->n_bad > 0) {
        log_event("alert", "what=%s lines=%u", "lines of a UID list are not understood", list->n_bad);
    }
    list->is_untidy = version != 3 || list->n_bad > 0;
    if (list->uidnext == 0) {
        list->uidnext = 1;
    }
    sort_and_drop_repeated(list);
    return true;
}

static int read_file(struct uidlist *list, int fd)
{
    if (fstat(fd, &list->stat) < 0) {
        return -1;
    }
    if (!S_ISREG(list->stat.st_mode) || list->stat.st_size > UIDLIST_FILE_MAX) {
        errno = EINVAL;
        return -1;
    }
    size_t size = (size_t)list->stat.st_size;
    while (list->bytes.len < size) {
        ssize_t n = pread(fd, str_room(&list->bytes, size - list->bytes.len), size - list->bytes.len, (off_t)list->bytes.len);
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        list->bytes.len += (size_t)n;
    }
    return 0;
}

int uidlist_read(struct uidlist *list, int dir, const char *name)
{
    *list = (struct uidlist){.bytes = STRALLOC_ZERO};
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? UIDLIST_NONE : -1;
    }
    int result = read_file(list, fd);
    int error = errno;
    close(fd);
    if (result == 0 && uidlist_parse(list)) {
        return UIDLIST_READ;
    }
    /* A power cut may have kept the name of a new list that was not synced yet: nobody was told of it. */
    bool is_empty = list->bytes.len == 0;
    uidlist_free(list);
    errno = error;
    return result < 0 ? -1 : is_empty ? UIDLIST_NONE : UIDLIST_STRANGE;
}

void uidlist_free(struct uidlist *list)
{
    stralloc_free(&list->bytes);
    free(list->entry);
    list->entry = NULL;
    list->n = list->room = 0;
}

const struct uidlist_entry *uidlist_find(const struct uidlist *list, uint32_t uid)
{
    uint32_t low = 0;
    uint32_t high = list->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list->entry[middle].uid < uid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < list->n && list->entry[low].uid == uid ? &list->entry[low] : NULL;
}

void uidlist_line_append(stralloc *out, uint32_t uid, const char *name, size_t name_len)
{
    enum { NUMBER = 10 };
    char *start = str_room(out, NUMBER + 3 + name_len);
    char digits[NUMBER];
    size_t at = NUMBER;
    do {
        digits[--at] = (char)('0' + uid % 10);
        uid /= 10;
    } while (uid > 0);
    char *to = mempcpy(start, digits + at, NUMBER - at);
    *to++ = ' ';
    *to++ = ':';
    to = mempcpy(to, name, name_len);
    *to++ = '\n';
    out->len += (size_t)(to - start);
}

void uidlist_header_append(stralloc *out, uint32_t uidvalidity, uint32_t uidnext, const char *extra, size_t extra_len)
{
    str_catf(out, "3 V%u N%u", uidvalidity, uidnext);
    for (const char *at = extra, *end = extra + extra_len; at < end;) {
        const char *blank = memchr(at, ' ', (size_t)(end - at));
        const char *stop = blank == NULL ? end : blank;
        if (stop > at && at[0] != 'V' && at[0] != 'N') {
            str_catc(out, ' ');
            str_cat(out, at, (size_t)(stop - at));
        }
        at = stop + 1;
    }
    if (extra_len == 0) {
        unsigned char guid[GUID_BYTES] = {0};
        (void)!getrandom(guid, sizeof guid, 0);
        str_cats(out, " G");
        for (size_t i = 0; i < sizeof guid; i++) {
            str_catf(out, "%02x", guid[i]);
        }
    }
    str_catc(out, '\n');
}

/* May lines go behind this header? 1, 0; -1 errno. */
static int check_header(int fd, uint32_t uidvalidity)
{
    struct uidlist list = {.bytes = STRALLOC_ZERO};
    char head[4096];
    ssize_t n = pread(fd, head, sizeof head, 0);
    const char *lf = n <= 0 ? NULL : memchr(head, '\n', (size_t)n);
    if (n < 0 || lf == NULL || parse_header(&list, head, (size_t)(lf - head)) != 3) {
        return n < 0 ? -1 : 0;
    }
    errno = ESTALE;
    return list.uidvalidity == uidvalidity ? 1 : -1;
}

int uidlist_add(int dir, uint32_t uidvalidity, const stralloc *lines)
{
    int fd = openat(dir, UIDLIST_NAME, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    int result = check_header(fd, uidvalidity);
    if (result == 1) {
        result = textfile_append(fd, lines, true);
    }
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

int uidlist_set_aside(int dir)
{
    log_event("alert", "what=%s kept=%s", "a UID list of an unknown format is made anew", UIDLIST_NAME ".unknown");
    return renameat(dir, UIDLIST_NAME, dir, UIDLIST_NAME ".unknown");
}
