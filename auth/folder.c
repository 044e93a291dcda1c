/* SPDX-License-Identifier: ISC */
/* Making and removing the folders of domains and mailboxes. Runs as the user who owns them, so a link that this user planted
 * leads only where the user could go anyway; nothing here may be called as root on a folder of somebody else. */
#include "auth/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/textfile.h"
#include "lib/durable.h"
#include "lib/maildir.h"
#include "lib/str.h"

static enum va refuse(stralloc *why, enum va code, const char *what, const char *path)
{
    str_cats(why, what);
    str_cats(why, " ");
    str_cats(why, path);
    if (errno != 0) {
        str_cats(why, ": ");
        str_cats(why, strerror(errno));
    }
    return code;
}

/* A folder with exactly this mode, whatever the umask. EEXIST is the caller's to judge. */
static int make_folder(int dir_at, const char *name, mode_t mode)
{
    if (mkdirat(dir_at, name, 0700) < 0) {
        return -1;
    }
    int fd = openat(dir_at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    int result = fchmod(fd, mode);
    int why = errno;
    close(fd);
    errno = why;
    return result;
}

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static enum va write_default(int dir, const char *path, const char *line, stralloc *why)
{
    stralloc text = STRALLOC_ZERO;
    str_cats(&text, line);
    str_catc(&text, '\n');
    int result = textfile_replace(dir, ".qmail-default", 0640, &text);
    stralloc_free(&text);
    return result < 0 ? refuse(why, VA_COULD_NOT_OPEN_QMAIL_DEFAULT, "cannot write .qmail-default in", path) : VA_SUCCESS;
}

/* Everything above the last '/', made if it is missing. */
static int make_parent(const char *path, stralloc *parent)
{
    const char *slash = strrchr(path, '/');
    parent->len = 0;
    if (slash == NULL || slash == path) {
        str_cats(parent, slash == NULL ? "." : "/");
        (void)str_text(parent);
        return 0;
    }
    str_cat(parent, path, (size_t)(slash - path));
    if (make_folder(AT_FDCWD, str_text(parent), 0755) < 0 && errno != EEXIST) {
        return -1;
    }
    return 0;
}

static enum va fill_domain(const char *path, const char *line, bool is_shared, stralloc *why)
{
    int dir = open_folder(path);
    if (dir < 0) {
        return refuse(why, VA_BAD_V_DIR, "cannot open", path);
    }
    enum va result = VA_SUCCESS;
    if (make_folder(dir, ".full", is_shared ? 02750 : 0700) < 0) {
        result = refuse(why, VA_COULD_NOT_MAKE_DOMAIN_DIR, "cannot make .full in", path);
    }
    if (result == VA_SUCCESS) {
        result = write_default(dir, path, line, why);
    }
    close(dir);
    return result;
}

enum va folder_create_domain(const char *path, const char *line, bool is_shared, stralloc *why)
{
    stralloc parent = STRALLOC_ZERO;
    if (make_parent(path, &parent) < 0) {
        return refuse(why, VA_BAD_D_DIR, "cannot make", parent.s);
    }
    if (make_folder(AT_FDCWD, path, is_shared ? 02770 : 0700) < 0) {
        if (errno == EEXIST) {
            errno = 0;
            str_cats(why,
                     "a domain that was removed by hand or not added to its end left the folder: look into it and move it away:");
            return refuse(why, VA_COULD_NOT_MAKE_DOMAIN_DIR, "", path);
        }
        return refuse(why, VA_COULD_NOT_MAKE_DOMAIN_DIR, "cannot make", path);
    }
    enum va result = fill_domain(path, line, is_shared, why);
    if (result == VA_SUCCESS && durable_sync_folder(AT_FDCWD, parent.s) < 0) {
        result = refuse(why, VA_COULD_NOT_MAKE_DOMAIN_DIR, "cannot sync", parent.s);
    }
    stralloc_free(&parent);
    if (result != VA_SUCCESS) {
        stralloc ignored = STRALLOC_ZERO;
        (void)folder_remove_tree(path, &ignored);
        stralloc_free(&ignored);
    }
    return result;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    int result = type == FTW_DP ? rmdir(path) : unlink(path);
    return result < 0 && errno != ENOENT ? -1 : 0;
}

enum va folder_remove_tree(const char *path, stralloc *why)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT) {
        return refuse(why, VA_BAD_DIR, "cannot remove all of", path);
    }
    return VA_SUCCESS;
}

