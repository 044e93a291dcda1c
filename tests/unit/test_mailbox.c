/* SPDX-License-Identifier: ISC */
/* A Maildir in a scratch folder, with the other programs of its owner played by hand: rename, remove, copy. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mailbox.h"
#include "lib/str.h"
#include "tests/tap.h"

static void put(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        perror(name);
        exit(111);
    }
    close(fd);
}

static void fresh_maildir(void)
{
    if (system("rm -rf Maildir") != 0 || mkdir("Maildir", 0700) < 0 || mkdir("Maildir/new", 0700) < 0 ||
        mkdir("Maildir/cur", 0700) < 0) {
        perror("Maildir");
        exit(111);
    }
}

static struct mailbox scan(void)
{
    struct mailbox box;
    if (mailbox_open(&box, AT_FDCWD, "Maildir") < 0 || mailbox_scan(&box) < 0) {
        perror("scan");
        exit(111);
    }
    return box;
}

static bool has_names(const struct mailbox *box, const char *wanted)
{
    stralloc all = STRALLOC_ZERO;
    for (uint32_t i = 0; i < box->n; i++) {
        str_catf(&all, "%s%s%s", i > 0 ? " " : "", box->message[i].state & MAILBOX_IS_NEW ? "new/" : "cur/",
                 mailbox_name(box, i));
    }
    bool is_equal = strcmp(str_text(&all), wanted) == 0;
    if (!is_equal) {
        printf("# got: %s\n", all.s);
    }
    stralloc_free(&all);
    return is_equal;
}

static void orders_by_arrival_and_drops_what_is_no_message(void)
{
    fresh_maildir();
    put("Maildir/cur/200.b.h:2,S", "x");
    put("Maildir/cur/200.a.h:2,", "x");
    put("Maildir/new/100.M5Q.h", "x");
    put("Maildir/new/100.M40Q.h", "x");
    put("Maildir/new/.dot", "x");
    put("Maildir/cur/odd", "x");
    struct timespec times[2] = {{.tv_sec = 150}, {.tv_sec = 150}};
    ok(utimensat(AT_FDCWD, "Maildir/cur/odd", times, 0) == 0 && mkdir("Maildir/new/300.dir.h", 0700) == 0 &&
           symlink("/etc/passwd", "Maildir/new/300.link.h") == 0 && mkfifo("Maildir/new/300.fifo.h", 0600) == 0,
       "a folder, a link and a pipe stand there too");
    struct mailbox box = scan();
    ok(has_names(&box, "new/100.M5Q.h new/100.M40Q.h cur/odd cur/200.a.h:2, cur/200.b.h:2,S"),
       "regular files alone, by seconds and microseconds, else mtime, then name");
    mailbox_close(&box);
}

static void one_base_name_is_one_message(void)
{
    fresh_maildir();
    put("Maildir/new/100.a.h", "x");
    put("Maildir/cur/100.a.h:2,S", "x");
    put("Maildir/new/100.a.host", "x");
    struct mailbox box = scan();
    ok(has_names(&box, "cur/100.a.h:2,S new/100.a.host"), "a base name in both folders is that of cur/");
    mailbox_close(&box);
}

/* The k-th double, with the scan after it. */
static int part(struct mailbox *box, uint32_t k, bool gives_way)
{
    int result = mailbox_part(box, k, gives_way);
    mailbox_close(box);
    *box = scan();
    return result;
}

static void parts_what_has_one_base_name(void)
{
    fresh_maildir();
    put("Maildir/cur/100.a.h,S=1:2,S", "x");
    put("Maildir/cur/100.a.h,S=1:2,F", "y");
    struct mailbox box = scan();
    ok(box.n == 1 && box.n_hidden == 1, "one of two is hidden");
    bool is_seen = box.message[0].flags == MAILBOX_SEEN;
    ok(part(&box, 0, false) == 1 && box.n == 2 && box.n_hidden == 0, "the hidden one gets a name of its own");
    ok((box.message[0].flags | box.message[1].flags) == (MAILBOX_SEEN | MAILBOX_FLAGGED) && box.message[1].size == 1,
       "with its flags and fields");
    uint32_t stays = memcmp(mailbox_name(&box, 0), "100.a.h", 7) == 0 ? 0 : 1;
    ok((box.message[stays].flags == MAILBOX_SEEN) == is_seen && memcmp(mailbox_name(&box, 1 - stays), "100.D", 5) == 0,
       "and with its time");
    mailbox_close(&box);
    fresh_maildir();
    put("Maildir/cur/100.a.h:2,S", "x");
    put("Maildir/new/100.a.h", "y");
    box = scan();
    ok(part(&box, 0, true) == 1 && box.n == 2, "or the other one does");
    ok(box.message[0].state + box.message[1].state == MAILBOX_IS_NEW, "each in its folder");
    mailbox_close(&box);
    fresh_maildir();
    put("Maildir/cur/100.a.h:2,S", "x");
    ok(link("Maildir/cur/100.a.h:2,S", "Maildir/new/100.a.h") == 0, "two links of one file");
    box = scan();
    ok(part(&box, 0, false) == 0 && box.n_hidden == 1, "that are young: somebody may be about to remove one");
    ok(unlink("Maildir/new/100.a.h") == 0 && part(&box, 0, false) == 0 && box.n == 1, "as is done here");
    mailbox_close(&box);
}

