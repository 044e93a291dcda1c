/* SPDX-License-Identifier: ISC */
/* users/cdb and the lines of users/assign. Root reads and writes this file, and it says which user id a delivery gets: so its
 * owner is checked, and every field has a limit. A record that does not fit is damage, never a shorter name. */
#include "auth/assign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/scan.h"
#include "lib/str.h"

enum { KEY_MAX = 512 };

static const char *find_danger(int home_at, const struct stat *st)
{
    struct stat home;
    if (fstatat(home_at, ".", &home, 0) < 0) {
        return "the home folder cannot be looked at";
    }
    if (st->st_uid != home.st_uid) {
        return "another owner than the home folder's";
    }
    if (st->st_nlink != 1) {
        return "more than one link";
    }
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return "writable by others";
    }
    return NULL;
}

int assign_open(struct assign *assign, int home_at)
{
    if (cdbmap_open(&assign->map, home_at, "users/cdb") < 0) {
        return -1;
    }
    const char *danger = find_danger(home_at, &assign->map.stat);
    if (danger != NULL) {
        log_event("alert", "what=%s file=%s error=%s", "assignments refused", "users/cdb", danger);
        cdbmap_close(&assign->map);
        errno = EPERM;
        return -1;
    }
    const char *wildcards;
    size_t n;
    assign->n_wildcards = 0;
    int found = cdbmap_find(&assign->map, "", 0, &wildcards, &n);
    if (found < 0 || (found > 0 && n > sizeof assign->wildcards)) {
        cdbmap_close(&assign->map);
        errno = EPROTO;
        return -1;
    }
    if (found > 0) {
        memcpy(assign->wildcards, wildcards, n);
        assign->n_wildcards = n;
    }
    return 0;
}

void assign_close(struct assign *assign)
{
    cdbmap_close(&assign->map);
}

/* The next of the NUL-separated fields into a text; the last may lack its NUL. */
static bool take_text(const char **at, const char *end, char *out, size_t size)
{
    if (*at > end) {
        return false;
    }
    const char *nul = memchr(*at, '\0', (size_t)(end - *at));
    size_t n = nul == NULL ? (size_t)(end - *at) : (size_t)(nul - *at);
    if (n >= size) {
        return false;
    }
    memcpy(out, *at, n);
    out[n] = '\0';
    *at += n + 1;
    return true;
}

static bool take_id(const char **at, const char *end, uint32_t *out)
{
    char digits[16];
    uint64_t id;
    if (!take_text(at, end, digits, sizeof digits) || !scan_decimal_text(digits, UINT32_MAX - 1, &id)) {
        return false;
    }
    *out = (uint32_t)id;
    return true;
}

/* user NUL uid NUL gid NUL home NUL dash NUL ext, and `rest` behind ext. */
static bool parse_record(const char *bytes, size_t n, const char *rest, size_t rest_len, struct assign_entry *out)
{
    struct assign_entry entry = {.uid = 0};
    const char *at = bytes, *end = bytes + n;
    if (!take_text(&at, end, entry.user, sizeof entry.user) || !take_id(&at, end, &entry.uid) || !take_id(&at, end, &entry.gid) ||
        !take_text(&at, end, entry.home, sizeof entry.home) || !take_text(&at, end, entry.dash, sizeof entry.dash) ||
        !take_text(&at, end, entry.ext, sizeof entry.ext)) {
        return false;
    }
    size_t ext_len = strlen(entry.ext);
    if (rest_len >= sizeof entry.ext - ext_len) {
        return false;
    }
    memcpy(entry.ext + ext_len, rest, rest_len);
    entry.ext[ext_len + rest_len] = '\0';
    *out = entry;
    return true;
}

struct slice {
    const char *bytes;
    size_t n;
};

/* One key. `rest` is what a wildcard leaves over. */
static int find_key(struct assign *assign, struct slice key, struct slice rest, struct assign_entry *out)
{
    const char *value;
    size_t value_len;
    int found = cdbmap_find(&assign->map, key.bytes, key.n, &value, &value_len);
    if (found > 0 && !parse_record(value, value_len, rest.bytes, rest.n, out)) {
        errno = EPROTO;
        return -1;
    }
    return found;
}

int assign_find(struct assign *assign, const char *local, size_t n, struct assign_entry *out)
{
    char key[KEY_MAX + 2];
    if (n > KEY_MAX || memchr(local, '\0', n) != NULL) {
        return 0;
    }
    key[0] = '!';
    memcpy(key + 1, local, n);
    key[n + 1] = '\0';
    str_lower(key + 1, n);
    int found = find_key(assign, (struct slice){key, n + 2}, (struct slice){"", 0}, out);
    for (size_t i = n; found == 0; i--) {
        if (i == 0 || memchr(assign->wildcards, key[i], assign->n_wildcards) != NULL) {
            found = find_key(assign, (struct slice){key, i + 1}, (struct slice){local + i, n - i}, out);
        }
        if (i == 0) {
            break;
        }
    }
    return found;
}

int assign_find_domain(struct assign *assign, const char *domain, size_t n, struct assign_entry *out)
{
    char key[KEY_MAX + 2];
    if (n == 0 || n > KEY_MAX - 1) {
        return 0;
    }
    key[0] = '!';
    memcpy(key + 1, domain, n);
    str_lower(key + 1, n);
    key[n + 1] = '-';
    return find_key(assign, (struct slice){key, n + 2}, (struct slice){"", 0}, out);
}

bool assign_parse_line(const char *line, size_t n, struct assign_line *out)
{
    char fields[2048];
    struct assign_line parsed = {.is_wildcard = n > 0 && line[0] == '+'};
    if (n < 2 || n > sizeof fields || (line[0] != '+' && line[0] != '=') || memchr(line, '\0', n) != NULL) {
        return false;
    }
    size_t colons = 0, used = 0;
    for (size_t i = 1; i < n; i++) {
        fields[used++] = line[i] == ':' ? '\0' : line[i];
        colons += line[i] == ':';
    }
    if (colons < 7) {
        return false;
    }
    const char *at = fields, *end = fields + used;
    if (!take_text(&at, end, parsed.local, sizeof parsed.local) || !parse_record(at, (size_t)(end - at), "", 0, &parsed.entry)) {
        return false;
    }
    *out = parsed;
    return true;
}

void assign_append_line(stralloc *out, const struct assign_line *line)
{
    str_catf(out, "%c%s:%s:%lu:%lu:%s:%s:%s:\n", line->is_wildcard ? '+' : '=', line->local, line->entry.user,
             (unsigned long)line->entry.uid, (unsigned long)line->entry.gid, line->entry.home, line->entry.dash, line->entry.ext);
}
