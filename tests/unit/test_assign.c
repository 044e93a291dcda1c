/* SPDX-License-Identifier: ISC */
/* users/assign and users/cdb: qmail-lspawn's look-up order, lines kept as they are, unsafe files refused. */
#include "auth/assign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/assign_write.h"
#include "auth/textfile.h"
#include "lib/str.h"
#include "tests/tap.h"

static char *text_of(const char *name)
{
    static stralloc text;
    bool is_there;
    text.len = 0;
    return textfile_read_name(AT_FDCWD, name, &text, &is_there) < 0 ? NULL : str_text(&text);
}

static void write_text(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        exit(1);
    }
    close(fd);
}

static struct assign_domain domain_of(const char *name, const char *real)
{
    struct assign_domain d = {.entry = {.uid = 89, .gid = 90, .dash = "-"}};
    memcpy(d.name, name, strlen(name) + 1);
    memcpy(d.entry.user, real, strlen(real) + 1);
    snprintf(d.entry.home, sizeof d.entry.home, "/h/domains/%s", real);
    return d;
}

static void parses_lines(void)
{
    struct assign_line l;
    const char *line = "+example.com-:example.com:89:90:/h/domains/example.com:-::";
    stralloc out = STRALLOC_ZERO;
    ok(assign_parse_line(line, strlen(line), &l) && l.is_wildcard && strcmp(l.local, "example.com-") == 0 && l.entry.uid == 89 &&
           l.entry.gid == 90 && strcmp(l.entry.user, "example.com") == 0 && strcmp(l.entry.home, "/h/domains/example.com") == 0 &&
           strcmp(l.entry.dash, "-") == 0 && l.entry.ext[0] == '\0',
       "a_domains_line_is_read");
    assign_append_line(&out, &l);
    is(str_text(&out), "+example.com-:example.com:89:90:/h/domains/example.com:-::\n", "and_comes_out_as_it_went_in");
    stralloc_free(&out);
    line = "=joe:joe:1000:1000:/home/joe:::";
    ok(assign_parse_line(line, strlen(line), &l) && !l.is_wildcard && l.entry.dash[0] == '\0', "a_plain_users_line_is_read");
    static const char *const bad[] = {
        "", ".", "#x", "+a:b:1:2:/h:-:", "+a:b:x:2:/h:-::", "+a:b:1:4294967295:/h:-::", "joe:joe:1:1:/h:::", "=", "+:"};
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        wrong += assign_parse_line(bad[i], strlen(bad[i]), &l);
    }
    is_number((long long)wrong, 0, "what_is_no_line_is_not_read");
    ok(!assign_parse_line("=a:b:1:2:/h\0x:-::", 18, &l), "a_line_with_nul_is_none");
}

static bool finds(struct assign *a, const char *local, const char *user, const char *ext)
{
    struct assign_entry e;
    return assign_find(a, local, strlen(local), &e) == 1 && strcmp(e.user, user) == 0 && strcmp(e.ext, ext) == 0;
}

static void finds_as_lspawn_does(void)
{
    struct assign a;
    struct assign_entry e;
    ok(assign_open(&a, AT_FDCWD) < 0 && errno == ENOENT, "without_a_cdb_there_are_no_assignments");
    mkdir("users", 0755);
    write_text("users/assign", "=joe:joeuser:1:1:/home/joe:::\n+:alias:7:7:/alias:-::\n+jo-:jouser:2:2:/home/jo:-:pre-:\n"
                               "=Big:bigger:3:3:/b:::\n+example.com-:example.com:89:90:/h/domains/example.com:-::\n"
                               "+joe:twice:9:9:/x:-::\n=joe:second:1:1:/no:::\n.\njunk behind the dot\n");
    struct assign_domain d = domain_of("alias.test", "example.com");
    ok(assign_add_domain(AT_FDCWD, &d) == 0 && assign_open(&a, AT_FDCWD) == 0, "an_alias_domain_is_added");
    ok(finds(&a, "joe", "joeuser", ""), "a_plain_line_beats_a_wildcard_and_the_first_of_two_counts");
    ok(finds(&a, "JOE", "joeuser", ""), "case_does_not_count");
    ok(finds(&a, "big", "bigger", ""), "nor_in_the_file");
    ok(finds(&a, "jo-List-x", "jouser", "pre-List-x"), "what_a_wildcard_leaves_goes_behind_its_ext_in_its_own_case");
    ok(finds(&a, "joel", "twice", "l"), "the_longest_wildcard_wins");
    ok(finds(&a, "example.com-ann-b", "example.com", "ann-b"), "a_mailbox_of_a_domain");
    ok(finds(&a, "alias.test-ann", "example.com", "ann"), "a_mailbox_of_an_alias_domain");
    ok(finds(&a, "nobody", "alias", "nobody"), "the_empty_wildcard_takes_the_rest");
    ok(finds(&a, "", "alias", ""), "and_the_empty_name");
    ok(assign_find_domain(&a, "Alias.TEST", 10, &e) == 1 && strcmp(e.user, "example.com") == 0, "a_domain_is_found_by_its_name");
    ok(assign_find_domain(&a, "example.com-x", 13, &e) == 0 && assign_find_domain(&a, "com", 3, &e) == 0, "another_is_not");
    char longer[600];
    memset(longer, 'x', sizeof longer);
    ok(assign_find(&a, longer, sizeof longer, &e) == 0, "a_name_that_no_line_can_have_is_not_found");
    assign_close(&a);
}

