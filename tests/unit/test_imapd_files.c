/* SPDX-License-Identifier: ISC */
/* imapd/uidvalidity, dotlock and textfile: small files of a Maildir. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "imapd/textfile.h"
#include "imapd/uidvalidity.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static int root;
static stralloc text;

static bool exists(const char *name)
{
    struct stat stat;
    return fstatat(root, name, &stat, AT_SYMLINK_NOFOLLOW) == 0;
}

static void put(const char *name, const char *bytes)
{
    scratch_put(root, name, bytes);
}

static void uidvalidities(void)
{
    is_number(uidvalidity_next(root, 0x1000), 0x1000, "the_first_is_the_time");
    ok(exists("dovecot-uidvalidity.00001000"), "and_stands_in_a_name");
    is_number(uidvalidity_next(root, 0x1000), 0x1001, "a_second_one_in_that_second_is_higher");
    is_number(uidvalidity_next(root, 0x500), 0x1002, "one_after_the_clock_was_set_back_too");
    is_number(uidvalidity_next(root, 0x2000), 0x2000, "later_it_is_the_time_again");
    ok(exists("dovecot-uidvalidity.00002000") && !exists("dovecot-uidvalidity.00001000"), "there_is_one_name");
    put("dovecot-uidvalidity.0000300", "");
    put("dovecot-uidvalidity.000030000", "");
    put("dovecot-uidvalidity.0000300g", "");
    put("dovecot-uidvalidity.0000300A", "");
    put("dovecot-uidvalidity", "");
    is_number(uidvalidity_next(root, 0x2000), 0x2001, "names_that_are_none_do_not_count");
    put("dovecot-uidvalidity.00003000", "");
    is_number(uidvalidity_next(root, 0x2500), 0x3001, "of_several_the_highest_does");
    (void)renameat(root, "dovecot-uidvalidity.00003001", root, "dovecot-uidvalidity.ffffffff");
    is_number(uidvalidity_next(root, 0x4000), 0x4000, "above_the_last_number_there_is_only_the_time");
    is_number(uidvalidity_next(-1, 0x5000), 0, "where_nothing_can_be_kept_there_is_none");
}

/* Several at once: no number twice. */
static void at_once(void)
{
    enum { CHILDREN = 4, EACH = 25 };
    int pipes[2];
    uint32_t value;
    bool is_taken[CHILDREN * EACH + 1] = {false};
    unsigned twice = 0;
    unsigned n = 0;
    (void)mkdirat(root, "many", 0700);
    int folder = openat(root, "many", O_RDONLY | O_DIRECTORY);
    if (pipe(pipes) < 0) {
        exit(111);
    }
    fflush(stdout);
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            for (int k = 0; k < EACH; k++) {
                value = uidvalidity_next(folder, 1);
                (void)!write(pipes[1], &value, sizeof value);
            }
            _exit(0);
        }
    }
    close(pipes[1]);
    while (read(pipes[0], &value, sizeof value) == (ssize_t)sizeof value) {
        bool is_known = value <= CHILDREN * EACH;
        twice += !is_known || is_taken[value];
        is_taken[is_known ? value : 0] = true;
        n++;
    }
    while (wait(NULL) > 0) {
    }
    close(pipes[0]);
    close(folder);
    ok(n == CHILDREN * EACH && twice == 0, "no_number_is_given_twice");
}

static const char *content(const char *name)
{
    text.len = 0;
    int result = textfile_read(root, name, &text);
    return result == 1 ? str_text(&text) : result == 0 ? "none" : "error";
}

/* With one sync (the crash tests cut the power there): what it does is the same. */
static void replaces_on_a_trusted_device(stralloc *new)
{
    struct stat stat;
    ok(fstat(root, &stat) == 0, "a_device");
    dotlock_trust(stat.st_dev);
    str_copys(new, "two\n");
    is_number(dotlock_replace(root, "trusted", new), 0, "a_file_is_made_there");
    is(content("trusted"), "two\n", "with_its_text");
    str_copys(new, "three\n");
    is_number(dotlock_replace(root, "trusted", new), 0, "and_replaced");
    is(content("trusted"), "three\n", "by_another");
    ok(!exists("trusted.lock") && !exists("trusted.tmp"), "nothing_else_is_left");
    dotlock_trust(0);
}

static void replaces(void)
{
    stralloc new = STRALLOC_ZERO;
    struct stat stat;
    str_copys(&new, "one\n");
    is_number(dotlock_replace(root, "file", &new), 0, "a_file_is_made");
    is(content("file"), "one\n", "with_its_text");
    ok(!exists("file.lock") && fstatat(root, "file", &stat, 0) == 0 && (stat.st_mode & 0777) == 0600, "without_its_lock");
    new.len = 0;
    is_number(dotlock_replace(root, "file", &new), 0, "it_is_replaced");
    is(content("file"), "", "by_nothing");
    ok(dotlock_replace(-1, "file", &new) < 0, "a_folder_that_is_none");
    replaces_on_a_trusted_device(&new);
    (void)mkdirat(root, "folder", 0700);
    (void)mkdirat(root, "folder/inner", 0700);
    ok(dotlock_replace(root, "folder", &new) < 0 && !exists("folder.lock"), "a_failure_leaves_no_lock");
    /* A lock whose owner died more than two minutes ago. */
    put("file.lock", "half");
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    (void)utimensat(root, "file.lock", times, 0);
    str_copys(&new, "two\n");
    is_number(dotlock_replace(root, "file", &new), 0, "an_old_lock_is_dead");
    is(content("file"), "two\n", "its_half_text_goes");
    stralloc_free(&new);
}

