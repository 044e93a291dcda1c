/* SPDX-License-Identifier: ISC */
/* userdb_write: vpasswd and its cdb after each change; postmaster's safety; the lock; what lies in the way. */
#include "auth/userdb_write.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/textfile.h"
#include "lib/str.h"
#include "tests/tap.h"

static struct userdb_record record_of(const char *name)
{
    struct userdb_record r = {.password = "$6$s$h", .uid = 1, .gecos = "g", .dir = "/h/d/x", .quota = "NOQUOTA"};
    memcpy(r.name, name, strlen(name) + 1);
    return r;
}

static char *text_of_vpasswd(void)
{
    static stralloc text;
    bool is_there;
    text.len = 0;
    return textfile_read_name(AT_FDCWD, "d/vpasswd", &text, &is_there) < 0 ? NULL : str_text(&text);
}

static void write_vpasswd(const char *text)
{
    int fd = open("d/vpasswd", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        exit(1);
    }
    close(fd);
}

static bool is_in_cdb(const char *name)
{
    struct userdb_record r;
    return userdb_lookup(AT_FDCWD, "d", name, strlen(name), &r) == USERDB_FOUND;
}

static enum userdb_write add(const char *name)
{
    struct userdb_record r = record_of(name);
    return userdb_add(AT_FDCWD, "d", &r);
}

static void makes_and_adds(void)
{
    struct userdb_record r = record_of("joe");
    struct stat st;
    ok(userdb_add(AT_FDCWD, "d", &r) == USERDB_WRITE_ERROR && errno == ENOENT, "without_vpasswd_nothing_is_added");
    ok(userdb_create(AT_FDCWD, "d", &r) == USERDB_WRITE_POSTMASTER, "the_first_mailbox_is_postmasters");
    r = record_of("postmaster");
    r.flags = USERDB_BOUNCE_MAIL | 0x40000000;
    ok(userdb_create(AT_FDCWD, "d", &r) == USERDB_WRITE_DONE, "a_domain_begins_with_postmaster");
    is(text_of_vpasswd(), "postmaster:$6$s$h:1:1073745920:g:/h/d/x:NOQUOTA\n", "who_is_administrator_and_not_locked");
    ok(userdb_create(AT_FDCWD, "d", &r) == USERDB_WRITE_EXISTS, "not_twice");
    ok(stat("d/vpasswd", &st) == 0 && (st.st_mode & 07777) == 0600 && stat("d/vpasswd.cdb", &st) == 0 &&
           (st.st_mode & 07777) == 0600,
       "both_files_are_0600");
    ok(add("zoe") == USERDB_WRITE_DONE && add("ann") == USERDB_WRITE_DONE && add("ann-x") == USERDB_WRITE_DONE &&
           add("postmasters") == USERDB_WRITE_DONE,
       "others_are_added");
    is(text_of_vpasswd(),
       "ann:$6$s$h:1:0:g:/h/d/x:NOQUOTA\nann-x:$6$s$h:1:0:g:/h/d/x:NOQUOTA\npostmaster:$6$s$h:1:1073745920:g:/h/d/x:NOQUOTA\n"
       "postmasters:$6$s$h:1:0:g:/h/d/x:NOQUOTA\nzoe:$6$s$h:1:0:g:/h/d/x:NOQUOTA\n",
       "sorted_by_name");
    ok(is_in_cdb("ann") && is_in_cdb("ann-x") && is_in_cdb("postmaster") && is_in_cdb("zoe"), "all_are_in_the_cdb");
    ok(add("ann") == USERDB_WRITE_EXISTS, "a_name_is_there_once");
    ok(access("d/.vpasswd.new", F_OK) < 0 && access("d/.vpasswd.cdb.new", F_OK) < 0, "nothing_is_left_over");
}

