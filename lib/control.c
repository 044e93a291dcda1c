/* SPDX-License-Identifier: ISC */
/* Control files: read whole, then replaced as a whole, so a table is never half old and half new after an error in one file. */
#include "control.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "clock.h"
#include "log.h"
#include "scan.h"
#include "str.h"

enum { CONTROL_FILE_MAX = 16 << 20, CONTROL_TABLE_MAX = 64, REFRESH_MS = 1000 };

/* What a file looked like when it was read: {0} for a file that is not there. */
struct seen {
    struct timespec mtime;
    off_t size;
    ino_t inode;
};

static struct seen seen_files[CONTROL_TABLE_MAX + 1]; /* the last is control/me */
static uint64_t looked_at_ms;

static void path_of(const char *name, char *out, size_t room)
{
    snprintf(out, room, "control/%s", name);
}

static struct seen look(const char *name)
{
    char path[300];
    struct stat st;
    path_of(name, path, sizeof path);
    if (stat(path, &st) < 0) {
        return (struct seen){.size = -1};
    }
    return (struct seen){.mtime = st.st_mtim, .size = st.st_size, .inode = st.st_ino};
}

static bool is_same(const struct seen *a, const struct seen *b)
{
    return a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec && a->size == b->size &&
           a->inode == b->inode;
}

/* 1 read, 0 not there, -1 errno. */
static int slurp(const char *name, stralloc *out)
{
    char path[300];
    path_of(name, path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    }
    out->len = 0;
    ssize_t n;
    do {
        n = read(fd, str_room(out, 4096), 4096);
        out->len += n > 0 ? (size_t)n : 0;
    } while ((n > 0 && out->len < CONTROL_FILE_MAX) || (n < 0 && errno == EINTR));
    int error = n > 0 ? EFBIG : errno;
    close(fd);
    errno = error;
    return n == 0 ? 1 : -1;
}

static size_t trimmed(const char *bytes, size_t n)
{
    while (n > 0 && (bytes[n - 1] == ' ' || bytes[n - 1] == '\t' || bytes[n - 1] == '\r' || bytes[n - 1] == '\0')) {
        n--;
    }
    return n;
}

/* The first line, trimmed, as a fresh C string. */
static char *first_line(const char *bytes, size_t n)
{
    const char *end = n > 0 ? memchr(bytes, '\n', n) : NULL;
    size_t len = trimmed(bytes, end == NULL ? n : (size_t)(end - bytes));
    char *line = memory_get(len + 1, 1);
    if (len > 0) {
        memcpy(line, bytes, len);
    }
    return line;
}

static size_t key_len(const char *line)
{
    return strcspn(line, ":");
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    for (size_t i = 0; i < a_len && i < b_len; i++) {
        char x[2] = {a[i], b[i]};
        str_lower(x, 2);
        if (x[0] != x[1]) {
            return (unsigned char)x[0] < (unsigned char)x[1] ? -1 : 1;
        }
    }
    return a_len == b_len ? 0 : a_len < b_len ? -1 : 1;
}

/* By key, then by place, so that the first line of equal keys is found. */
static int compare_lines(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    int order = compare_bytes(*x, key_len(*x), *y, key_len(*y));
    return order != 0 ? order : *x < *y ? -1 : *x > *y;
}

void control_list_parse(const char *bytes, size_t n, struct control_list *out)
{
    struct control_list list = {.is_there = true};
    list.bytes = memory_get(n + 1, 1);
    size_t room = 0;
    char *to = list.bytes;
    while (n > 0) {
        const char *end = memchr(bytes, '\n', n);
        size_t line = end == NULL ? n : (size_t)(end - bytes);
        size_t len = trimmed(bytes, line);
        if (len > 0 && bytes[0] != '#' && memchr(bytes, '\0', len) == NULL) {
            if (list.n == room) {
                room = room * 2 + 16;
                list.line = memory_grow(list.line, room, sizeof *list.line);
            }
            list.line[list.n++] = to;
            memcpy(to, bytes, len);
            to += len;
            *to++ = '\0';
        }
        size_t used = end == NULL ? line : line + 1;
        bytes += used;
        n -= used;
    }
    list.sorted = memory_get(list.n + 1, sizeof *list.sorted);
    if (list.n > 0) {
        memcpy(list.sorted, list.line, list.n * sizeof *list.sorted);
        qsort(list.sorted, list.n, sizeof *list.sorted, compare_lines);
    }
    *out = list;
}

void control_list_free(struct control_list *list)
{
    free(list->line);
    free(list->sorted);
    free(list->bytes);
    memset(list, 0, sizeof *list);
}

/* The value in the file's form: the file, else the default ("=me": control/me). 1, 0 nothing, -1. */
static int read_value(const struct control_entry *entry, stralloc *out)
{
    int found = slurp(entry->name, out);
    if (found != 0 || entry->otherwise == NULL) {
        return found;
    }
    if (strcmp(entry->otherwise, "=me") == 0) {
        return slurp("me", out);
    }
    str_copys(out, entry->otherwise);
    return 1;
}

