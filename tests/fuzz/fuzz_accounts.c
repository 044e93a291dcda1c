/* SPDX-License-Identifier: ISC */
/* auth: a line of vpasswd, a record of its cdb, a line of users/assign. What is taken is written and read back the same. */
#include "auth/assign.h"
#include "auth/userdb.h"
#include "tests/fuzz/fuzz.h"

static void require_same(const struct userdb_record *a, const struct userdb_record *b)
{
    require(strcmp(a->name, b->name) == 0 && strcmp(a->password, b->password) == 0 && strcmp(a->gecos, b->gecos) == 0);
    require(strcmp(a->dir, b->dir) == 0 && strcmp(a->quota, b->quota) == 0 && strcmp(a->clear, b->clear) == 0);
    require(a->uid == b->uid && a->flags == b->flags && a->has_clear == b->has_clear);
}

static void try_record(const char *line, size_t n)
{
    struct userdb_record record, back;
    stralloc again = STRALLOC_ZERO;
    if (userdb_parse_line(line, n, &record)) {
        userdb_append_line(&again, &record);
        require(again.len > 0 && again.s[again.len - 1] == '\n' && memchr(again.s, '\n', again.len - 1) == NULL);
        require(userdb_parse_line(again.s, again.len - 1, &back));
        require_same(&record, &back);
        size_t name_len = strlen(record.name);
        require(userdb_parse_value(record.name, name_len, again.s + name_len + 1, again.len - name_len - 2, &back));
        require_same(&record, &back);
    }
    stralloc_free(&again);
}

static void try_assign(const char *line, size_t n)
{
    struct assign_line parsed, back;
    stralloc again = STRALLOC_ZERO;
    if (assign_parse_line(line, n, &parsed)) {
        assign_append_line(&again, &parsed);
        require(again.len > 0 && again.s[again.len - 1] == '\n' && assign_parse_line(again.s, again.len - 1, &back));
        require(parsed.is_wildcard == back.is_wildcard && strcmp(parsed.local, back.local) == 0);
        require(strcmp(parsed.entry.user, back.entry.user) == 0 && strcmp(parsed.entry.home, back.entry.home) == 0);
        require(strcmp(parsed.entry.dash, back.entry.dash) == 0 && strcmp(parsed.entry.ext, back.entry.ext) == 0);
        require(parsed.entry.uid == back.entry.uid && parsed.entry.gid == back.entry.gid);
    }
    stralloc_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    try_record(bytes, size);
    try_assign(bytes, size);
    if (userdb_name_is_good(bytes, size)) {
        require(size >= 1 && size <= USERDB_NAME_MAX && bytes[0] != '.' && memchr(bytes, '/', size) == NULL &&
                memchr(bytes, ':', size) == NULL);
    }
    free(bytes);
    return 0;
}