static void refuses_bad_records(void)
{
    struct userdb_record r = record_of("bad");
    memcpy(r.gecos, "a\nroot::0", 10);
    ok(userdb_add(AT_FDCWD, "d", &r) == USERDB_WRITE_BAD, "a_line_end_in_the_comment_makes_no_second_line");
    r = record_of("bad");
    memcpy(r.gecos, "a:b", 4);
    ok(userdb_add(AT_FDCWD, "d", &r) == USERDB_WRITE_BAD, "nor_does_a_colon_make_a_field");
    r = record_of("bad");
    memcpy(r.password, "a:b", 4);
    ok(userdb_add(AT_FDCWD, "d", &r) == USERDB_WRITE_BAD, "nor_in_the_hash");
    r = record_of("bad");
    memcpy(r.clear, "a\nb", 4);
    ok(userdb_add(AT_FDCWD, "d", &r) == USERDB_WRITE_BAD, "nor_in_the_clear_password");
    r = record_of("a/b");
    ok(userdb_add(AT_FDCWD, "d", &r) == USERDB_WRITE_BAD, "a_name_with_a_slash_is_none");
    r = record_of("bad");
    memset(r.dir, 'x', sizeof r.dir - 1);
    ok(userdb_add(AT_FDCWD, "d", &r) == USERDB_WRITE_TOO_LONG, "over_511_bytes_is_too_long");
    size_t rest = strlen("bad:$6$s$h:1:0:g::NOQUOTA");
    r.dir[511 - rest] = '\0';
    ok(userdb_add(AT_FDCWD, "d", &r) == USERDB_WRITE_DONE, "511_bytes_are_not");
    ok(userdb_delete(AT_FDCWD, "d", "bad") == USERDB_WRITE_DONE, "and_can_be_deleted");
}

static void change_flags(struct userdb_record *record, const void *ctx)
{
    record->flags = *(const uint32_t *)ctx;
    memcpy(record->name, "renamed", 8);
}

static enum userdb_write set_flags(const char *name, uint32_t flags)
{
    return userdb_change(AT_FDCWD, "d", name, change_flags, &flags);
}

static void protects_postmaster(void)
{
    ok(userdb_delete(AT_FDCWD, "d", "postmaster") == USERDB_WRITE_POSTMASTER, "postmaster_is_not_deleted");
    ok(set_flags("postmaster", USERDB_QA_ADMIN | USERDB_BOUNCE_MAIL) == USERDB_WRITE_POSTMASTER, "postmaster_is_not_locked");
    ok(set_flags("postmaster", 0) == USERDB_WRITE_POSTMASTER, "postmaster_stays_administrator");
    ok(set_flags("postmaster", USERDB_QA_ADMIN | USERDB_NO_POP) == USERDB_WRITE_DONE, "other_flags_may_change");
    ok(is_in_cdb("postmaster") && !is_in_cdb("renamed"), "a_change_renames_nobody");
    ok(set_flags("zoe", USERDB_BOUNCE_MAIL) == USERDB_WRITE_DONE, "others_can_be_locked");
    ok(set_flags("nobody", 0) == USERDB_WRITE_NONE, "who_is_not_there_is_not_changed");
    ok(userdb_delete(AT_FDCWD, "d", "nobody") == USERDB_WRITE_NONE, "nor_deleted");
    ok(userdb_delete(AT_FDCWD, "d", "zoe") == USERDB_WRITE_DONE && !is_in_cdb("zoe"), "others_can_be_deleted");
}

