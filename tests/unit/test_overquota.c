/* SPDX-License-Identifier: ISC */
/* lib/overquota: the byte .full/USER, and what its owner may have put in its place. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/overquota.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static void make_folders(void)
{
    static const char *const names[] = {
        "domains",        "domains/a.test",     "domains/a.test/joe", "domains/a.test/0", "domains/a.test/0/ann",
        "domains/b.test", "domains/b.test/joe", "domains/plain",      "domains/plain/joe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)mkdir(names[i], 0700);
    }
    close(open("domains/a.test/vpasswd.cdb", O_WRONLY | O_CREAT, 0600));
    close(open("domains/b.test/vpasswd", O_WRONLY | O_CREAT, 0600));
}

static mode_t mode_of(const char *path)
{
    struct stat found;
    return stat(path, &found) < 0 ? 0 : found.st_mode & 07777;
}

static const char *text_of(const char *path)
{
    static char text[8];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = '\0';
    if (fd >= 0) {
        close(fd);
    }
    return fd < 0 ? "none" : text;
}

static void sets_and_asks(void)
{
    int domain = open("domains/a.test", O_RDONLY | O_DIRECTORY);
    ok(!overquota_is_full(domain, "joe"), "who_has_no_byte_is_not_full");
    int fd = overquota_open(AT_FDCWD, "domains/a.test/joe", "joe");
    ok(fd >= 0, "it_is_opened");
    is_number(mode_of("domains/a.test/.full"), 02750, "its_folder_is_made_for_rcptds_group");
    is_number(mode_of("domains/a.test/.full/joe"), 0640, "and_the_file");
    ok(!overquota_is_full(domain, "joe"), "an_empty_file_is_not_full");
    is_number(overquota_set(fd, false), 0, "not_full");
    is(text_of("domains/a.test/.full/joe"), "", "needs_no_byte");
    is_number(overquota_set(fd, true), 0, "full");
    is(text_of("domains/a.test/.full/joe"), "1", "is_a_1");
    ok(overquota_is_full(domain, "joe") && !overquota_is_full(domain, "ann"), "for_that_user");
    is_number(overquota_set(fd, true), 0, "full_again");
    is(text_of("domains/a.test/.full/joe"), "1", "is_the_same_byte");
    is_number(overquota_set(fd, false), 0, "not_full_any_more");
    is(text_of("domains/a.test/.full/joe"), "0", "is_a_0");
    ok(!overquota_is_full(domain, "joe"), "as_it_reads");
    (void)!pwrite(fd, "x1", 2, 0);
    ok(!overquota_is_full(domain, "joe"), "any_other_byte_is_not_full");
    ok(fcntl(fd, F_GETFD) == FD_CLOEXEC, "no_program_inherits_it");
    close(fd);
    close(domain);
    ok(overquota_set(-1, true) < 0, "no_file_is_an_error");
}

static bool is_domain(const char *home, const char *want)
{
    struct stat found;
    struct stat wanted;
    int fd = overquota_open_domain(AT_FDCWD, home);
    bool is_it = fd >= 0 && fstat(fd, &found) == 0 && stat(want, &wanted) == 0 && found.st_ino == wanted.st_ino;
    if (fd >= 0) {
        close(fd);
    }
    return is_it;
}

static void finds_domains(void)
{
    char path[200];
    ok(is_domain("domains/a.test/joe", "domains/a.test"), "the_domain_above_a_home");
    ok(is_domain("domains/a.test/joe///", "domains/a.test"), "slashes_do_not_count");
    ok(is_domain("domains/a.test/0/ann", "domains/a.test"), "of_a_hashed_home_too");
    ok(is_domain("domains/b.test/joe", "domains/b.test"), "by_vpasswd_alone");
    (void)snprintf(path, sizeof path, "%s/domains/a.test/joe", scratch_folder);
    ok(is_domain(path, "domains/a.test"), "by_an_absolute_name");
    static const char *const none[] = {"domains/plain/joe", "joe", "", "/", "domains"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        errno = 0;
        ok(overquota_open_domain(AT_FDCWD, none[i]) < 0 && errno == ENOENT, "where_there_is_none_it_is_none");
    }
    errno = 0;
    ok(overquota_open(AT_FDCWD, "domains/plain/joe", "joe") < 0 && errno == ENOENT, "and_no_byte_is_opened");
}

static void refuses_names(void)
{
    static const char *const names[] = {"", ".", "..", ".joe", "a/b", "../joe"};
    char longest[300];
    int domain = open("domains/a.test", O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        errno = 0;
        ok(overquota_open(AT_FDCWD, "domains/a.test/joe", names[i]) < 0 && errno == EINVAL, "a_name_that_is_none");
        ok(!overquota_is_full(domain, names[i]), "has_no_byte");
    }
    memset(longest, 'x', 256);
    longest[256] = '\0';
    errno = 0;
    ok(overquota_open(AT_FDCWD, "domains/a.test/joe", longest) < 0 && errno == EINVAL, "one_that_is_too_long");
    close(domain);
}

static void what_else_may_be_there(void)
{
    int domain = open("domains/a.test", O_RDONLY | O_DIRECTORY);
    (void)!write(open("elsewhere", O_WRONLY | O_CREAT, 0600), "1", 1);
    (void)!symlink("../../../elsewhere", "domains/a.test/.full/link");
    ok(overquota_open(AT_FDCWD, "domains/a.test/joe", "link") < 0 && errno == ELOOP, "a_link_is_not_followed");
    ok(!overquota_is_full(domain, "link"), "nor_read");
    (void)!link("elsewhere", "domains/a.test/.full/twice");
    ok(overquota_open(AT_FDCWD, "domains/a.test/joe", "twice") < 0 && errno == EPERM, "a_file_of_two_names_is_not_written");
    (void)mkfifo("domains/a.test/.full/fifo", 0600);
    ok(overquota_open(AT_FDCWD, "domains/a.test/joe", "fifo") < 0 && errno == EPERM, "a_fifo_is_not_waited_for");
    ok(!overquota_is_full(domain, "fifo"), "nor_read_either");
    (void)mkdir("domains/a.test/.full/folder", 0700);
    ok(overquota_open(AT_FDCWD, "domains/a.test/joe", "folder") < 0 && errno == EISDIR, "a_folder_is_no_file");
    (void)chmod("domains/a.test/.full/joe", 0600);
    int fd = overquota_open(AT_FDCWD, "domains/a.test/joe", "joe");
    ok(fd >= 0 && mode_of("domains/a.test/.full/joe") == 0640, "a_wrong_mode_is_mended");
    close(fd);
    (void)!symlink("../a.test/.full", "domains/b.test/.full");
    ok(overquota_open(AT_FDCWD, "domains/b.test/joe", "joe") < 0, "a_link_in_the_folders_place_is_not_followed");
    close(domain);
}

int main(void)
{
    scratch_begin();
    make_folders();
    sets_and_asks();
    finds_domains();
    refuses_names();
    what_else_may_be_there();
    return scratch_end(done());
}