/* A lock as Dovecot leaves it: pid:host. */
static void put_lock(pid_t pid, const char *host)
{
    char said[400];
    (void)snprintf(said, sizeof said, "%ld:%s", (long)pid, host);
    put("other.lock", said);
}

static void meets_dovecots_lock(void)
{
    stralloc new = STRALLOC_ZERO;
    struct utsname system;
    str_copys(&new, "x\n");
    pid_t dead = fork();
    if (dead == 0) {
        _exit(0);
    }
    ok(dead > 0 && waitpid(dead, NULL, 0) == dead && uname(&system) == 0, "a_process_that_is_dead");
    put_lock(getppid(), system.nodename);
    ok(dotlock_try(root, "other", &new) < 0 && errno == EAGAIN && exists("other.lock"), "a_lock_of_one_that_lives_stays");
    put_lock(dead, "another.host");
    ok(dotlock_try(root, "other", &new) < 0 && errno == EAGAIN && exists("other.lock"), "and_one_of_another_host");
    put_lock(0, system.nodename);
    ok(dotlock_try(root, "other", &new) < 0 && errno == EAGAIN && exists("other.lock"), "and_one_that_names_no_process");
    put("other.lock", "");
    ok(dotlock_try(root, "other", &new) < 0 && errno == EAGAIN && exists("other.lock"), "and_an_empty_one");
    put_lock(dead, system.nodename);
    is_number(dotlock_try(root, "other", &new), 0, "that_of_a_dead_one_goes_at_once");
    is(content("other"), "x\n", "and_the_file_is_made");
    ok(!exists("other.lock") && !exists("other.lock.stafet"), "without_a_lock");
    stralloc_free(&new);
}

static void reads(void)
{
    is(content("missing"), "none", "no_file");
    (void)!symlinkat("file", root, "link");
    is(content("link"), "error", "a_link_is_not_followed");
    (void)mkfifoat(root, "fifo", 0600);
    is(content("fifo"), "error", "a_fifo_is_not_waited_for");
    is(content("folder"), "error", "a_folder_is_no_file");
    put("file", "more");
    str_copys(&text, "some ");
    ok(textfile_read(root, "file", &text) == 1 && strcmp(str_text(&text), "some more") == 0, "it_is_appended");
    int fd = openat(root, "big", O_WRONLY | O_CREAT, 0600);
    (void)!ftruncate(fd, TEXTFILE_MAX + 1);
    close(fd);
    ok(textfile_read(root, "big", &text) < 0 && errno == EINVAL, "one_that_is_too_big");
}

static void appends(const char *before, int want, const char *after)
{
    stralloc lines = STRALLOC_ZERO;
    str_copys(&lines, "new\n");
    put("list", before);
    int fd = openat(root, "list", O_RDWR | O_APPEND);
    is_number(textfile_append(fd, &lines, true), want, before);
    is(content("list"), after, "what_the_file_holds_then");
    close(fd);
    stralloc_free(&lines);
}

/* Half a line of any length: the file is looked through in pieces, from its end. */
static bool cuts_half_line(size_t n)
{
    static char before[16384];
    stralloc lines = STRALLOC_ZERO;
    memset(before, 'x', n);
    before[1] = '\n';
    before[n] = '\0';
    put("list", before);
    str_copys(&lines, "new\n");
    int fd = openat(root, "list", O_RDWR | O_APPEND);
    bool is_good = textfile_append(fd, &lines, false) == 1 && strcmp(content("list"), "x\nnew\n") == 0;
    close(fd);
    stralloc_free(&lines);
    return is_good;
}

static void appended_lines(void)
{
    stralloc lines = STRALLOC_ZERO;
    unsigned wrong = 0;
    appends("a\n", 1, "a\nnew\n");
    appends("a\nb\n", 1, "a\nb\nnew\n");
    appends("a\nb", 1, "a\nnew\n");
    appends("a\n\n", 1, "a\n\nnew\n");
    appends("\n", 1, "\nnew\n");
    appends("", 0, "");
    appends("a", 0, "a");
    for (size_t piece = 4096; piece <= 8192; piece += 4096) {
        for (size_t n = piece - 4; n < piece + 4; n++) {
            wrong += !cuts_half_line(n);
        }
    }
    is_number(wrong, 0, "a_long_half_line_is_cut_off");
    str_copys(&lines, "new\n");
    int fd = openat(root, "list", O_RDONLY);
    ok(textfile_append(fd, &lines, false) < 0 && textfile_append(-1, &lines, false) < 0, "what_cannot_be_written_is_an_error");
    close(fd);
    stralloc_free(&lines);
}

int main(void)
{
    scratch_begin();
    root = open(".", O_RDONLY | O_DIRECTORY);
    uidvalidities();
    at_once();
    replaces();
    meets_dovecots_lock();
    reads();
    appended_lines();
    close(root);
    return scratch_end(done());
}
