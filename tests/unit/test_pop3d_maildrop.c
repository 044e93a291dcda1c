/* SPDX-License-Identifier: ISC */
/* pop3d/maildrop: what a session holds in memory, sizes of files whose names tell none, and two sessions on one Maildir. */
#include "pop3d/maildrop.h"
#include "lib/maildir.h"
#include "lib/md.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 20000 };

static void put(const char *folder, const char *name, const char *bytes, size_t n)
{
    char path[400];
    snprintf(path, sizeof path, "box/%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || close(fd) < 0) {
        exit(1);
    }
}

static void open_box(struct maildrop *drop)
{
    if (maildrop_open(drop, "box") < 0 || maildrop_read(drop) < 0) {
        exit(1);
    }
}

static bool is_there(const char *path)
{
    struct stat stat;
    return lstat(path, &stat) == 0;
}

static void test_sizes(void)
{
    struct maildrop drop;
    put("cur", "1.a:2,", "a\nb\r\nc\rd", 8);   /* 3 + 3 + 3 + 3 */
    put("cur", "2.b,S=8,W=12:2,", "short", 5); /* the name is believed */
    put("cur", "3.c,S=8,W=99:2,", "short", 5); /* unless it cannot be true */
    put("new", "4.d", "", 0);
    open_box(&drop);
    is_number((long long)maildrop_size(&drop, 0), 12, "each_line_end_counts_two");
    is_number((long long)maildrop_size(&drop, 1), 12, "a_size_in_the_name_is_believed");
    is_number((long long)maildrop_size(&drop, 2), 7, "an_impossible_one_is_measured");
    is_number((long long)maildrop_size(&drop, 3), 0, "an_empty_file_has_none");
    is_number((long long)maildrop_octets(&drop), 31, "their_sum");
    maildrop_delete(&drop, 0);
    is_number((long long)maildrop_octets(&drop), 19, "without_those_marked_deleted");
    maildrop_reset(&drop);
    is_number(maildrop_count(&drop), 4, "reset_takes_the_marks_off");
    is_number((long long)maildrop_octets(&drop), 31, "and_the_sum_is_whole");
    mailbox_close(&drop.box);
}

static void test_uidl(void)
{
    struct maildrop drop;
    char uidl[MAILDROP_UIDL_MAX + 1];
    char hash[MD_HEX32 + 1];
    put("cur", "5.with blank,S=1:2,S", "x", 1);
    open_box(&drop);
    is_number((long long)maildrop_uidl(&drop, 0, uidl), 3, "its_length");
    is(uidl, "1.a", "the_name_up_to_the_colon");
    md_hex32("5.with blank,S=1", 16, hash);
    is_number((long long)maildrop_uidl(&drop, drop.box.n - 1, uidl), MD_HEX32, "a_hash_where_it_must_be");
    is(uidl, hash, "of_the_base_name");
    mailbox_close(&drop.box);
}

/* Both mark, one renames, both quit. */
static void test_two_sessions(void)
{
    struct maildrop one;
    struct maildrop two;
    open_box(&one);
    open_box(&two);
    maildrop_delete(&one, 0);
    maildrop_delete(&one, 1);
    maildrop_delete(&two, 1);
    maildrop_delete(&two, 2);
    struct maildrop_update first = maildrop_update(&one, 0);
    struct maildrop_update second = maildrop_update(&two, 0);
    ok(first.removed == 2 && first.failed == 0, "the_first_removes_its_two");
    ok(second.removed == 2 && second.failed == 0, "the_second_finds_one_gone_and_that_is_fine");
    ok(!is_there("box/new/4.d") && is_there("box/cur/4.d:2,"), "what_was_new_is_in_cur");
    mailbox_close(&one.box);
    mailbox_close(&two.box);
    open_box(&one);
    is_number(one.box.n, 2, "two_are_left");
    mailbox_close(&one.box);
}

static void test_memory(void)
{
    struct maildrop drop;
    size_t names = 0;
    for (unsigned i = 0; i < MANY; i++) {
        char name[100];
        int n = snprintf(name, sizeof name, "17%08u.M%06uQabcdefghijkR1.mail,S=2000,W=2040:2,S", i, i % 1000000);
        names += (size_t)n + 1;
        put("cur", name, "", 0);
    }
    struct mallinfo2 before = mallinfo2();
    open_box(&drop);
    (void)maildrop_octets(&drop);
    struct mallinfo2 after = mallinfo2();
    size_t used = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    is_number(sizeof(struct mailbox_message), 32, "a_message_is_32_bytes");
    size_t allowed = names + names / 8 + 32 * (size_t)drop.box.n + 16384;
    if (!ok(drop.box.n >= MANY && used <= allowed, "memory_is_the_names_and_32_bytes_a_message")) {
        printf("# %zu bytes for %u messages with %zu bytes of names\n", used, drop.box.n, names);
    }
    mailbox_close(&drop.box);
}

int main(void)
{
    char folder[] = "/tmp/maildrop.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) < 0 || maildir_create(AT_FDCWD, "box") < 0) {
        return 1;
    }
    test_sizes();
    test_uidl();
    test_two_sessions();
    test_memory();
    ok(system("rm -rf box") == 0 && chdir("/") == 0 && rmdir(folder) == 0, "nothing_is_left");
    return done();
}