static int store_number(const struct control_entry *entry, const stralloc *value, bool is_there)
{
    uint64_t number = 0;
    char *line = first_line(value->s, is_there ? value->len : 0);
    bool is_good = scan_decimal_text(line, entry->max, &number) && number >= entry->min;
    if (!is_good) {
        log_event("control-error", "file=control/%s value=%s reason=%s min=%llu max=%llu", entry->name, line,
                  "not a number in its range", (unsigned long long)entry->min, (unsigned long long)entry->max);
        free(line);
        errno = EINVAL;
        return -1;
    }
    free(line);
    *(uint64_t *)entry->where = number;
    return 0;
}

static int load_entry(const struct control_entry *entry)
{
    static stralloc value;
    value.len = 0;
    int found = read_value(entry, &value);
    if (found < 0) {
        log_event("control-error", "file=control/%s error=%s", entry->name, strerror(errno));
        return -1;
    }
    switch (entry->type) {
    case CONTROL_TEXT: {
        char **where = entry->where;
        free(*where);
        *where = found ? first_line(value.s, value.len) : NULL;
        return 0;
    }
    case CONTROL_NUMBER:
        return store_number(entry, &value, found == 1);
    case CONTROL_LIST:
        control_list_free(entry->where);
        if (found) {
            control_list_parse(value.s, value.len, entry->where);
        }
        return 0;
    case CONTROL_EXISTS:
        *(bool *)entry->where = found == 1;
        return 0;
    }
    return 0;
}

int control_load(const struct control_entry *table)
{
    int result = 0;
    looked_at_ms = clock_monotonic_ms();
    seen_files[CONTROL_TABLE_MAX] = look("me");
    for (size_t i = 0; i < CONTROL_TABLE_MAX && table[i].name != NULL; i++) {
        seen_files[i] = look(table[i].name);
        if (load_entry(&table[i]) < 0) {
            result = -1;
        }
    }
    return result;
}

static bool is_changed(const struct control_entry *table)
{
    struct seen now = look("me");
    if (!is_same(&now, &seen_files[CONTROL_TABLE_MAX])) {
        return true;
    }
    for (size_t i = 0; i < CONTROL_TABLE_MAX && table[i].name != NULL; i++) {
        now = look(table[i].name);
        if (!is_same(&now, &seen_files[i])) {
            return true;
        }
    }
    return false;
}

int control_refresh(const struct control_entry *table, bool now)
{
    if (!now && clock_monotonic_ms() - looked_at_ms < REFRESH_MS) {
        return 0;
    }
    looked_at_ms = clock_monotonic_ms();
    if (!now && !is_changed(table)) {
        return 0;
    }
    return control_load(table) < 0 ? -1 : 1;
}

static void print_value(const struct control_entry *entry)
{
    switch (entry->type) {
    case CONTROL_TEXT: {
        char *const *where = entry->where;
        printf("%s", *where == NULL ? "(none)" : *where);
        return;
    }
    case CONTROL_NUMBER:
        printf("%" PRIu64, *(const uint64_t *)entry->where);
        return;
    case CONTROL_LIST: {
        const struct control_list *list = entry->where;
        if (list->is_there) {
            printf("(%zu lines)", list->n);
        } else {
            printf("(none)");
        }
        return;
    }
    case CONTROL_EXISTS:
        printf("%s", *(const bool *)entry->where ? "yes" : "no");
        return;
    }
}

void control_print(const struct control_entry *table)
{
    for (; table->name != NULL; table++) {
        printf("%s\t", table->name);
        print_value(table);
        printf("\tdefault %s", table->otherwise == NULL ? "(none)" : table->otherwise);
        if (table->type == CONTROL_NUMBER) {
            printf("\t%" PRIu64 "..%" PRIu64, table->min, table->max);
        }
        putchar('\n');
    }
}

/* The first line whose key (what stands before its first ':') is equal, and that goes on with `end` (':', or NUL: a whole line);
 * NULL: none. */
static const char *find_line(const struct control_list *list, const char *key, size_t n, char end)
{
    size_t low = 0, high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *line = list->sorted[middle];
        if (compare_bytes(line, key_len(line), key, n) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < list->n; low++) {
        const char *line = list->sorted[low];
        size_t len = key_len(line);
        if (compare_bytes(line, len, key, n) != 0) {
            break;
        }
        if (line[len] == end) {
            return line;
        }
    }
    return NULL;
}

bool control_list_has(const struct control_list *list, const char *key, size_t n)
{
    if (memchr(key, ':', n) == NULL) {
        return find_line(list, key, n, '\0') != NULL;
    }
    for (size_t i = 0; i < list->n; i++) { /* an IPv6 literal has colons: rare, so a walk will do */
        if (str_equal_nocase(list->line[i], strlen(list->line[i]), key, n)) {
            return true;
        }
    }
    return false;
}

const char *control_list_find(const struct control_list *list, const char *key, size_t n)
{
    const char *line = find_line(list, key, n, ':');
    return line == NULL ? NULL : line + key_len(line) + 1;
}

bool control_list_has_domain(const struct control_list *list, const char *domain, size_t n)
{
    if (control_list_has(list, domain, n)) {
        return true;
    }
    for (size_t i = 1; i < n; i++) {
        if (domain[i] == '.' && control_list_has(list, domain + i, n - i)) {
            return true;
        }
    }
    return false;
}
