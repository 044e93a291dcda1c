/* SPDX-License-Identifier: ISC */
/* Reading the names of a Maildir in one snapshot. Trusts nothing it finds there: other programs of the same owner write here. */
#include "lib/mailbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mailbox_find.h"
#include "lib/str.h"

enum { FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, BUFFER_MIN = 32768, RESCANS = 5 };
static const size_t buffer_max = (size_t)1 << 30;

static void close_one(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void close_folders(struct mailbox *box)
{
    int saved = errno;
    close_one(&box->folder);
    close_one(&box->fresh);
    close_one(&box->cur);
    errno = saved;
}

int mailbox_open(struct mailbox *box, int dir_at, const char *path)
{
    *box = (struct mailbox){.folder = -1, .fresh = -1, .cur = -1, .names = STRALLOC_ZERO};
    box->folder = openat(dir_at, path, FOLDER_FLAGS);
    if (box->folder < 0) {
        return -1;
    }
    box->fresh = openat(box->folder, "new", FOLDER_FLAGS);
    box->cur = openat(box->folder, "cur", FOLDER_FLAGS);
    if (box->fresh < 0 || box->cur < 0) {
        close_folders(box);
        return -1;
    }
    return 0;
}

/* On these one getdents64 call holds the folder's lock from its first entry to its last. */
bool mailbox_is_snapshot(int folder)
{
    struct statfs system;
    if (fstatfs(folder, &system) < 0) {
        return false;
    }
    return system.f_type == EXT4_SUPER_MAGIC || system.f_type == XFS_SUPER_MAGIC || system.f_type == TMPFS_MAGIC;
}

/* One call into a buffer that holds everything: doubled until a second call finds the end. Bytes; -1 errno. */
static ssize_t read_whole(int folder, size_t room, char **buffer)
{
    for (;;) {
        *buffer = memory_grow(*buffer, room, 1);
        if (lseek(folder, 0, SEEK_SET) < 0) {
            return -1;
        }
        ssize_t n = getdents64(folder, *buffer, room);
        if (n < 0 && errno != EINVAL) { /* EINVAL: not even one entry fits */
            return -1;
        }
        char rest[2 * sizeof(struct dirent64)];
        if (n == 0 || (n > 0 && getdents64(folder, rest, sizeof rest) == 0)) {
            return n;
        }
        if (room > buffer_max / 2) {
            errno = EOVERFLOW;
            return -1;
        }
        room *= 2;
    }
}

/* A signal would cut the call short. */
static ssize_t read_whole_unsignalled(int folder, size_t room, char **buffer)
{
    sigset_t all;
    sigset_t old;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    ssize_t n = read_whole(folder, room, buffer);
    int saved = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    errno = saved;
    return n;
}

static bool is_same_time(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Elsewhere a scan counts when the folder did not change meanwhile, or, torn, after some tries. */
static ssize_t read_folder(int folder, char **buffer, bool *is_torn)
{
    struct stat before;
    struct stat after;
    if (fstat(folder, &before) < 0) {
        return -1;
    }
    size_t room = (size_t)before.st_size < buffer_max / 4 ? 2 * (size_t)before.st_size : buffer_max / 4;
    room = room < BUFFER_MIN ? BUFFER_MIN : room;
    bool is_snapshot = mailbox_is_snapshot(folder);
    ssize_t n = 0;
    for (unsigned try = 0; try <= RESCANS; try++) {
        n = read_whole_unsignalled(folder, room, buffer);
        if (n < 0 || is_snapshot) {
            return n;
        }
        if (fstat(folder, &after) < 0) {
            return -1;
        }
        if (is_same_time(&before, &after)) {
            return n;
        }
        before = after;
    }
    *is_torn = true;
    return n;
}

/* What the name does not say is asked of the file. 1; 0 no regular file, or (in new/) it went; -1 errno. A file of cur/ that has
 * another name already is there all the same: it came at `now`. */
static int ask_file(int folder, const char *name, bool is_new, struct mailbox_name *said)
{
    struct stat stat;
    if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) < 0) {
        said->order_us = said->order_us == MAILBOX_UNKNOWN ? clock_wall_us() : said->order_us;
        return errno != ENOENT ? -1 : is_new ? 0 : 1;
    }
    if (said->order_us == MAILBOX_UNKNOWN) {
        said->order_us = stat.st_mtim.tv_sec < 0 ? 0 : (uint64_t)stat.st_mtim.tv_sec * 1000000;
    }
    return S_ISREG(stat.st_mode) ? 1 : 0;
}

