/* SPDX-License-Identifier: ISC */
/* Lists in control/, a line a value. A line is ours when its bytes before the first ':' are the domain, without regard to case.
 */
#include "auth/domains.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/textfile.h"
#include "lib/cdbmap.h"
#include "lib/str.h"

int domains_lock(int home_at)
{
    if (mkdirat(home_at, "users", 0755) == 0) {
        if (fchmodat(home_at, "users", 0755, 0) < 0) {
            return -1;
        }
    } else if (errno != EEXIST) {
        return -1;
    }
    int fd = openat(home_at, "users/assign.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -1;
    }
    if (textfile_lock(fd) < 0) {
        close(fd);
        errno = EAGAIN;
        return -1;
    }
    return fd;
}

static bool line_is_domain(const char *line, size_t n, const char *domain)
{
    const char *colon = memchr(line, ':', n);
    size_t key_len = colon == NULL ? n : (size_t)(colon - line);
    while (key_len > 0 && (line[key_len - 1] == ' ' || line[key_len - 1] == '\t' || line[key_len - 1] == '\r')) {
        key_len--;
    }
    return str_equal_nocase(line, key_len, domain, strlen(domain));
}

/* The list without the domain's lines, with `add` (NULL: nothing) at its end. True: it differs. */
static bool edit_list(const stralloc *old, const char *domain, const char *add, stralloc *out)
{
    size_t at = 0, n;
    const char *line;
    bool is_changed = false, has_line = false;
    while (textfile_next_line(old->s, old->len, &at, &line, &n)) {
        if (line_is_domain(line, n, domain)) {
            bool is_wanted = add != NULL && !has_line && strlen(add) == n && memcmp(line, add, n) == 0;
            has_line = has_line || is_wanted;
            if (!is_wanted) {
                is_changed = true;
                continue;
            }
        }
        str_cat(out, line, n);
        str_catc(out, '\n');
    }
    if (add != NULL && !has_line) {
        str_cats(out, add);
        str_catc(out, '\n');
        is_changed = true;
    }
    return is_changed;
}

static mode_t mode_of(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode & 0777 : 0644;
}

/* morercpthosts.cdb from its text, as qmail-newmrh does: lower-case lines, empty values. */
static int rebuild_more(int control, const stralloc *text)
{
    int fd = textfile_begin(control, "morercpthosts.cdb", 0644);
    if (fd < 0) {
        return -1;
    }
    struct cdbmap_maker *maker = cdbmap_make_start(fd);
    stralloc key = STRALLOC_ZERO;
    size_t at = 0, n;
    const char *line;
    int result = 0;
    while (result == 0 && textfile_next_line(text->s, text->len, &at, &line, &n)) {
        key.len = 0;
        str_cat(&key, line, n);
        while (key.len > 0 && (key.s[key.len - 1] == ' ' || key.s[key.len - 1] == '\t')) {
            key.len--;
        }
        str_lower(key.s, key.len);
        if (key.len > 0 && key.s[0] != '#') {
            result = cdbmap_make_add(maker, key.s, key.len, "", 0);
        }
    }
    stralloc_free(&key);
    if (cdbmap_make_finish(maker) < 0 || result < 0) {
        textfile_abandon(control, "morercpthosts.cdb", fd);
        return -1;
    }
    return textfile_end(control, "morercpthosts.cdb", fd);
}

static int change_in(int control, const char *name, const char *domain, const char *add)
{
    stralloc old = STRALLOC_ZERO, fresh = STRALLOC_ZERO;
    bool is_there;
    int result = textfile_read_name(control, name, &old, &is_there);
    if (result == 0 && (is_there || add != NULL) && edit_list(&old, domain, add, &fresh)) {
        result = textfile_replace(control, name, mode_of(control, name), &fresh);
        if (result == 0 && strcmp(name, "morercpthosts") == 0) {
            result = rebuild_more(control, &fresh);
        }
    }
    int why = errno;
    stralloc_free(&old);
    stralloc_free(&fresh);
    errno = why;
    return result;
}

/* Makes `add` (NULL: nothing) the domain's only line in control/NAME; a list that is not there is made only to add. */
static int change_list(int home_at, const char *name, const char *domain, const char *add)
{
    int control = openat(home_at, "control", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (control < 0) {
        return -1;
    }
    int result = change_in(control, name, domain, add);
    int why = errno;
    close(control);
    errno = why;
    return result;
}

/* Where control/locals is missing, qmail's rule makes control/me local: a virtual domain of that name needs an empty list. */
static int free_own_name(int home_at, const char *domain)
{
    stralloc me = STRALLOC_ZERO, empty = STRALLOC_ZERO;
    bool is_there;
    int control = openat(home_at, "control", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (control < 0) {
        return -1;
    }
    int result = 0;
    if (faccessat(control, "locals", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && textfile_read_name(control, "me", &me, &is_there) == 0) {
        size_t n = 0;
        while (n < me.len && me.s[n] > ' ') {
            n++;
        }
        if (str_equal_nocase(me.s, n, domain, strlen(domain))) {
            result = textfile_replace(control, "locals", 0644, &empty);
        }
    }
    int why = errno;
    close(control);
    stralloc_free(&me);
    errno = why;
    return result;
}

int domains_add(int home_at, const char *domain, const char **file_out)
{
    stralloc line = STRALLOC_ZERO;
    str_cats(&line, domain);
    str_catc(&line, ':');
    str_cats(&line, domain);
    *file_out = "control/virtualdomains";
    int result = change_list(home_at, "virtualdomains", domain, str_text(&line));
    if (result == 0) {
        *file_out = "control/locals";
        result = change_list(home_at, "locals", domain, NULL) < 0 ? -1 : free_own_name(home_at, domain);
    }
    if (result == 0) {
        *file_out = "control/rcpthosts";
        result = change_list(home_at, "rcpthosts", domain, domain);
    }
    stralloc_free(&line);
    return result;
}

int domains_stop_mail(int home_at, const char *domain, const char **file_out)
{
    *file_out = "control/rcpthosts";
    if (change_list(home_at, "rcpthosts", domain, NULL) < 0) {
        return -1;
    }
    *file_out = "control/morercpthosts";
    return change_list(home_at, "morercpthosts", domain, NULL);
}

int domains_remove(int home_at, const char *domain, const char **file_out)
{
    *file_out = "control/virtualdomains";
    return change_list(home_at, "virtualdomains", domain, NULL);
}
