/* SPDX-License-Identifier: ISC */
/* users/assign is a person's file: lines we did not write are kept byte for byte. users/cdb is made from it as qmail-newu does:
 * key `!local NUL` for a `=` line, `!prefix` for a `+` line, the empty key holds the last byte of every prefix. */
#include "auth/assign_write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/textfile.h"
#include "lib/log.h"
#include "lib/str.h"

static int open_users(int home_at)
{
    return openat(home_at, "users", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* The domain's name of a line `+NAME-:…:-::`; false for any other line. */
static bool line_domain(const struct assign_line *line, struct assign_domain *out)
{
    size_t n = strlen(line->local);
    if (!line->is_wildcard || n < 2 || line->local[n - 1] != '-' || strchr(line->local, '.') == NULL ||
        strcmp(line->entry.dash, "-") != 0) {
        return false;
    }
    memcpy(out->name, line->local, n - 1);
    out->name[n - 1] = '\0';
    str_lower(out->name, n - 1);
    out->entry = line->entry;
    return true;
}

/* The text without the line of `name`, `insert` (may be NULL) before its dot. */
static void edit_text(const stralloc *old, const char *name, const struct assign_domain *insert, stralloc *out)
{
    size_t at = 0, n;
    const char *bytes;
    while (textfile_next_line(old->s, old->len, &at, &bytes, &n)) {
        struct assign_line line;
        struct assign_domain domain;
        if (n == 1 && bytes[0] == '.') {
            break;
        }
        if (assign_parse_line(bytes, n, &line) && line_domain(&line, &domain) && strcmp(domain.name, name) == 0) {
            continue;
        }
        str_cat(out, bytes, n);
        str_catc(out, '\n');
    }
    if (insert != NULL) {
        struct assign_line line = {.is_wildcard = true, .entry = insert->entry};
        size_t len = strlen(insert->name);
        memcpy(line.local, insert->name, len);
        memcpy(line.local + len, "-", 2);
        assign_append_line(out, &line);
    }
    str_cats(out, ".\n");
}

static int add_record(struct cdbmap_maker *maker, const struct assign_line *line, stralloc *wildcards)
{
    stralloc key = STRALLOC_ZERO, value = STRALLOC_ZERO;
    str_catc(&key, '!');
    str_cats(&key, line->local);
    str_lower(key.s, key.len);
    if (!line->is_wildcard) {
        str_catc(&key, '\0');
    } else if (key.len > 1 && (wildcards->len == 0 || memchr(wildcards->s, key.s[key.len - 1], wildcards->len) == NULL)) {
        str_catc(wildcards, key.s[key.len - 1]);
    }
    const struct assign_entry *entry = &line->entry;
    str_catf(&value, "%s%c%lu%c%lu%c%s%c%s%c%s", entry->user, '\0', (unsigned long)entry->uid, '\0', (unsigned long)entry->gid,
             '\0', entry->home, '\0', entry->dash, '\0', entry->ext);
    int result = cdbmap_make_add(maker, key.s, key.len, value.s, value.len);
    stralloc_free(&key);
    stralloc_free(&value);
    return result;
}

static int add_records(struct cdbmap_maker *maker, const stralloc *text)
{
    stralloc wildcards = STRALLOC_ZERO;
    size_t at = 0, n, number = 0;
    const char *bytes;
    int result = 0;
    while (result == 0 && textfile_next_line(text->s, text->len, &at, &bytes, &n)) {
        struct assign_line line;
        number++;
        if (n == 1 && bytes[0] == '.') {
            break;
        }
        if (!assign_parse_line(bytes, n, &line)) {
            log_event("warning", "what=%s file=%s line=%zu", "not understood", "users/assign", number);
            errno = EBADMSG;
            result = -1;
        } else {
            result = add_record(maker, &line, &wildcards);
        }
    }
    if (result == 0) {
        result = cdbmap_make_add(maker, "", 0, wildcards.len == 0 ? "" : wildcards.s, wildcards.len);
    }
    stralloc_free(&wildcards);
    return result;
}

/* The cdb is made before the text is replaced: a line that is not understood changes nothing. */
static int write_both(int users, const stralloc *text)
{
    int fd = textfile_begin(users, "cdb", 0644);
    if (fd < 0) {
        return -1;
    }
    struct cdbmap_maker *maker = cdbmap_make_start(fd);
    int result = add_records(maker, text);
    int why = errno;
    if (cdbmap_make_finish(maker) < 0 && result == 0) {
        why = errno;
        result = -1;
    }
    if (result < 0 || textfile_replace(users, "assign", 0644, text) < 0) {
        errno = result < 0 ? why : errno;
        textfile_abandon(users, "cdb", fd);
        return -1;
    }
    return textfile_end(users, "cdb", fd);
}

static int change(int home_at, const char *name, const struct assign_domain *insert)
{
    int users = open_users(home_at);
    if (users < 0) {
        return -1;
    }
    stralloc old = STRALLOC_ZERO, fresh = STRALLOC_ZERO;
    bool is_there;
    int result = textfile_read_name(users, "assign", &old, &is_there);
    if (result == 0) {
        edit_text(&old, name, insert, &fresh);
        result = write_both(users, &fresh);
    }
    int why = errno;
    stralloc_free(&old);
    stralloc_free(&fresh);
    close(users);
    errno = why;
    return result;
}

int assign_add_domain(int home_at, const struct assign_domain *domain)
{
    if (mkdirat(home_at, "users", 0755) == 0) {
        if (fchmodat(home_at, "users", 0755, 0) < 0) {
            return -1;
        }
    } else if (errno != EEXIST) {
        return -1;
    }
    return change(home_at, domain->name, domain);
}

int assign_remove_domain(int home_at, const char *name)
{
    return change(home_at, name, NULL);
}

int assign_each_domain(int home_at, void (*each)(const struct assign_domain *, void *ctx), void *ctx)
{
    stralloc text = STRALLOC_ZERO;
    bool is_there;
    if (textfile_read_name(home_at, "users/assign", &text, &is_there) < 0) {
        return -1;
    }
    size_t at = 0, n;
    const char *bytes;
    while (textfile_next_line(text.s, text.len, &at, &bytes, &n)) {
        struct assign_line line;
        struct assign_domain domain;
        if (assign_parse_line(bytes, n, &line) && line_domain(&line, &domain)) {
            each(&domain, ctx);
        }
    }
    stralloc_free(&text);
    return 0;
}

bool assign_domain_is_alias(const struct assign_domain *domain)
{
    return strcmp(domain->name, domain->entry.user) != 0;
}
