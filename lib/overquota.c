/* SPDX-License-Identifier: ISC */
/* The byte .full/USER. Kept open by whoever may change it, overwritten in place. */
#include "lib/overquota.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/str.h"

enum { LEVELS_MAX = 6 };

/* A vpasswd name never begins with a dot here, nor holds a slash. */
static bool is_file_name(const char *user)
{
    return user[0] != '\0' && user[0] != '.' && strchr(user, '/') == NULL && strlen(user) <= 255;
}

static bool is_domain_folder(int dir)
{
    return faccessat(dir, "vpasswd.cdb", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
           faccessat(dir, "vpasswd", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Takes the last component off; false when there is none above. */
static bool go_up(stralloc *path)
{
    size_t n = path->len;
    while (n > 0 && path->s[n - 1] == '/') {
        n--;
    }
    while (n > 0 && path->s[n - 1] != '/') {
        n--;
    }
    path->len = n;
    return n > 1;
}

int overquota_open_domain(int dir_at, const char *home)
{
    stralloc path = STRALLOC_ZERO;
    int found = -1;
    str_copys(&path, home);
    for (unsigned level = 0; level < LEVELS_MAX && found < 0 && go_up(&path); level++) {
        int dir = openat(dir_at, str_text(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir >= 0 && is_domain_folder(dir)) {
            found = dir;
        } else if (dir >= 0) {
            close(dir);
        }
    }
    stralloc_free(&path);
    if (found < 0) {
        errno = ENOENT;
    }
    return found;
}

static int open_folder(int domain)
{
    int folder = openat(domain, ".full", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0 || errno != ENOENT) {
        return folder;
    }
    if (mkdirat(domain, ".full", 0700) < 0 && errno != EEXIST) {
        return -1;
    }
    folder = openat(domain, ".full", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0) {
        (void)!fchmod(folder, 02750); /* rcptd reads it by its group; where that fails mail is checked at delivery only */
    }
    return folder;
}

/* A regular file of one name only, or it is not ours to write. */
static int check_file(int fd)
{
    struct stat stat;
    if (fstat(fd, &stat) < 0) {
        return -1;
    }
    if (!S_ISREG(stat.st_mode) || stat.st_nlink != 1) {
        errno = EPERM;
        return -1;
    }
    if ((stat.st_mode & 07777) != 0640) {
        (void)!fchmod(fd, 0640);
    }
    return 0;
}

/* Nearly always all is there: one call then. -1: look closer. */
static int open_known(int domain, const char *user)
{
    static const struct open_how how = {.flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                                        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    char name[sizeof ".full/" + 255] = ".full/";
    memcpy(name + sizeof ".full/" - 1, user, strlen(user) + 1);
    return (int)syscall(SYS_openat2, domain, name, &how, sizeof how);
}

static int open_or_make(int domain, const char *user)
{
    int folder = open_folder(domain);
    if (folder < 0) {
        return -1;
    }
    int fd = openat(folder, user, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
    int saved = errno;
    close(folder);
    errno = saved;
    return fd;
}

int overquota_open(int dir_at, const char *home, const char *user)
{
    if (!is_file_name(user)) {
        errno = EINVAL;
        return -1;
    }
    int domain = overquota_open_domain(dir_at, home);
    if (domain < 0) {
        return -1;
    }
    int fd = open_known(domain, user);
    fd = fd >= 0 ? fd : open_or_make(domain, user);
    if (fd >= 0 && check_file(fd) < 0) {
        close(fd);
        fd = -1;
    }
    int saved = errno;
    close(domain);
    errno = saved;
    return fd;
}

int overquota_set(int fd, bool is_full)
{
    char now = '0';
    char wanted = is_full ? '1' : '0';
    ssize_t n = pread(fd, &now, 1, 0);
    if (n < 0) {
        return -1;
    }
    if (now == wanted) {
        return 0;
    }
    return pwrite(fd, &wanted, 1, 0) == 1 ? 0 : -1;
}

bool overquota_is_full(int domain_dir, const char *user)
{
    char byte = '0';
    stralloc name = STRALLOC_ZERO;
    if (!is_file_name(user)) {
        return false;
    }
    str_copys(&name, ".full/");
    str_cats(&name, user);
    int fd = openat(domain_dir, str_text(&name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    stralloc_free(&name);
    if (fd < 0) {
        return false;
    }
    bool is_full = read(fd, &byte, 1) == 1 && byte == '1';
    close(fd);
    return is_full;
}
