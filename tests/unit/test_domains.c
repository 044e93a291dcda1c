/* SPDX-License-Identifier: ISC */
/* domains: the lists in control/; limits: the file of qmailadmin. */
#include "auth/domains.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/limits.h"
#include "auth/textfile.h"
#include "auth/userdb.h"
#include "lib/cdbmap.h"
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

static bool is_in_more(const char *key)
{
    struct cdbmap map;
    const char *value;
    size_t n;
    bool is_found = cdbmap_open(&map, AT_FDCWD, "control/morercpthosts.cdb") == 0;
    if (is_found) {
        is_found = cdbmap_find(&map, key, strlen(key), &value, &n) == 1;
        cdbmap_close(&map);
    }
    return is_found;
}

static void adds_and_removes(void)
{
    const char *file = NULL;
    struct stat st;
    ok(domains_add(AT_FDCWD, "a.test", &file) < 0 && errno == ENOENT, "without_control_nothing_is_added");
    mkdir("control", 0755);
    write_text("control/me", "mx.test\n");
    ok(domains_add(AT_FDCWD, "a.test", &file) == 0, "a_domain_is_added");
    is(text_of("control/rcpthosts"), "a.test\n", "to_rcpthosts");
    is(text_of("control/virtualdomains"), "a.test:a.test\n", "to_virtualdomains");
    ok(access("control/locals", F_OK) < 0, "locals_is_not_made");
    write_text("control/locals", "mx.test\nB.test\n");
    write_text("control/rcpthosts", "# ours\nA.test\n.wild.test\nmx.test");
    write_text("control/virtualdomains", "b.test:old\njoe@b.test:keep\na.test:a.test\n:rest\n");
    chmod("control/rcpthosts", 0640);
    ok(domains_add(AT_FDCWD, "b.test", &file) == 0, "another_is_added");
    is(text_of("control/rcpthosts"), "# ours\nA.test\n.wild.test\nmx.test\nb.test\n",
       "comments_and_order_stay_and_a_last_line_gets_its_end");
    is(text_of("control/virtualdomains"), "joe@b.test:keep\na.test:a.test\n:rest\nb.test:b.test\n",
       "an_old_line_of_the_domain_is_replaced");
    is(text_of("control/locals"), "mx.test\n", "it_is_no_system_domain_any_more");
    ok(stat("control/rcpthosts", &st) == 0 && (st.st_mode & 0777) == 0640, "the_mode_stays");
    ok(domains_stop_mail(AT_FDCWD, "a.test", &file) == 0 && domains_remove(AT_FDCWD, "a.test", &file) == 0,
       "a_domain_is_removed");
    is(text_of("control/rcpthosts"), "# ours\n.wild.test\nmx.test\nb.test\n", "from_rcpthosts_whatever_its_case");
    is(text_of("control/virtualdomains"), "joe@b.test:keep\n:rest\nb.test:b.test\n", "from_virtualdomains");
    ok(domains_stop_mail(AT_FDCWD, "a.test", &file) == 0, "removing_it_again_is_no_error");
}

static void knows_morercpthosts(void)
{
    const char *file = NULL;
    write_text("control/morercpthosts", "C.test\nd.test \n# x\n");
    ok(domains_stop_mail(AT_FDCWD, "c.test", &file) == 0, "a_domain_of_morercpthosts_is_removed");
    is(text_of("control/morercpthosts"), "d.test \n# x\n", "from_the_text");
    ok(is_in_more("d.test") && !is_in_more("c.test") && !is_in_more("# x"), "and_from_the_cdb");
}

/* Where locals is missing, the host's own name is local: a virtual domain of that name would never be reached. */
static void makes_locals_for_me(void)
{
    const char *file = NULL;
    unlink("control/locals");
    write_text("control/me", "mx.test \n");
    ok(domains_add(AT_FDCWD, "mx.test", &file) == 0, "the_hosts_own_name_becomes_a_domain");
    is(text_of("control/locals"), "", "and_is_no_longer_local_by_default");
}

static void locks(void)
{
    int lock = domains_lock(AT_FDCWD);
    ok(lock >= 0 && access("users/assign.lock", F_OK) == 0, "the_lock_is_taken");
    close(lock);
    unlink("users/assign.lock");
    ok(symlink("../victim", "users/assign.lock") == 0 && domains_lock(AT_FDCWD) < 0, "a_link_is_no_lock");
    unlink("users/assign.lock");
    rmdir("users");
}

static void reads_limits(void)
{
    struct limits l;
    const char *text = "maxpopaccounts: 10\ndefault_quota\t1048576\ndefault_maxmsgcount: 500\ndisable_pop\nDisable_IMAP: "
                       "0\n#disable_smtp\nquota 5";
    limits_parse(text, strlen(text), &l);
    ok(l.default_quota == 1048576 && l.default_count == 500, "defaults_of_new_mailboxes");
    ok(l.flags == (USERDB_NO_POP | USERDB_NO_IMAP), "switches_count_by_being_there");
    ok(limits_flags(&l, USERDB_QA_ADMIN) == (USERDB_QA_ADMIN | USERDB_NO_POP | USERDB_NO_IMAP),
       "limits_are_added_to_a_mailboxs_flags");
    ok(limits_flags(&l, USERDB_OVERRIDE) == USERDB_OVERRIDE, "but_not_over_its_override");
    limits_parse("default_quota 99999999999999999999\n\n:\n  \ndefault_quota\n", 55, &l);
    ok(l.default_quota == 0, "a_number_that_is_none_is_no_limit");
    mkdir("d", 0700);
    ok(limits_load(AT_FDCWD, "d", &l) == 0 && l.flags == 0, "no_file_is_no_limit");
    mkdir("etc", 0700);
    write_text("etc/vlimits.default", "disable_smtp\n");
    ok(limits_load(AT_FDCWD, "d", &l) == 0 && l.flags == USERDB_NO_SMTP, "the_sites_file_counts");
    write_text("d/.qmailadmin-limits", "");
    ok(limits_load(AT_FDCWD, "d", &l) == 0 && l.flags == 0, "unless_the_domain_has_its_own");
    unlink("d/.qmailadmin-limits");
    ok(mkdir("d/.qmailadmin-limits", 0700) == 0 && limits_load(AT_FDCWD, "d", &l) < 0, "a_folder_in_its_place_is_an_error");
    rmdir("d/.qmailadmin-limits");
    unlink("etc/vlimits.default");
    rmdir("etc");
    rmdir("d");
}

int main(void)
{
    static const char *const names[] = {"me", "rcpthosts", "virtualdomains", "locals", "morercpthosts", "morercpthosts.cdb"};
    char folder[] = "/tmp/test_domains.XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
        return 1;
    }
    adds_and_removes();
    knows_morercpthosts();
    makes_locals_for_me();
    locks();
    reads_limits();
    for (size_t i = 0; i < sizeof names / sizeof names[0] && chdir("control") == 0; i++) {
        unlink(names[i]);
        if (chdir("..") < 0) {
            return 1;
        }
    }
    rmdir("control");
    rmdir(folder);
    return done();
}
