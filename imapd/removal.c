/* SPDX-License-Identifier: ISC */
/* A Maildir has two levels: its files, and files in its folders. Deeper ones are not ours, and keep it from going.
 *
 * The folder loses its name first. A session that has it open may be writing there, even be making its index anew: it has
 * stafet.lock, which is waited for, and finds nothing to write into afterwards. What needs no lock (a message on its way through
 * tmp/, a fifo) may still come while the folder is emptied: it is emptied again. */
#include "imapd/removal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "imapd/mailboxes.h"
#include "imapd/newfolder.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mailbox.h"

#define GRAVE "..deleted"
enum { FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, TRIES = 50, PAUSE_MS = 10, OLD_SECONDS = 600 };

struct sum {
    uint64_t bytes;
    uint32_t n;
};

/* Somebody else may have removed it. */
static int gone(int result)
{
    return result < 0 && errno == ENOENT ? 0 : result;
}

static void count(int fd, const char *name, struct sum *sum)
{
    struct stat stat;
    struct mailbox_name said;
    sum->n++;
    if (mailbox_name_parse(name, strlen(name), &said) && said.size != MAILBOX_UNKNOWN) {
        sum->bytes += said.size;
    } else if (fstatat(fd, name, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
        sum->bytes += (uint64_t)stat.st_size;
    }
}

/* All files of one folder. sum NULL: they are no messages. Closes fd. */
static int empty(int fd, struct sum *sum)
{
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (folder == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (sum != NULL) {
            count(fd, entry->d_name, sum);
        }
        result = gone(unlinkat(fd, entry->d_name, 0));
    }
    int error = errno == EISDIR ? ENOTEMPTY : errno; /* a folder where mail should be */
    (void)closedir(folder);
    errno = error;
    return result;
}

static int empty_inner(int top, const char *name, struct sum *sum)
{
    int fd = openat(top, name, FOLDER_FLAGS);
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    }
    bool is_mail = strcmp(name, "cur") == 0 || strcmp(name, "new") == 0;
    return empty(fd, is_mail ? sum : NULL) < 0 ? -1 : gone(unlinkat(top, name, AT_REMOVEDIR));
}

/* The folders inside first, then the files. */
static int remove_tree(int root, const char *name, struct sum *sum)
{
    int top = openat(root, name, FOLDER_FLAGS);
    if (top < 0) {
        return -1;
    }
    int list = openat(top, ".", FOLDER_FLAGS);
    DIR *folder = list < 0 ? NULL : fdopendir(list);
    int result = folder == NULL ? -1 : 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
        bool is_folder = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
        if (is_folder && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            result = empty_inner(top, entry->d_name, sum);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    if (result == 0) {
        result = empty(openat(top, ".", FOLDER_FLAGS), NULL);
    }
    int error = errno;
    close(top);
    errno = error;
    return result < 0 ? -1 : gone(unlinkat(root, name, AT_REMOVEDIR));
}

static int remove_locked(int root, const char *grave, struct sum *sum)
{
    for (unsigned try = 0;; try++) {
        int result = remove_tree(root, grave, sum);
        if (result == 0 || (errno != ENOTEMPTY && errno != EEXIST) || try == TRIES) {
            return result;
        }
        struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
}

/* With stafet.lock of that folder: who has it is waited for, or (an old grave) goes on with the removal. Whoever unlinks a
 * message counts it, so that the quota hears of each once. */
static int remove_grave(int root, const char *grave, bool is_old, struct sum *sum)
{
    int top = openat(root, grave, FOLDER_FLAGS);
    if (top < 0) {
        return gone(-1);
    }
    int lock = is_old ? dotlock_enter_free(top) : dotlock_enter(top);
    int result = lock < 0 ? -1 : remove_locked(root, grave, sum);
    int error = errno;
    if (lock >= 0) {
        close(lock);
    }
    close(top);
    errno = error;
    return result;
}

void removal_clear(int root, const char *name)
{
    struct sum ignored = {0};
    (void)remove_tree(root, name, &ignored);
}

/* What a crash left: of a removal, or of a new folder (newfolder.h; a young one is being made). */
static bool is_rest(int root, const char *name)
{
    struct stat stat;
    if (strncmp(name, GRAVE, sizeof GRAVE - 1) == 0) {
        return true;
    }
    uint64_t now = clock_wall_us() / 1000000;
    return strncmp(name, NEWFOLDER_PREFIX, sizeof NEWFOLDER_PREFIX - 1) == 0 &&
           fstatat(root, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && (uint64_t)stat.st_mtime + OLD_SECONDS < now;
}

static void remove_rests(int root, struct sum *sum)
{
    int fd = openat(root, ".", FOLDER_FLAGS);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (is_rest(root, entry->d_name)) {
            (void)!remove_grave(root, entry->d_name, true, sum);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
}

int removal_run(int root, const char *folder, uint64_t *bytes_out, uint32_t *n_out)
{
    char grave[64];
    struct sum sum = {0};
    (void)snprintf(grave, sizeof grave, GRAVE "%llu.%ld", (unsigned long long)clock_wall_us(), (long)getpid());
    stralloc directory = STRALLOC_ZERO;
    mailboxes_directory(root, folder, &directory);
    int moved = renameat(root, directory.s, root, grave);
    stralloc_free(&directory);
    if (moved < 0) {
        return -1;
    }
    if (remove_grave(root, grave, false, &sum) < 0) {
        log_event("alert", "what=%s folder=%s error=%s", "a removed mailbox leaves files behind", grave, strerror(errno));
    }
    remove_rests(root, &sum);
    *bytes_out = sum.bytes;
    *n_out = sum.n;
    return 0;
}
