/* SPDX-License-Identifier: ISC */
/* userdb: every form of a vpasswd line, and the rules for opening. */
#include "auth/userdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/userdb_write.h"
#include "lib/str.h"
#include "tests/tap.h"

static bool parses(const char *line, struct userdb_record *out)
{
    return userdb_parse_line(line, strlen(line), out);
}

static void reads_whole_lines(void)
{
    struct userdb_record r;
    ok(parses("joe:$6$s$h:1:4096:Joe B:/home/vpopmail/domains/d.test/joe:10485760S,1000C", &r), "a_line_of_seven_fields_is_read");
    is(r.name, "joe", "name");
    is(r.password, "$6$s$h", "password");
    is_number(r.uid, 1, "uid");
    is_number(r.flags, USERDB_QA_ADMIN, "flags");
    is(r.gecos, "Joe B", "gecos");
    is(r.dir, "/home/vpopmail/domains/d.test/joe", "dir");
    is(r.quota, "10485760S,1000C", "quota");
    ok(!r.has_clear, "it_has_no_clear_password");
    ok(parses("joe:x:1:0:::NOQUOTA:pa:ss:word", &r) && r.has_clear && strcmp(r.clear, "pa:ss:word") == 0,
       "a_clear_password_is_the_rest_of_the_line");
    ok(parses("joe:x:1:0:::NOQUOTA:", &r) && r.has_clear && r.clear[0] == '\0', "an_empty_clear_password_is_there");
    ok(parses("joe::1:0:::", &r) && r.password[0] == '\0' && r.quota[0] == '\0', "fields_may_be_empty");
    ok(parses("joe:x:1:4294967295:g:d:q", &r) && r.flags == UINT32_MAX, "all_flag_bits_are_kept");
    ok(parses("joe:x:-1:-2147483648:g:d:q", &r) && r.flags == 0x80000000U && r.uid == -1, "numbers_below_zero_are_kept_as_bits");
}

static const struct {
    const char *line, *name;
} bad_lines[] = {
    {"", "an_empty_line_is_none"},
    {"joe", "a_line_without_colon_is_none"},
    {":x:1:0:g:d:q", "a_line_without_name_is_none"},
    {"joe:x:1:0:g:d", "six_fields_are_too_few"},
    {"joe:x:1:0:g", "five_fields_are_too_few"},
    {"joe:x:one:0:g:d:q", "a_uid_is_a_number"},
    {"joe:x:1:0x10:g:d:q", "flags_are_decimal"},
    {"joe:x:1::g:d:q", "flags_are_there"},
    {"joe:x:1:4294967296:g:d:q", "flags_have_32_bits"},
    {"joe:x:1: 0:g:d:q", "a_blank_is_no_digit"},
    {"joe:x\ny:1:0:g:d:q", "a_line_end_inside_is_none"},
};

static void refuses_broken_lines(void)
{
    struct userdb_record r;
    for (size_t i = 0; i < sizeof bad_lines / sizeof bad_lines[0]; i++) {
        memset(&r, 'x', sizeof r);
        ok(!parses(bad_lines[i].line, &r) && r.name[0] == 'x', bad_lines[i].name);
    }
    ok(!userdb_parse_line("joe:x\0:1:0:g:d:q", 16, &r), "a_nul_inside_is_none");
    char longer[2000];
    memset(longer, 'a', sizeof longer);
    memcpy(longer + 200, ":x:1:0:g:d:q", 12);
    ok(!userdb_parse_line(longer, 212, &r), "a_name_that_does_not_fit_is_refused_not_cut");
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "joe:x:1:0:g:", 12);
    memcpy(longer + 1200, ":q", 2);
    ok(!userdb_parse_line(longer, 1202, &r), "a_dir_that_does_not_fit_is_refused_not_cut");
}

static void writes_what_it_read(void)
{
    static const char *const lines[] = {"joe:$6$s$h:1:4096:Joe B:/d/joe:10S\n", "joe:x:2:4294967295:g:d:NOQUOTA:c:d\n",
                                        "joe:x:1:0:g:d:q:\n"};
    stralloc out = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct userdb_record r;
        out.len = 0;
        if (userdb_parse_line(lines[i], strlen(lines[i]) - 1, &r)) {
            userdb_append_line(&out, &r);
        }
        is(str_text(&out), lines[i], "a_line_comes_out_as_it_went_in");
    }
    stralloc_free(&out);
}

