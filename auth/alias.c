/* SPDX-License-Identifier: ISC */
/* .qmail-ALIAS files: one alias a file, a destination a line. Part of folder.h; runs as the domain's user. Changes hold flock on
 * the folder, so that two tools at once lose no line. */
#include "auth/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "auth/names.h"
#include "auth/textfile.h"
#include "lib/str.h"

enum { FILE_NAME_SIZE = sizeof ".qmail-" + NAMES_USER_MAX };

/* `.qmail-` and the alias, each '.' as ':'. */
static void file_name(const char *alias, char out[FILE_NAME_SIZE])
{
    size_t n = strnlen(alias, NAMES_USER_MAX);
    memcpy(out, ".qmail-", 7);
    for (size_t i = 0; i < n; i++) {
        out[7 + i] = alias[i] == '.' ? ':' : alias[i];
    }
    out[7 + n] = '\0';
}

static enum va refuse(stralloc *why, enum va code, const char *words)
{
    str_cats(why, words);
    if (errno != 0) {
        str_cats(why, ": ");
        str_cats(why, strerror(errno));
    }
    return code;
}

static int open_locked(const char *path)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0 && flock(dir, LOCK_EX) < 0) {
        close(dir);
        return -1;
    }
    return dir;
}

static bool has_line(const stralloc *text, const char *wanted)
{
    size_t at = 0, n;
    const char *line;
    while (textfile_next_line(text->s, text->len, &at, &line, &n)) {
        if (n == strlen(wanted) && memcmp(line, wanted, n) == 0) {
            return true;
        }
    }
    return false;
}

static enum va add_line(int dir, const char *name, const char *line, stralloc *why)
{
    stralloc text = STRALLOC_ZERO;
    bool is_there;
    enum va result = VA_SUCCESS;
    if (textfile_read_name(dir, name, &text, &is_there) < 0) {
        result = refuse(why, VA_COULD_NOT_OPEN_DOT_QMAIL, "cannot read the alias's file");
    } else if (has_line(&text, line)) {
        result = VA_USERNAME_EXISTS;
    } else {
        if (text.len > 0 && text.s[text.len - 1] != '\n') {
            str_catc(&text, '\n');
        }
        str_cats(&text, line);
        str_catc(&text, '\n');
        if (textfile_replace(dir, name, 0640, &text) < 0) {
            result = refuse(why, VA_COULD_NOT_OPEN_DOT_QMAIL, "cannot write the alias's file");
        }
    }
    stralloc_free(&text);
    return result;
}

enum va folder_add_alias(const char *path, const char *alias, const char *line, stralloc *why)
{
    char name[FILE_NAME_SIZE];
    file_name(alias, name);
    int dir = open_locked(path);
    if (dir < 0) {
        return refuse(why, VA_BAD_V_DIR, "cannot open the domain's folder");
    }
    enum va result = add_line(dir, name, line, why);
    close(dir);
    return result;
}

enum va folder_remove_alias(const char *path, const char *alias, stralloc *why)
{
    char name[FILE_NAME_SIZE];
    file_name(alias, name);
    int dir = open_locked(path);
    if (dir < 0) {
        return refuse(why, VA_BAD_V_DIR, "cannot open the domain's folder");
    }
    enum va result = VA_SUCCESS;
    if (unlinkat(dir, name, 0) < 0 && errno != ENOENT) {
        result = refuse(why, VA_COULD_NOT_OPEN_DOT_QMAIL, "cannot remove the alias's file");
    }
    close(dir);
    return result;
}

struct walk {
    void (*each)(const char *alias, const char *line, void *ctx);
    void *ctx;
};

static void show_file(int dir, const char *name, const struct walk *walk)
{
    char alias[256];
    stralloc text = STRALLOC_ZERO, copy = STRALLOC_ZERO;
    bool is_there;
    size_t n_name = strlen(name + 7);
    if (n_name >= sizeof alias || textfile_read_name(dir, name, &text, &is_there) < 0) {
        return;
    }
    for (size_t i = 0; i <= n_name; i++) {
        alias[i] = name[7 + i] == ':' ? '.' : name[7 + i];
    }
    size_t at = 0, n;
    const char *line;
    while (textfile_next_line(text.s, text.len, &at, &line, &n)) {
        if (n > 0 && line[0] != '#') {
            copy.len = 0;
            str_cat(&copy, line, n);
            walk->each(alias, str_text(&copy), walk->ctx);
        }
    }
    stralloc_free(&text);
    stralloc_free(&copy);
}

static int is_alias_file(const struct dirent *entry)
{
    return strncmp(entry->d_name, ".qmail-", 7) == 0 && entry->d_name[7] != '\0' && strcmp(entry->d_name, ".qmail-default") != 0;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool show_all(int dir, const struct walk *walk)
{
    struct dirent **entries;
    int n = scandirat(dir, ".", &entries, is_alias_file, compare_names);
    if (n < 0) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        show_file(dir, entries[i]->d_name, walk);
        free(entries[i]);
    }
    free(entries);
    return true;
}

bool folder_each_alias(const char *path, const char *alias, void (*each)(const char *alias, const char *line, void *ctx),
                       void *ctx)
{
    struct walk walk = {each, ctx};
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return false;
    }
    bool is_read = true;
    if (alias != NULL) {
        char name[FILE_NAME_SIZE];
        file_name(alias, name);
        show_file(dir, name, &walk);
    } else {
        is_read = show_all(dir, &walk);
    }
    close(dir);
    return is_read;
}
