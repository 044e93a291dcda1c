/* SPDX-License-Identifier: ISC */
/* Reading vpasswd(5). The folder is vmail's, who may put any name there; so nothing in it is trusted before its owner, links and
 * mode were looked at through the open descriptor. The parser is pure, and refuses what it cannot hold: a record is never cut. */
#include "auth/userdb.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cdbmap.h"
#include "lib/log.h"
#include "lib/scan.h"
#include "lib/str.h"

struct slice {
    const char *bytes;
    size_t n;
};

/* The next field, up to ':' or the end; false: the line is used up. */
static bool next_field(struct slice *rest, struct slice *out)
{
    if (rest->bytes == NULL) {
        return false;
    }
    const char *colon = memchr(rest->bytes, ':', rest->n);
    size_t n = colon == NULL ? rest->n : (size_t)(colon - rest->bytes);
    *out = (struct slice){rest->bytes, n};
    *rest = colon == NULL ? (struct slice){NULL, 0} : (struct slice){colon + 1, rest->n - n - 1};
    return true;
}

static bool copy_field(struct slice *rest, char *out, size_t size)
{
    struct slice field;
    if (!next_field(rest, &field) || field.n >= size) {
        return false;
    }
    memcpy(out, field.bytes, field.n);
    out[field.n] = '\0';
    return true;
}

static bool number_field(struct slice *rest, int64_t min, int64_t max, int64_t *out)
{
    struct slice field;
    int64_t value;
    if (!next_field(rest, &field) || !scan_signed(field.bytes, field.n, &value) || value < min || value > max) {
        return false;
    }
    *out = value;
    return true;
}

/* Everything behind the name. */
static bool parse_rest(struct slice rest, struct userdb_record *record)
{
    int64_t flags;
    if (!copy_field(&rest, record->password, sizeof record->password) ||
        !number_field(&rest, INT32_MIN, UINT32_MAX, &record->uid) || !number_field(&rest, INT32_MIN, UINT32_MAX, &flags) ||
        !copy_field(&rest, record->gecos, sizeof record->gecos) || !copy_field(&rest, record->dir, sizeof record->dir) ||
        !copy_field(&rest, record->quota, sizeof record->quota)) {
        return false;
    }
    record->flags = (uint32_t)flags;
    record->has_clear = rest.bytes != NULL;
    if (!record->has_clear) {
        return true;
    }
    if (rest.n >= sizeof record->clear) { /* may hold ':' itself: the rest of the line */
        return false;
    }
    memcpy(record->clear, rest.bytes, rest.n);
    record->clear[rest.n] = '\0';
    return true;
}

bool userdb_parse_value(const char *name, size_t name_len, const char *value, size_t n, struct userdb_record *out)
{
    struct userdb_record record = {.uid = 0};
    if (name_len == 0 || name_len >= sizeof record.name || memchr(name, '\0', name_len) != NULL ||
        memchr(name, ':', name_len) != NULL || memchr(name, '\n', name_len) != NULL || memchr(value, '\0', n) != NULL ||
        memchr(value, '\n', n) != NULL) {
        return false;
    }
    memcpy(record.name, name, name_len);
    if (!parse_rest((struct slice){value, n}, &record)) {
        return false;
    }
    *out = record;
    return true;
}

bool userdb_parse_line(const char *line, size_t n, struct userdb_record *out)
{
    const char *colon = memchr(line, ':', n);
    if (colon == NULL) {
        return false;
    }
    size_t name_len = (size_t)(colon - line);
    return userdb_parse_value(line, name_len, colon + 1, n - name_len - 1, out);
}

void userdb_append_line(stralloc *out, const struct userdb_record *record)
{
    str_catf(out, "%s:%s:%lld:%lu:%s:%s:%s", record->name, record->password, (long long)record->uid, (unsigned long)record->flags,
             record->gecos, record->dir, record->quota);
    if (record->has_clear) {
        str_catc(out, ':');
        str_cats(out, record->clear);
    }
    str_catc(out, '\n');
}

/* What is wrong with an opened file of ours; NULL: nothing. */
static const char *find_danger(const struct stat *st)
{
    if (!S_ISREG(st->st_mode)) {
        return "not a regular file";
    }
    if (st->st_uid != geteuid()) {
        return "another owner than the user that reads it";
    }
    if (st->st_nlink != 1) {
        return "more than one link";
    }
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return "writable by others";
    }
    return NULL;
}