static void knows_names(void)
{
    ok(userdb_name_is_good("joe.b-x_y+1", 11), "letters_digits_and_signs_make_a_name");
    ok(!userdb_name_is_good("a/b", 3), "a_slash_does_not");
    ok(!userdb_name_is_good("..", 2), "dots_do_not");
    ok(!userdb_name_is_good("a:b", 3), "a_colon_does_not");
    ok(!userdb_name_is_good("Joe", 3), "upper_case_does_not");
    ok(!userdb_name_is_good("a b", 3), "a_blank_does_not");
    ok(!userdb_name_is_good("a\0b", 3), "nul_does_not");
    ok(!userdb_name_is_good("j\xc3\xb6", 3), "8_bit_does_not");
    ok(!userdb_name_is_good("vpasswd", 7), "vpasswd_does_not");
    ok(!userdb_name_is_good("", 0), "nothing_does_not");
    char longer[65];
    memset(longer, 'a', sizeof longer);
    ok(userdb_name_is_good(longer, 64) && !userdb_name_is_good(longer, 65), "64_bytes_are_the_most");
}

static void strips_home(void)
{
    is(userdb_relative_dir("/h/domains/d/joe", "/h"), "domains/d/joe", "the_home_folders_name_is_taken_off");
    is(userdb_relative_dir("/h/domains/d/joe", "/h/"), "domains/d/joe", "with_a_slash_too");
    is(userdb_relative_dir("/home2/joe", "/home"), "/home2/joe", "only_whole_steps");
    is(userdb_relative_dir("/x/joe", ""), "/x/joe", "without_home_it_stays");
    is(userdb_relative_dir("/x/joe", NULL), "/x/joe", "with_no_home_it_stays");
}

static enum userdb_result look_up(const char *name, struct userdb_record *out)
{
    return userdb_lookup(AT_FDCWD, "d", name, strlen(name), out);
}

static void looks_up_safely(void)
{
    struct userdb_record r,
        made = {.name = "postmaster", .password = "x", .uid = 1, .gecos = "P", .dir = "/h/d/postmaster", .quota = "NOQUOTA"};
    ok(look_up("postmaster", &r) == USERDB_NO_CDB, "without_a_cdb_it_says_so");
    ok(userdb_create(AT_FDCWD, "d", &made) == USERDB_WRITE_DONE, "vpasswd_is_made");
    ok(look_up("PostMaster", &r) == USERDB_FOUND && strcmp(r.name, "postmaster") == 0, "found_without_regard_to_case");
    ok(look_up("nobody", &r) == USERDB_NONE, "who_is_not_there_is_not_found");
    ok(look_up("", &r) == USERDB_NONE, "nor_is_the_empty_name");
    ok(chmod("d/vpasswd.cdb", 0620) == 0 && look_up("postmaster", &r) == USERDB_UNSAFE,
       "a_cdb_that_the_group_may_write_is_refused");
    ok(chmod("d/vpasswd.cdb", 0600) == 0 && link("d/vpasswd.cdb", "second") == 0 && look_up("postmaster", &r) == USERDB_UNSAFE,
       "a_cdb_with_a_second_link_is_refused");
    ok(rename("d/vpasswd.cdb", "first") == 0 && symlink("../second", "d/vpasswd.cdb") == 0 &&
           look_up("postmaster", &r) == USERDB_UNSAFE,
       "a_symbolic_link_is_refused");
    unlink("d/vpasswd.cdb");
    unlink("second");
    if (geteuid() == 0) {
        ok(rename("first", "d/vpasswd.cdb") == 0 && chown("d/vpasswd.cdb", 12345, (gid_t)-1) == 0 &&
               look_up("postmaster", &r) == USERDB_UNSAFE,
           "another_owners_cdb_is_refused");
    }
    unlink("d/vpasswd.cdb");
    unlink("first");
    int fd = open("d/vpasswd.cdb", O_WRONLY | O_CREAT | O_EXCL, 0600);
    ok(write(fd, "junk", 4) == 4 && look_up("postmaster", &r) == USERDB_DAMAGED, "junk_is_damage");
    close(fd);
    ok(unlink("d/vpasswd.cdb") == 0 && mkdir("d/vpasswd.cdb", 0700) == 0 && look_up("postmaster", &r) == USERDB_UNSAFE,
       "a_folder_in_its_place_is_refused");
    rmdir("d/vpasswd.cdb");
    unlink("d/vpasswd");
    unlink("d/.vpasswd.lock");
    rmdir("d");
}

int main(void)
{
    char folder[] = "/tmp/test_userdb.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) < 0 || mkdir("d", 0700) < 0) {
        return 1;
    }
    reads_whole_lines();
    refuses_broken_lines();
    writes_what_it_read();
    knows_names();
    strips_home();
    looks_up_safely();
    rmdir(folder);
    return done();
}
