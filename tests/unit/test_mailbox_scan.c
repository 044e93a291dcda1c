/* SPDX-License-Identifier: ISC */
/* lib/mailbox on other file systems: a folder that changes while it is read is read again, entries may not tell their type, a
 * read may fail. The program's own fstatfs and getdents64 play the file system. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/mailbox.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static struct {
    long type;
    unsigned n, changes, first_change, fails_at;
    bool hides_types;
    const char *removes, *bars;
} play;

int fstatfs(int fd, struct statfs *out)
{
    (void)fd;
    *out = (struct statfs){.f_type = play.type};
    return play.type < 0 ? -1 : 0;
}

int fstatat(int dir, const char *name, struct stat *out, int flags)
{
    if (play.bars != NULL && strcmp(name, play.bars) == 0) {
        errno = EACCES;
        return -1;
    }
    return (int)syscall(SYS_newfstatat, dir, name, out, flags);
}

/* Behind each read, while changes are left, a message comes; mtimes tick by whole seconds. */
static void change_folder(void)
{
    char name[64];
    struct timespec times[2] = {{.tv_sec = 1000000 + play.n}, {.tv_sec = 1000000 + play.n}};
    (void)snprintf(name, sizeof name, "M/cur/50%02u.more:2,", play.n);
    scratch_put(AT_FDCWD, name, "x");
    (void)utimensat(AT_FDCWD, "M/cur", times, 0);
}

ssize_t getdents64(int fd, void *buffer, size_t room)
{
    play.n++;
    if (play.n == play.fails_at) {
        errno = EIO;
        return -1;
    }
    ssize_t n = syscall(SYS_getdents64, fd, buffer, room);
    for (ssize_t at = 0; play.hides_types && at < n;) {
        struct dirent64 *entry = (struct dirent64 *)(void *)((char *)buffer + at);
        entry->d_type = DT_UNKNOWN;
        at += entry->d_reclen;
    }
    if (play.removes != NULL && play.n > play.first_change) {
        (void)unlink(play.removes);
    }
    if (play.changes > 0 && play.n >= play.first_change) {
        play.changes--;
        change_folder();
    }
    return n;
}

static void begin(long type)
{
    if (system("rm -rf M; mkdir -p M/new M/cur") != 0) {
        exit(111);
    }
    play.type = type;
    play.n = play.changes = play.fails_at = play.first_change = 0;
    play.hides_types = false;
    play.removes = play.bars = NULL;
    scratch_put(AT_FDCWD, "M/cur/100.a:2,S", "x");
    scratch_put(AT_FDCWD, "M/new/200.b", "x");
}

/* The names in order, or the error. */
static const char *scan(void)
{
    static stralloc text;
    struct mailbox box;
    text.len = 0;
    if (mailbox_open(&box, AT_FDCWD, "M") < 0 || mailbox_scan(&box) < 0) {
        str_cats(&text, strerrorname_np(errno));
        mailbox_close(&box);
        return str_text(&text);
    }
    for (uint32_t i = 0; i < box.n; i++) {
        str_catf(&text, "%s%s", i > 0 ? " " : "", mailbox_name(&box, i));
    }
    mailbox_close(&box);
    return str_text(&text);
}

enum { NEW_READS = 2 /* of new/, which is first: its entries, and that there are no more */ };

static void other_systems(void)
{
    begin(NFS_SUPER_MAGIC);
    is(scan(), "100.a:2,S 200.b", "a_folder_at_rest");
    is_number(play.n, 2 * NEW_READS, "is_read_once");
    begin(NFS_SUPER_MAGIC);
    play.changes = 1;
    play.first_change = NEW_READS + 2; /* behind the last read of cur/ */
    is(scan(), "100.a:2,S 200.b 5004.more:2,", "what_came_meanwhile_is_there");
    is_number(play.n, 3 * NEW_READS, "since_it_was_read_again");
    begin(NFS_SUPER_MAGIC);
    play.changes = 1000;
    play.first_change = NEW_READS + 2;
    ok(strncmp(scan(), "100.a:2,S 200.b 50", 18) == 0 && play.n < 40, "one_that_never_rests_is_read_some_times_only");
    begin(-1);
    play.changes = 1;
    play.first_change = NEW_READS + 2;
    is(scan(), "100.a:2,S 200.b 5004.more:2,", "a_system_that_cannot_be_asked_is_another");
    static const long snapshots[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, TMPFS_MAGIC};
    for (size_t i = 0; i < sizeof snapshots / sizeof *snapshots; i++) {
        begin(snapshots[i]);
        play.changes = 1;
        play.first_change = NEW_READS + 2;
        is(scan(), "100.a:2,S 200.b", "where_a_read_is_a_snapshot_one_is_enough");
    }
}

static void errors(void)
{
    for (unsigned at = 1; at <= 2 * NEW_READS; at += NEW_READS) {
        begin(TMPFS_MAGIC);
        play.fails_at = at;
        is(scan(), "EIO", "a_folder_that_cannot_be_read_is_an_error");
    }
    begin(TMPFS_MAGIC);
    play.fails_at = NEW_READS + 2;
    is(scan(), "100.a:2,S 200.b", "one_whose_end_cannot_be_seen_is_read_again");
}

static void types(void)
{
    begin(NFS_SUPER_MAGIC);
    play.hides_types = true;
    if (mkdir("M/cur/300.folder:2,", 0700) < 0 || symlink("100.a:2,S", "M/cur/301.link:2,") < 0 ||
        mkfifo("M/new/302.fifo", 0600) < 0) {
        exit(111);
    }
    is(scan(), "100.a:2,S 200.b", "files_that_are_asked_what_they_are");
    begin(TMPFS_MAGIC);
    scratch_put(AT_FDCWD, "M/cur/notime:2,", "x");
    scratch_put(AT_FDCWD, "M/new/notimeeither", "x");
    is(scan(), "100.a:2,S 200.b notime:2, notimeeither", "names_without_a_time_come_by_their_mtime");
    begin(TMPFS_MAGIC);
    scratch_put(AT_FDCWD, "M/cur/notime:2,", "x");
    play.removes = "M/cur/notime:2,";
    play.first_change = NEW_READS;
    is(scan(), "100.a:2,S 200.b notime:2,", "one_of_cur_that_was_renamed_meanwhile_is_there");
    begin(TMPFS_MAGIC);
    scratch_put(AT_FDCWD, "M/new/notime", "x");
    play.removes = "M/new/notime";
    is(scan(), "100.a:2,S 200.b", "one_of_new_that_went_is_not");
    begin(TMPFS_MAGIC);
    scratch_put(AT_FDCWD, "M/cur/notime:2,", "x");
    play.bars = "notime:2,";
    is(scan(), "EACCES", "one_that_cannot_be_looked_at_is_not_taken_for_gone");
    begin(TMPFS_MAGIC);
    scratch_put(AT_FDCWD, "M/cur/old", "x");
    const struct timespec before[2] = {{.tv_sec = -5}, {.tv_sec = -5}};
    (void)utimensat(AT_FDCWD, "M/cur/old", before, 0);
    is(scan(), "old 100.a:2,S 200.b", "a_time_before_1970_is_the_first");
}

int main(void)
{
    scratch_begin();
    other_systems();
    errors();
    types();
    return scratch_end(done());
}