int userdb_open_safe(int dir_at, const char *name, int flags)
{
    int fd = openat(dir_at, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0) {
        if (errno == ELOOP || errno == EISDIR) {
            log_event("alert", "what=%s file=%s error=%s", "passwords refused", name,
                      "a symbolic link or a folder is in its place");
            errno = EPERM;
        }
        return -1;
    }
    struct stat st;
    const char *danger = fstat(fd, &st) < 0 ? "fstat fails" : find_danger(&st);
    if (danger != NULL) {
        log_event("alert", "what=%s file=%s error=%s", "passwords refused", name, danger);
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

/* A hand edit that was not followed by a rebuild is told once a minute; the cdb holds. */
static void warn_of_newer_text(int dir_at, const char *folder, const struct stat *cdb)
{
    static uint64_t last_warning_ms;
    char name[768];
    struct stat text;
    if (!userdb_path(folder, "vpasswd", name, sizeof name) || fstatat(dir_at, name, &text, AT_SYMLINK_NOFOLLOW) < 0) {
        return;
    }
    if (text.st_mtim.tv_sec > cdb->st_mtim.tv_sec) {
        log_event_rarely(&last_warning_ms, "warning", "what=%s file=%s",
                         "vpasswd is newer than vpasswd.cdb: any v tool that changes it rebuilds", name);
    }
}

bool userdb_path(const char *folder, const char *name, char *out, size_t size)
{
    size_t folder_len = strlen(folder), name_len = strlen(name);
    if (folder_len > size - 2 || name_len > size - 2 - folder_len) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(out, folder, folder_len);
    out[folder_len] = '/';
    memcpy(out + folder_len + 1, name, name_len + 1);
    return true;
}

static enum userdb_result find_in(struct cdbmap *map, const char *file, struct slice name, struct userdb_record *out)
{
    const char *value;
    size_t value_len;
    int found = cdbmap_find(map, name.bytes, name.n, &value, &value_len);
    if (found == 0) {
        return USERDB_NONE;
    }
    if (found < 0 || !userdb_parse_value(name.bytes, name.n, value, value_len, out)) {
        log_event("alert", "what=%s file=%s user=%s", found < 0 ? "damaged cdb" : "record is no vpasswd line", file, name.bytes);
        return USERDB_DAMAGED;
    }
    return USERDB_FOUND;
}

static enum userdb_result open_failed(const char *file)
{
    if (errno == EPERM) {
        return USERDB_UNSAFE;
    }
    if (errno == ENOENT) {
        return USERDB_NO_CDB;
    }
    log_event("alert", "what=%s file=%s error=%s", "cannot open", file, strerror(errno));
    return USERDB_ERROR;
}

enum userdb_result userdb_lookup(int dir_at, const char *folder, const char *name, size_t n, struct userdb_record *out)
{
    char file[768], key[128];
    if (n == 0 || n >= sizeof key || memchr(name, '\0', n) != NULL) {
        return USERDB_NONE;
    }
    memcpy(key, name, n);
    key[n] = '\0';
    str_lower(key, n);
    int fd = userdb_path(folder, "vpasswd.cdb", file, sizeof file) ? userdb_open_safe(dir_at, file, O_RDONLY) : -1;
    if (fd < 0) {
        return open_failed(file);
    }
    struct cdbmap map;
    if (cdbmap_open_fd(&map, fd) < 0) {
        log_event("alert", "what=%s file=%s error=%s", "damaged cdb", file, strerror(errno));
        close(fd);
        return USERDB_DAMAGED;
    }
    warn_of_newer_text(dir_at, folder, &map.stat);
    enum userdb_result result = find_in(&map, file, (struct slice){key, n}, out);
    cdbmap_close(&map);
    return result;
}

const char *userdb_relative_dir(const char *dir, const char *home)
{
    size_t n = home == NULL ? 0 : strlen(home);
    while (n > 0 && home[n - 1] == '/') {
        n--;
    }
    if (n == 0 || strncmp(dir, home, n) != 0 || dir[n] != '/') {
        return dir;
    }
    dir += n;
    while (*dir == '/') {
        dir++;
    }
    return dir;
}

bool userdb_name_is_good(const char *name, size_t n)
{
    if (n == 0 || n > USERDB_NAME_MAX || name[0] == '.' || (n == 7 && memcmp(name, "vpasswd", n) == 0)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if ((name[i] >= '0' && name[i] <= '9') || (name[i] >= 'a' && name[i] <= 'z') ||
            (name[i] != '\0' && strchr("!#$&'*+-.=?^_`{|}~", name[i]) != NULL)) {
            continue;
        }
        return false;
    }
    return true;
}