/* A site that moves here: an unsorted file, a line by hand that is none, postmaster without the bit, flags we do not know. */
static void adopts_old_files(void)
{
    write_vpasswd(
        "zed:x:1:67108865:Z:/h/z:NOQUOTA:clear:pw\n# a remark\npostmaster:x:1:0:P:/h/p:NOQUOTA\n\nann:x:1:0:A:/h/a:NOQUOTA");
    ok(set_flags("ann", 0) == USERDB_WRITE_DONE, "a_hand_made_file_is_taken_at_the_next_change");
    is(text_of_vpasswd(),
       "# a remark\nann:x:1:0:A:/h/a:NOQUOTA\npostmaster:x:1:0:P:/h/p:NOQUOTA\nzed:x:1:67108865:Z:/h/z:NOQUOTA:clear:pw\n",
       "every_line_is_kept_as_it_is");
    ok(is_in_cdb("ann") && is_in_cdb("zed") && is_in_cdb("postmaster"), "the_cdb_has_what_is_a_record");
    ok(set_flags("zed", 67108864 | USERDB_NO_IMAP) == USERDB_WRITE_DONE &&
           strstr(text_of_vpasswd(), "zed:x:1:67108872:Z:/h/z:NOQUOTA:clear:pw\n"),
       "unknown_bits_and_clear_passwords_survive_a_change");
    ok(set_flags("postmaster", USERDB_NO_POP) == USERDB_WRITE_DONE, "a_postmaster_without_the_bit_may_stay_so");
}

static void refuses_unsafe_files(void)
{
    ok(chmod("d/vpasswd", 0660) == 0 && add("new") == USERDB_WRITE_UNSAFE, "a_vpasswd_that_others_may_write_is_refused");
    ok(chmod("d/vpasswd", 0600) == 0 && link("d/vpasswd", "d/second") == 0 && add("new") == USERDB_WRITE_UNSAFE,
       "so_is_one_with_a_second_link");
    unlink("d/second");
    ok(rename("d/.vpasswd.lock", "d/lock") == 0 && symlink("lock", "d/.vpasswd.lock") == 0 && add("new") == USERDB_WRITE_UNSAFE,
       "so_is_a_lock_that_is_a_link");
    ok(unlink("d/.vpasswd.lock") == 0 && rename("d/lock", "d/.vpasswd.lock") == 0 && add("new") == USERDB_WRITE_DONE,
       "all_well_again");
    ok(symlink("../victim", "d/.vpasswd.new") == 0 && add("newer") == USERDB_WRITE_DONE && access("victim", F_OK) < 0,
       "a_planted_link_is_not_written_through");
}

/* Eight processes add 25 mailboxes each: not one gets lost. */
static void loses_nothing_at_once(void)
{
    int failed = 0, n = 0;
    for (int child = 0; child < 8; child++) {
        if (fork() == 0) {
            int bad = 0;
            for (int i = 0; i < 25; i++) {
                char name[32];
                snprintf(name, sizeof name, "u%d-%d", child, i);
                bad += add(name) != USERDB_WRITE_DONE;
            }
            _exit(bad);
        }
    }
    for (int child = 0; child < 8; child++) {
        int status = 0;
        wait(&status);
        failed += status != 0;
    }
    for (int i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof name, "u%d-%d", i / 25, i % 25);
        n += is_in_cdb(name);
    }
    ok(failed == 0 && n == 200, "writers_at_once_lose_nothing");
}

static void count_record(const struct userdb_record *record, void *ctx)
{
    *(int *)ctx += record->name[0] == 'u';
}

int main(void)
{
    char folder[] = "/tmp/test_userdb_write.XXXXXX";
    int n = 0;
    if (mkdtemp(folder) == NULL || chdir(folder) < 0 || mkdir("d", 0700) < 0) {
        return 1;
    }
    makes_and_adds();
    refuses_bad_records();
    protects_postmaster();
    adopts_old_files();
    refuses_unsafe_files();
    loses_nothing_at_once();
    ok(userdb_each(AT_FDCWD, "d", count_record, &n) == 0 && n == 200, "each_record_is_shown_once");
    ok(userdb_each(AT_FDCWD, "nowhere", count_record, &n) < 0, "no_folder_is_an_error");
    unlink("d/vpasswd");
    unlink("d/vpasswd.cdb");
    unlink("d/.vpasswd.lock");
    rmdir("d");
    rmdir(folder);
    return done();
}