static void keeps_other_lines(void)
{
    ok(strncmp(text_of("users/assign"), "=joe:joeuser:1:1:/home/joe:::\n+:alias:7:7:/alias:-::\n", 53) == 0,
       "lines_of_others_stay");
    ok(strstr(text_of("users/assign"), "+alias.test-:example.com:89:90:/h/domains/example.com:-::\n.\n") != NULL,
       "ours_stands_before_the_dot");
    struct assign_domain d = domain_of("alias.test", "other.test");
    ok(assign_add_domain(AT_FDCWD, &d) == 0 &&
           strstr(text_of("users/assign"), "example.com:89:90:/h/domains/example.com:-::\n+joe") != NULL &&
           strstr(text_of("users/assign"), "+alias.test-:other.test:89:90:/h/domains/other.test:-::\n.\n") != NULL,
       "a_second_line_of_a_domain_replaces_the_first");
    ok(assign_remove_domain(AT_FDCWD, "alias.test") == 0 && strstr(text_of("users/assign"), "alias.test") == NULL,
       "a_domain_is_removed");
    ok(assign_remove_domain(AT_FDCWD, "alias.test") == 0, "removing_it_again_is_no_error");
    write_text("users/assign", "=joe:joe\n.\n");
    ok(assign_add_domain(AT_FDCWD, &d) < 0 && errno == EBADMSG, "a_line_that_is_none_stops_every_change");
    is(text_of("users/assign"), "=joe:joe\n.\n", "and_the_text_stays_as_it_was");
    ok(access("users/.cdb.new", F_OK) < 0 && access("users/.assign.new", F_OK) < 0, "nothing_is_left_over");
}

static void refuses_unsafe_files(void)
{
    struct assign a;
    ok(chmod("users/cdb", 0664) == 0 && assign_open(&a, AT_FDCWD) < 0 && errno == EPERM,
       "a_cdb_that_the_group_may_write_is_refused");
    ok(chmod("users/cdb", 0644) == 0 && link("users/cdb", "second") == 0 && assign_open(&a, AT_FDCWD) < 0 && errno == EPERM,
       "so_is_one_with_a_second_link");
    unlink("second");
    if (geteuid() == 0) {
        ok(chown("users/cdb", 12345, (gid_t)-1) == 0 && assign_open(&a, AT_FDCWD) < 0 && errno == EPERM, "so_is_another_owners");
    }
    unlink("users/cdb");
    ok(symlink("assign", "users/cdb") == 0 && assign_open(&a, AT_FDCWD) < 0 && errno == ELOOP, "so_is_a_symbolic_link");
    unlink("users/cdb");
}

static void count_domain(const struct assign_domain *domain, void *ctx)
{
    int *n = ctx;
    n[0]++;
    n[1] += assign_domain_is_alias(domain);
}

static void lists_domains(void)
{
    int n[2] = {0, 0};
    write_text("users/assign",
               "=a.b-:x:1:1:/h:-::\n+a.b-:a.b:1:1:/h:-::\n+c.d-:a.b:1:1:/h:-::\n+user-:u:1:1:/h:-::\n+e.f:e:1:1:/h:-::\n.\n");
    ok(assign_each_domain(AT_FDCWD, count_domain, n) == 0 && n[0] == 2 && n[1] == 1,
       "domains_and_aliases_are_told_from_other_lines");
    unlink("users/assign");
    ok(assign_each_domain(AT_FDCWD, count_domain, n) == 0 && n[0] == 2, "no_file_is_no_domain");
    rmdir("users");
}

int main(void)
{
    char folder[] = "/tmp/test_assign.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
        return 1;
    }
    umask(022);
    parses_lines();
    finds_as_lspawn_does();
    keeps_other_lines();
    refuses_unsafe_files();
    lists_domains();
    rmdir(folder);
    return done();
}