/* A mailbox's folder that a crash or vdeluser left empty goes away; true: the name is free now. */
static bool remove_if_empty(int dir, const char *user)
{
    static const char *const parts[] = {"Maildir/cur", "Maildir/new", "Maildir/tmp", "Maildir"};
    int home = openat(dir, user, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (home < 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (unlinkat(home, parts[i], AT_REMOVEDIR) < 0 && errno != ENOENT) {
            break;
        }
    }
    close(home);
    return unlinkat(dir, user, AT_REMOVEDIR) == 0;
}

static enum va create_user_in(int dir, const char *path, const char *user, stralloc *why)
{
    int made = make_folder(dir, user, 0700);
    if (made < 0 && errno == EEXIST && remove_if_empty(dir, user)) {
        made = make_folder(dir, user, 0700);
    }
    if (made < 0 && errno != EACCES && errno != ENOSPC && errno != EDQUOT && errno != EROFS) {
        errno = 0;
        str_cats(why, "a folder of that name holds somebody's files: look into it and move it away: ");
        str_cats(why, user);
        return refuse(why, VA_EXIST_U_DIR, " in", path);
    }
    int home = made < 0 ? -1 : openat(dir, user, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (home < 0) {
        return refuse(why, VA_SUBDIR_CREATION, "cannot make the mailbox's folder in", path);
    }
    enum va result = VA_SUCCESS;
    if (maildir_create(home, "Maildir") < 0 || fsync(home) < 0 || fsync(dir) < 0) {
        result = refuse(why, VA_SUBDIR_CREATION, "cannot make the Maildir in", path);
    }
    close(home);
    return result;
}

enum va folder_create_user(const char *path, const char *user, stralloc *why)
{
    int dir = open_folder(path);
    if (dir < 0) {
        return refuse(why, VA_BAD_V_DIR, "cannot open", path);
    }
    enum va result = create_user_in(dir, path, user, why);
    close(dir);
    return result;
}

/* `dir` lies below `path`, without a step upwards. */
static bool is_below(const char *path, const char *dir)
{
    size_t n = strlen(path);
    return strncmp(dir, path, n) == 0 && dir[n] == '/' && dir[n + 1] != '\0' && strstr(dir, "/../") == NULL &&
           (strlen(dir) < 3 || strcmp(dir + strlen(dir) - 3, "/..") != 0);
}

enum va folder_remove_user(const char *path, const char *user, const char *dir, stralloc *why)
{
    if (!is_below(path, dir)) {
        errno = 0;
        return refuse(why, VA_BAD_DIR, "the mailbox's files lie outside the domain's folder and are left to you:", dir);
    }
    enum va result = folder_remove_tree(dir, why);
    stralloc full = STRALLOC_ZERO;
    str_catf(&full, "%s/.full/%s", path, user);
    if (unlink(str_text(&full)) < 0 && errno != ENOENT && result == VA_SUCCESS) {
        result = refuse(why, VA_BAD_DIR, "cannot remove", full.s);
    }
    stralloc_free(&full);
    return result;
}

/* The last word of the line. */
static bool ends_with_word(const char *line, size_t n, const char *word)
{
    size_t word_len = strlen(word);
    while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '/')) {
        n--;
    }
    if (n < word_len || !str_equal_nocase(line + n - word_len, word_len, word, word_len)) {
        return false;
    }
    return n == word_len || line[n - word_len - 1] == ' ' || line[n - word_len - 1] == '&' || line[n - word_len - 1] == '\'';
}

bool folder_is_catchall(const char *path, const char *address, const char *dir, const char *relative_dir)
{
    stralloc text = STRALLOC_ZERO;
    bool is_there = false, is_found = false;
    int folder = open_folder(path);
    if (folder < 0 || textfile_read_name(folder, ".qmail-default", &text, &is_there) < 0) {
        text.len = 0;
    }
    size_t at = 0, n;
    const char *line;
    while (!is_found && textfile_next_line(text.s, text.len, &at, &line, &n)) {
        is_found = n > 0 && line[0] != '#' &&
                   (ends_with_word(line, n, address) || ends_with_word(line, n, dir) || ends_with_word(line, n, relative_dir));
    }
    stralloc_free(&text);
    if (folder >= 0) {
        close(folder);
    }
    return is_found;
}