static int add_message(struct mailbox *box, int folder, const struct dirent64 *entry)
{
    struct mailbox_name said;
    size_t n = strlen(entry->d_name);
    if ((entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN) || !mailbox_name_parse(entry->d_name, n, &said)) {
        return 0;
    }
    bool is_asked = said.order_us == MAILBOX_UNKNOWN || entry->d_type == DT_UNKNOWN;
    int asked = is_asked ? ask_file(folder, entry->d_name, folder == box->fresh, &said) : 1;
    if (asked <= 0) {
        return asked;
    }
    if (box->names.len + n + 1 > UINT32_MAX || box->n == UINT32_MAX / 2) {
        errno = EOVERFLOW;
        return -1;
    }
    if (box->n == box->room) {
        box->room = box->room == 0 ? 64 : 2 * box->room;
        box->message = memory_grow(box->message, box->room, sizeof *box->message);
    }
    box->message[box->n++] = (struct mailbox_message){.order_us = said.order_us,
                                                      .size = said.size,
                                                      .wire_size = said.wire_size,
                                                      .name_at = (uint32_t)box->names.len,
                                                      .name_len = (uint8_t)n,
                                                      .base_len = (uint8_t)said.base_len,
                                                      .flags = said.flags,
                                                      .state = folder == box->fresh ? MAILBOX_IS_NEW : 0};
    str_cat(&box->names, entry->d_name, n + 1);
    return 0;
}

static int scan_folder(struct mailbox *box, int folder)
{
    char *buffer = NULL;
    ssize_t n = read_folder(folder, &buffer, &box->is_torn);
    int result = n < 0 ? -1 : 0;
    for (ssize_t at = 0; at < n && result == 0;) {
        const struct dirent64 *entry = (const struct dirent64 *)(const void *)(buffer + at);
        result = add_message(box, folder, entry);
        at += entry->d_reclen;
    }
    int saved = errno;
    free(buffer);
    errno = saved;
    return result;
}

/* Of two with one base name the one in cur/ stays; it stands last. */
static void hide_doubles(struct mailbox *box)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < box->n; i++) {
        bool is_double = i + 1 < box->n && mailbox_compare(box, &box->message[i], box, &box->message[i + 1]) == 0;
        if (is_double) {
            box->hidden = memory_grow(box->hidden, (size_t)box->n_hidden + 1, sizeof *box->hidden);
            box->hidden[box->n_hidden++] = (struct mailbox_double){.of = kept, .message = box->message[i]};
        } else {
            box->message[kept++] = box->message[i];
        }
    }
    box->n = kept;
}

int mailbox_scan(struct mailbox *box)
{
    box->n = box->n_hidden = 0;
    box->names.len = 0;
    box->is_torn = false;
    if (scan_folder(box, box->fresh) < 0 || scan_folder(box, box->cur) < 0) {
        return -1;
    }
    mailbox_sort(box);
    hide_doubles(box);
    box->room = box->n > 0 ? box->n : 1; /* a session holds this for long: no spare places */
    box->message = memory_grow(box->message, box->room, sizeof *box->message);
    return 0;
}

int mailbox_scan_new(struct mailbox *box)
{
    box->n = box->n_hidden = 0;
    box->names.len = 0;
    box->is_torn = false;
    if (scan_folder(box, box->fresh) < 0) {
        return -1;
    }
    mailbox_sort(box);
    return 0;
}

const char *mailbox_name(const struct mailbox *box, uint32_t i)
{
    return box->names.s + box->message[i].name_at;
}

void mailbox_close(struct mailbox *box)
{
    close_folders(box);
    stralloc_free(&box->names);
    free(box->message);
    free(box->hidden);
    box->message = NULL;
    box->hidden = NULL;
    box->n = box->n_hidden = box->room = 0;
}