static void follows_renames_of_others(void)
{
    char byte = 0;
    fresh_maildir();
    put("Maildir/new/100.a.h", "a");
    put("Maildir/new/101.b.h", "b");
    put("Maildir/new/102.c.h", "c");
    struct mailbox box = scan();
    rename("Maildir/new/100.a.h", "Maildir/cur/100.a.h:2,RS");
    rename("Maildir/new/101.b.h", "Maildir/cur/101.b.h:2,");
    unlink("Maildir/new/102.c.h");
    int fd = mailbox_open_message(&box, 0);
    ok(fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'a', "a message that moved to cur/ is opened there");
    close(fd);
    is_number(box.message[0].flags, MAILBOX_REPLIED | MAILBOX_SEEN, "its flags are those of now");
    is_number(mailbox_open_message(&box, 2), -1, "a message that was removed is not opened");
    is_number(errno, ENOENT, "with ENOENT");
    ok(box.message[2].state & MAILBOX_IS_GONE, "and marked as gone");
    rename("Maildir/cur/101.b.h:2,", "Maildir/cur/101.b.h:2,F");
    is_number(mailbox_remove(&box, 1), 1, "a message that was renamed again is removed");
    ok(access("Maildir/cur/101.b.h:2,F", F_OK) < 0, "under its new name");
    is_number(mailbox_remove(&box, 2), 0, "removing what is gone says so");
    mailbox_close(&box);
}

static void moves_to_cur_and_never_over_another_file(void)
{
    fresh_maildir();
    put("Maildir/new/100.a.h", "a");
    put("Maildir/new/101.b.h:2,S", "b");
    put("Maildir/new/102.c.h", "c");
    struct mailbox box = scan();
    put("Maildir/cur/102.c.h:2,", "another");
    is_number(mailbox_move_to_cur(&box, 0), 0, "a new message moves");
    is_number(mailbox_move_to_cur(&box, 0), 0, "once only");
    is_number(mailbox_move_to_cur(&box, 1), 0, "one with an info part in new/ moves too");
    is_number(mailbox_move_to_cur(&box, 2), -1, "a taken name is not replaced");
    is_number(errno, EEXIST, "with EEXIST");
    ok(has_names(&box, "cur/100.a.h:2, cur/101.b.h:2,S new/102.c.h"), "the names in memory follow");
    ok(access("Maildir/cur/100.a.h:2,", F_OK) == 0 && access("Maildir/cur/101.b.h:2,S", F_OK) == 0, "and those on disk");
    mailbox_close(&box);
}

static void refuses_what_is_no_file_at_open(void)
{
    fresh_maildir();
    put("Maildir/new/100.a.h", "a");
    struct mailbox box = scan();
    unlink("Maildir/new/100.a.h");
    is_number(mkfifo("Maildir/new/100.a.h", 0600), 0, "the message becomes a pipe");
    is_number(mailbox_open_message(&box, 0), -1, "which is not opened as one");
    is_number(errno, EINVAL, "with EINVAL");
    unlink("Maildir/new/100.a.h");
    is_number(symlink("/etc/passwd", "Maildir/new/100.a.h"), 0, "then a link");
    is_number(mailbox_open_message(&box, 0), -1, "which is not followed");
    mailbox_close(&box);
}

static void reads_a_large_folder_whole(void)
{
    enum { MANY = 3000 };
    char name[200];
    fresh_maildir();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "Maildir/cur/%u.M7Q%0100u.host,S=1,W=2:2,S", 1000 + i, i);
        put(name, "x");
    }
    struct mailbox box = scan();
    unsigned wrong = 0;
    for (uint32_t i = 0; i < box.n; i++) {
        wrong += box.message[i].order_us != (1000 + (uint64_t)i) * 1000000 + 7 || box.message[i].wire_size != 2;
    }
    is_number(box.n, MANY, "all 3000 are there");
    is_number(wrong, 0, "each in its place");
    mailbox_close(&box);
}

static void a_folder_that_is_none_is_an_error(void)
{
    struct mailbox box;
    fresh_maildir();
    is_number(mailbox_open(&box, AT_FDCWD, "Maildir/cur"), -1, "a folder without new/ and cur/ is no Maildir");
    is_number(errno, ENOENT, "with ENOENT");
    is_number(symlink("Maildir", "link"), 0, "a link to one");
    is_number(mailbox_open(&box, AT_FDCWD, "link"), -1, "is not followed");
    unlink("link");
}

int main(void)
{
    char scratch[] = "/tmp/mailbox.XXXXXX";
    if (mkdtemp(scratch) == NULL || chdir(scratch) < 0) {
        perror(scratch);
        return 111;
    }
    orders_by_arrival_and_drops_what_is_no_message();
    one_base_name_is_one_message();
    parts_what_has_one_base_name();
    follows_renames_of_others();
    moves_to_cur_and_never_over_another_file();
    refuses_what_is_no_file_at_open();
    reads_a_large_folder_whole();
    a_folder_that_is_none_is_an_error();
    if (system("rm -rf Maildir") != 0 || chdir("/") < 0 || rmdir(scratch) < 0) {
        perror(scratch);
    }
    return done();
}
