/* SPDX-License-Identifier: ISC */
/* lib/durable: the order of its steps, and what a failure of each leaves. The system calls are this file's: they note themselves,
 * and fail where they are told. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/durable.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static stralloc steps;
static unsigned n_syncs, failing_sync;

/* `file` or `folder`, by what the descriptor is. */
int fsync(int fd)
{
    struct stat stat;
    n_syncs++;
    str_cats(&steps, steps.len > 0 ? " " : "");
    str_cats(&steps, fstat(fd, &stat) < 0 ? "nothing" : S_ISDIR(stat.st_mode) ? "folder" : "file");
    if (n_syncs == failing_sync) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    str_cats(&steps, steps.len > 0 ? " rename" : "rename");
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameat2(from_dir, from, to_dir, to, 0);
}

static int tmp, new;

static int make(void)
{
    steps.len = n_syncs = 0;
    int fd = openat(tmp, "one", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, "text", 4) != 4) {
        perror("one");
        exit(111);
    }
    return fd;
}

static bool has(int dir, const char *name)
{
    struct stat stat;
    return fstatat(dir, name, &stat, 0) == 0;
}

static const char *text_of(int dir, const char *name)
{
    static char text[16];
    int fd = openat(dir, name, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = '\0';
    if (fd >= 0) {
        close(fd);
    }
    return text;
}

typedef int publish(int fd, int from_dir, const char *from, int to_dir, const char *to);

/* What is published stands there by these steps; a name that is taken stays as it is; a failed sync leaves no name. */
static void publishes(publish *way, const char *want, unsigned syncs_before, const char *name)
{
    printf("# %s\n", name);
    int fd = make();
    is_number(way(fd, tmp, "one", new, "two"), 0, "it_is_published");
    is(str_text(&steps), want, "in_this_order");
    ok(has(new, "two") && !has(tmp, "one"), "under_its_new_name_only");
    close(fd);
    fd = make();
    (void)!write(fd, "other", 5);
    errno = 0;
    ok(way(fd, tmp, "one", new, "two") < 0 && errno == EEXIST, "a_name_that_is_taken_is_an_error");
    ok(has(tmp, "one") && strcmp(text_of(new, "two"), "text") == 0, "and_nothing_is_done");
    close(fd);
    unsigned n = strstr(want, "folder") != NULL ? 2 : 1; /* each of its syncs */
    for (failing_sync = 1; failing_sync <= n; failing_sync++) {
        fd = make();
        errno = 0;
        ok(way(fd, tmp, "one", new, "three") < 0 && errno == EIO, "a_failed_sync_is_an_error");
        ok(!has(new, "three"), "the_name_is_not_there");
        ok(n_syncs == failing_sync, "no_sync_is_tried_again");
        ok(has(tmp, "one") == (failing_sync <= syncs_before), "before_the_rename_the_old_name_stays");
        close(fd);
    }
    failing_sync = 0;
    (void)unlinkat(new, "two", 0);
    ok(way(-1, tmp, "none", new, "two") < 0 && !has(new, "two"), "no_file_is_an_error");
}

static void replaces(void)
{
    int fd = make();
    close(openat(tmp, "old", O_WRONLY | O_CREAT, 0600));
    is_number(durable_replace(fd, tmp, "one", "old"), 0, "a_new_version");
    is(str_text(&steps), "file rename folder", "its_bytes_then_its_name_then_the_folder");
    is(text_of(tmp, "old"), "text", "stands_in_the_old_ones_place");
    close(fd);
    fd = make();
    (void)!ftruncate(fd, 2);
    failing_sync = 1;
    ok(durable_replace(fd, tmp, "one", "old") < 0 && errno == EIO, "a_sync_that_fails");
    is(text_of(tmp, "old"), "text", "leaves_the_old_file");
    failing_sync = 2;
    n_syncs = 0;
    ok(durable_replace(fd, tmp, "one", "old") < 0 && errno == EIO, "one_of_the_folder_too_is_told");
    failing_sync = 0;
    ok(durable_replace(fd, tmp, "none", "old") < 0 && errno == ENOENT, "no_new_version");
    close(fd);
}

static void folders(void)
{
    steps.len = n_syncs = 0;
    is_number(durable_sync_folder(AT_FDCWD, "new"), 0, "a_folder_by_name");
    is(str_text(&steps), "folder", "is_synced");
    ok(durable_sync_folder(AT_FDCWD, "none") < 0 && errno == ENOENT, "one_that_is_not_there");
    close(openat(tmp, "file", O_WRONLY | O_CREAT, 0600));
    ok(durable_sync_folder(tmp, "file") < 0 && errno == ENOTDIR, "a_file_is_no_folder");
    failing_sync = 1;
    n_syncs = 0;
    ok(durable_sync_folder(AT_FDCWD, "new") < 0 && errno == EIO, "a_sync_that_fails_is_told");
    failing_sync = 0;
}

int main(void)
{
    scratch_begin();
    (void)mkdir("tmp", 0700);
    (void)mkdir("new", 0700);
    tmp = open("tmp", O_RDONLY | O_DIRECTORY);
    new = open("new", O_RDONLY | O_DIRECTORY);
    publishes(durable_publish, "file rename folder", 1, "durable_publish");
    publishes(durable_publish_late, "rename file", 0, "durable_publish_late");
    publishes(durable_publish_ordered, "file rename", 1, "durable_publish_ordered");
    replaces();
    folders();
    return scratch_end(done());
}
