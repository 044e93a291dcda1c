/* SPDX-License-Identifier: ISC */
/* Routing, against a tree made in a temporary folder: what rcptd answers for each address. A row's answer is
 * `K kind file` (deliver: and home user local dash ext), `D why file`, `Z why file`. */
#include "tests/scratch.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/route.h"
#include "lib/str.h"

static struct route_config config;
static struct route route;

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    fputs(text, file);
    fclose(file);
    chmod(name, 0640);
}

static void link_to(const char *target, const char *name)
{
    if (symlink(target, name) < 0) {
        perror(name);
    }
}

/* Lines `key=value`; in users/cdb '|' stands for NUL. */
static void make_cdb(const char *name, const char *const *lines, bool has_nuls)
{
    unlink(name);
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct cdbmap_maker *maker = cdbmap_make_start(fd);
    for (; *lines != NULL; lines++) {
        char line[600];
        snprintf(line, sizeof line, "%s", *lines);
        size_t n = strlen(line);
        for (size_t i = 0; has_nuls && i < n; i++) {
            line[i] = line[i] == '|' ? '\0' : line[i];
        }
        char *equals = memchr(line, '=', n);
        size_t key_len = (size_t)(equals - line);
        if (cdbmap_make_add(maker, line, key_len, equals + 1, n - key_len - 1) < 0) {
            perror("cdb");
        }
    }
    if (cdbmap_make_finish(maker) < 0) {
        perror("cdb");
    }
    close(fd);
}

static void make_assignments(void)
{
    static char lines[16][400];
    static const char *const forms[] = {
        "=-", /* the wildcards' last bytes */
        "!example.test-=example.test|%u|%u|%s/domains/example.test|-||",
        "!other.test-=example.test|%u|%u|%s/domains/example.test|-||", /* an alias domain */
        "!catch.test-=catch.test|%u|%u|%s/domains/catch.test|-||",
        "!gone.test-=gone.test|%u|%u|%s/domains/gone.test|-||",
        "!nocdb.test-=nocdb.test|%u|%u|%s/domains/nocdb.test|-||",
        "!open.test-=open.test|%u|%u|%s/domains/open.test|-||",
        "!plain.test-=plain.test|%u|%u|%s/domains/plain.test|-||",
        "!mixed.test-=mixed.test|%u|%u|%s/domains/mixed.test|-||",
        "!bad.test-=bad.test|%u|%u|%s/domains/bad.test|-||",
        "!root-=root|4242|4242|/root|-||",
        "!webmaster|=webmaster|%u|%u|%s/domains/web|||",
        "!dirless.test-=dirless.test|%u|%u|%s/domains/dirless.test|-||",
    };
    const char *all[20] = {NULL};
    char home[100];
    if (getcwd(home, sizeof home) == NULL) {
        perror("getcwd");
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *at = forms[i];
        if (strstr(at, "%u") != NULL) {
            const char *first = strstr(at, "%u"), *folder = strstr(at, "%s");
            snprintf(lines[i], sizeof lines[i], "%.*s%u|%u|%s%s", (int)(first - at), at, geteuid(), getegid(), home, folder + 2);
            at = lines[i];
        }
        all[i] = at;
    }
    make_cdb("users/cdb", all, true);
}

#define HASH "$6$x$y"
static void make_mailboxes(void)
{
    char joe[300], big[300], off[300], jim[300], dash[300], post[300], gone[300], deep[300];
    char home[100];
    if (getcwd(home, sizeof home) == NULL) {
        perror("getcwd");
    }
#define BOX(out, name, flags, quota)                                                                                             \
    snprintf(out, sizeof out, name "=" HASH ":1:" flags "::%s/domains/example.test/" name ":" quota, home)
    BOX(joe, "joe", "0", "26214400S");
    BOX(big, "big", "0", "1000S");
    BOX(off, "off", "16", "NOQUOTA");
    BOX(jim, "jim", "64", "NOQUOTA");
    BOX(dash, "ann-lee", "0", "NOQUOTA");
    BOX(post, "postmaster", "16", "NOQUOTA");
    BOX(gone, "full", "0", "5M");
    snprintf(deep, sizeof deep, "deep=" HASH ":1:0::%s/domains/example.test/a/b/deep:NOQUOTA", home);
    const char *boxes[] = {joe, big, off, jim, dash, post, gone, deep, "nodir=" HASH ":1:0:::NOQUOTA", "odd=not a record", NULL};
    make_cdb("domains/example.test/vpasswd.cdb", boxes, false);
    const char *few[] = {joe, post, NULL};
    make_cdb("domains/catch.test/vpasswd.cdb", few, false);
    make_cdb("domains/gone.test/vpasswd.cdb", few, false);
    make_cdb("domains/mixed.test/vpasswd.cdb", few, false);
    make_cdb("domains/open.test/vpasswd.cdb", few, false);
    chmod("domains/open.test/vpasswd.cdb", 0666);
    put("domains/example.test/.full/full", "1");
    put("domains/example.test/.full/joe", "0");
    put("domains/bad.test/vpasswd.cdb", "not a cdb");
    chmod("domains/bad.test/vpasswd.cdb", 0600);
}

static void make_tree(void)
{
    static const char *const folders[] = {"control",
                                          "users",
                                          "alias",
                                          "domains",
                                          "domains/example.test",
                                          "domains/example.test/.full",
                                          "domains/catch.test",
                                          "domains/gone.test",
                                          "domains/nocdb.test",
                                          "domains/open.test",
                                          "domains/plain.test",
                                          "domains/mixed.test",
                                          "domains/bad.test",
                                          "domains/web",
                                          "domains/example.test/news",
                                          "domains/plain.test/.qmail-folder"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        mkdir(folders[i], 0750);
    }
#define E "domains/example.test/"
    put(E ".qmail-default", "| /home/vpopmail/bin/vdelivermail '' bounce-no-mailbox\n");
    put(E ".qmail-sales", "&joe@example.test\n");
    put(E ".qmail-jim", "&else@far.test\n");
    put(E ".qmail-john:smith", "&joe@example.test\n");
    put(E ".qmail-news", "|/usr/bin/ezmlm-send '/x/news'\n");
    put(E ".qmail-closed", "+list\n&joe@example.test\n");
    put(E ".qmail-team-default", "&joe@example.test\n");
    put(E ".qmail-gone", "# delete\n");
    put(E ".qmail-empty", "");
    put(E ".qmail-blank", "\n&joe@example.test\n");
    put(E ".qmail-open", "&joe@example.test\n");
    chmod(E ".qmail-open", 0666);
    put(E ".qmail-vd-default", "|vdelivermail '' delete\n");
    put(E "news/editor", "|/usr/bin/ezmlm-send 'x'\n");
    link_to("news/editor", E ".qmail-linked");
    link_to("nowhere", E ".qmail-dangling");
    put("domains/catch.test/.qmail-default", "# all\n| /v/vdelivermail '' /home/vpopmail/domains/catch.test/joe\n");
    put("domains/catch.test/.qmail-delete-default", "|/v/vdelivermail '' delete\n");
    put("domains/catch.test/.qmail-addr-default", "|/v/vdelivermail '' joe@example.test\n");
    put("domains/catch.test/.qmail-prog-default", "|/v/vdelivermail '' '|/bin/prog'\n");
    put("domains/catch.test/.qmail-bad-default", "|/v/vdelivermail delete\n");
    put("domains/nocdb.test/.qmail-default", "|/v/vdelivermail '' bounce-no-mailbox\n");
    put("domains/open.test/.qmail-default", "|/v/vdelivermail '' bounce-no-mailbox\n");
    put("domains/bad.test/.qmail-default", "|/v/vdelivermail '' bounce-no-mailbox\n");
    put("domains/plain.test/.qmail-default", "./Maildir/\n");
    put("domains/plain.test/.qmail-who", "./Maildir/\n");
    put("domains/mixed.test/.qmail-default", "|/usr/bin/spamc\n|/v/vdelivermail '' bounce-no-mailbox\n");
    put("alias/.qmail-root", "&joe@example.test\n");
    put("alias/.qmail-lists-announce", "&joe@example.test\n");
    make_assignments();
    make_mailboxes();
    const char *more[] = {"more.test=", ".suffix.test=", NULL};
    make_cdb("control/morercpthosts.cdb", more, false);
}

static void set_list(struct control_list *list, const char *text)
{
    control_list_parse(text, strlen(text), list);
    list->is_there = true;
}

static void set_controls(void)
{
    set_list(&config.locals, "mx.test\nboth.test\ninner.test\n");
    set_list(
        &config.virtualdomains,
        "example.test:example.test\nother.test:other.test\nshut.test:example.test\ncatch.test:catch.test\ngone.test:gone.test\n"
        "nocdb.test:nocdb.test\nopen.test:open.test\nplain.test:plain.test\nmixed.test:mixed.test\n"
        "bad.test:bad.test\ndirless.test:dirless.test\nboth.test:example.test\n"
        ".wild.test:example.test\nexcept.wild.test:\none@far.test:example.test\none@backup.test:example.test\nsys.test:root\n"
        "lists.test:lists\nBIG.test:example.test\n");
    set_list(&config.rcpthosts,
             "example.test\nbackup.test\n.sub.test\nother.test\ncatch.test\ngone.test\nnocdb.test\nopen.test\n"
             "plain.test\nmixed.test\nbad.test\ndirless.test\nboth.test\nmx.test\n.wild.test\nsys.test\nlists.test\n"
             "big.test\nlate.test\n");
    set_list(&config.percenthack, "gate.test\n");
    config.envnoathost = "mx.test";
}

struct row {
    const char *test, *to, *answer;
};

static const struct row smtp_rows[] = {
    {"mailbox", "joe@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"case_of_address_does_not_matter", "JOE@EXAMPLE.TEST", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"case_of_virtualdomains_does_not_matter", "joe@big.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"quoted_local_part_is_the_same", "\"joe\"@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"quoted_backslash_is_dropped", "\"j\\oe\"@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"unknown_name", "nobody@example.test", "D no-mailbox domains/example.test/.qmail-default:1"},
    {"alias_domain_mailbox", "joe@other.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"alias_domain_unknown", "nobody@other.test", "D no-mailbox domains/example.test/.qmail-default:1"},
    {"alias_domain_alias", "sales@other.test", "K alias domains/example.test/.qmail-sales:1"},
    {"extension_belongs_to_user", "joe-shop@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"longer_extension_too", "joe-a-b@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"dash_at_the_end_too", "joe-@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"name_with_dash", "ann-lee@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"extension_of_name_with_dash", "ann-lee-x@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"front_of_name_with_dash_is_unknown", "ann@example.test", "D no-mailbox domains/example.test/.qmail-default:1"},
    {"disabled", "off@example.test", "D disabled domains/example.test/vpasswd.cdb:0"},
    {"disabled_with_extension", "off-x@example.test", "D disabled domains/example.test/vpasswd.cdb:0"},
    {"full", "full@example.test", "Z full domains/example.test/.full/full:1"},
    {"full_byte_zero_is_not_full", "joe@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"other_flags_take_mail", "jim-x@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"hashed_folder", "deep@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"mailbox_without_folder", "nodir@example.test", "Z io domains/example.test/vpasswd.cdb:0"},
    {"damaged_record", "odd@example.test", "Z io domains/example.test/vpasswd.cdb:0"},
    {"alias", "sales@example.test", "K alias domains/example.test/.qmail-sales:1"},
    {"alias_before_mailbox", "jim@example.test", "K alias domains/example.test/.qmail-jim:1"},
    {"alias_with_dot", "John.Smith@example.test", "K alias domains/example.test/.qmail-john:smith:1"},
    {"list_by_ezmlm", "news@example.test", "K list domains/example.test/.qmail-news:1"},
    {"list_by_plus_list", "closed@example.test", "K list domains/example.test/.qmail-closed:1"},
    {"list_by_link", "linked@example.test", "K list domains/example.test/.qmail-linked:1"},
    {"dangling_link_is_none", "dangling@example.test", "D no-mailbox domains/example.test/.qmail-default:1"},
    {"prefix_default", "team-red@example.test", "K alias domains/example.test/.qmail-team-default:1"},
    {"prefix_default_exact_front", "team@example.test", "D no-mailbox domains/example.test/.qmail-default:1"},
    {"comments_only_discards", "gone@example.test", "K alias domains/example.test/.qmail-gone:1"},
    {"empty_file_is_default_delivery", "empty@example.test", "K alias domains/example.test/.qmail-empty:0"},
    {"first_line_blank", "blank@example.test", "Z io domains/example.test/.qmail-blank:1"},
    {"writable_by_others", "open@example.test", "Z io domains/example.test/.qmail-open:0"},
    {"vdelivermail_in_prefix_default_mailbox_unknown", "vd-x@example.test",
     "K catchall domains/example.test/.qmail-vd-default:1"},
    {"slash_is_no_path", "../catch.test/joe@example.test", "D bad-address "},
    {"slash_in_name", "a/b@example.test", "D no-mailbox domains/example.test/.qmail-default:1"},
    {"quoted_climbing_is_no_path", "\"../catch.test/joe\"@example.test", "D no-mailbox domains/example.test/.qmail-default:1"},
    {"percent_is_a_letter_elsewhere", "joe%far.test@example.test", "D no-mailbox domains/example.test/.qmail-default:1"},
    {"postmaster_even_when_disabled", "postmaster@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"postmaster_in_capitals", "Postmaster@Example.Test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"abuse_goes_to_postmaster", "abuse@example.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"abuse_before_catchall", "Abuse@catch.test", "K mailbox domains/catch.test/vpasswd.cdb:0"},
    {"abuse_of_alias_domain", "abuse@other.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"catchall_mailbox", "joe@catch.test", "K mailbox domains/catch.test/vpasswd.cdb:0"},
    {"catchall_folder", "x@catch.test", "K catchall domains/catch.test/.qmail-default:2"},
    {"catchall_delete", "delete-x@catch.test", "K catchall domains/catch.test/.qmail-delete-default:1"},
    {"catchall_address", "addr-x@catch.test", "K catchall domains/catch.test/.qmail-addr-default:1"},
    {"catchall_program", "prog-x@catch.test", "K catchall domains/catch.test/.qmail-prog-default:1"},
    {"vdelivermail_misused", "bad-x@catch.test", "Z io domains/catch.test/.qmail-bad-default:1"},
    {"no_default_file_keeps_mailboxes", "joe@gone.test", "K mailbox domains/gone.test/vpasswd.cdb:0"},
    {"no_default_file_bounces_others", "x@gone.test", "D no-mailbox domains/gone.test/.qmail-default:0"},
    {"no_vpasswd_cdb", "joe@nocdb.test", "Z no-cdb domains/nocdb.test/vpasswd.cdb:0"},
    {"unsafe_vpasswd_cdb", "joe@open.test", "Z io domains/open.test/vpasswd.cdb:0"},
    {"damaged_vpasswd_cdb", "joe@bad.test", "Z io domains/bad.test/vpasswd.cdb:0"},
    {"folder_is_gone", "joe@dirless.test", "Z io domains/dirless.test/.:0"},
    {"own_instructions_in_default", "anybody@plain.test", "K catchall domains/plain.test/.qmail-default:1"},
    {"own_instructions_exact", "who@plain.test", "K alias domains/plain.test/.qmail-who:1"},
    {"folder_in_place_of_file", "folder@plain.test", "Z io domains/plain.test/.qmail-folder:0"},
    {"filter_before_vdelivermail", "joe@mixed.test", "K alias domains/mixed.test/.qmail-default:2"},
    {"filter_before_vdelivermail_unknown", "x@mixed.test", "D no-mailbox domains/mixed.test/.qmail-default:2"},
    {"locals_win_over_virtualdomains", "root@both.test", "K alias alias/.qmail-root:1"},
    {"local_alias", "root@mx.test", "K alias alias/.qmail-root:1"},
    {"local_unknown", "nobody@mx.test", "D no-mailbox alias/.qmail-default:0"},
    {"simple_assignment_without_file", "webmaster@mx.test", "K alias domains/web/.qmail:0"},
    {"virtual_domain_of_alias_user", "announce@lists.test", "K alias alias/.qmail-lists-announce:1"},
    {"other_user", "x@sys.test", "Z other-user users/cdb:0"},
    {"virtual_suffix", "joe@a.wild.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"virtual_suffix_is_not_the_domain", "joe@wild.test", "D policy control/rcpthosts:0"},
    {"virtual_exception", "joe@except.wild.test", "K remote control/rcpthosts:0"},
    {"virtual_user", "one@backup.test", "D no-mailbox domains/example.test/.qmail-default:1"},
    {"virtual_user_of_a_domain_that_is_not_ours", "one@far.test", "D policy control/rcpthosts:0"},
    {"virtual_domain_that_is_not_in_rcpthosts", "joe@shut.test", "D policy control/rcpthosts:0"},
    {"local_domain_that_is_not_in_rcpthosts", "root@inner.test", "D policy control/rcpthosts:0"},
    {"virtual_user_only", "two@far.test", "D policy control/rcpthosts:0"},
    {"backup_mx", "joe@backup.test", "K remote control/rcpthosts:0"},
    {"backup_mx_suffix", "joe@a.sub.test", "K remote control/rcpthosts:0"},
    {"suffix_is_not_the_domain", "joe@sub.test", "D policy control/rcpthosts:0"},
    {"more_rcpthosts", "joe@More.test", "K remote control/morercpthosts.cdb:0"},
    {"more_rcpthosts_suffix", "joe@a.b.suffix.test", "K remote control/morercpthosts.cdb:0"},
    {"more_rcpthosts_suffix_is_not_the_domain", "joe@suffix.test", "D policy control/rcpthosts:0"},
    {"relay_denied", "joe@far.test", "D policy control/rcpthosts:0"},
    {"percenthack_to_ours", "joe%example.test@gate.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"percenthack_is_no_open_relay", "joe%far.test@gate.test", "D policy control/rcpthosts:0"},
    {"percenthack_twice", "joe%example.test%gate.test@gate.test", "K mailbox domains/example.test/vpasswd.cdb:0"},
    {"postmaster_without_domain", "PostMaster", "D no-mailbox alias/.qmail-default:0"},
    {"no_domain", "joe", "D bad-address "},
    {"space", "jo e@example.test", "D bad-address "},
    {"space_at_the_end", "joe@example.test ", "D bad-address "},
    {"empty", "", "D bad-address "},
    {"bad_domain", "joe@exa..test", "D bad-address "},
    {"bad_utf8", "jo\xff@example.test", "D bad-address "},
    {"utf8_name_unknown", "jos\xc3\xa9@example.test", "D no-mailbox domains/example.test/.qmail-default:1"},
    {"address_literal", "joe@[192.0.2.1]", "D policy control/rcpthosts:0"},
};

static const struct row deliver_rows[] = {
    {"delivers_mailbox", "Joe@example.test",
     "K mailbox domains/example.test/vpasswd.cdb:0 home=domains/example.test/joe user=example.test local=example.test-Joe dash=- "
     "ext=Joe "
     "quota=26214400S"},
    {"delivers_mailbox_with_extension", "joe-Shop@example.test",
     "K mailbox domains/example.test/vpasswd.cdb:0 home=domains/example.test/joe user=example.test local=example.test-joe-Shop "
     "dash=- "
     "ext=joe-Shop quota=26214400S"},
    {"delivers_alias_domain", "joe@other.test",
     "K mailbox domains/example.test/vpasswd.cdb:0 home=domains/example.test/joe user=example.test local=other.test-joe dash=- "
     "ext=joe "
     "quota=26214400S"},
    {"delivers_hashed_folder", "deep@example.test",
     "K mailbox domains/example.test/vpasswd.cdb:0 home=domains/example.test/a/b/deep user=example.test local=example.test-deep "
     "dash=- "
     "ext=deep quota=NOQUOTA"},
    {"delivers_alias", "Sales@example.test",
     "K alias domains/example.test/.qmail-sales:1 home=domains/example.test user=example.test local=example.test-Sales dash=- "
     "ext=Sales "
     "quota="},
    {"delivers_catchall", "x@catch.test",
     "K catchall domains/catch.test/.qmail-default:2 home=domains/catch.test user=catch.test local=catch.test-x dash=- ext=x "
     "quota="},
    {"delivers_filtered_mailbox_by_its_file", "joe@mixed.test",
     "K alias domains/mixed.test/.qmail-default:2 home=domains/mixed.test user=mixed.test local=mixed.test-joe dash=- ext=joe "
     "quota="},
    {"delivers_abuse_to_postmaster", "abuse@example.test",
     "K mailbox domains/example.test/vpasswd.cdb:0 home=domains/example.test/postmaster user=example.test "
     "local=example.test-abuse "
     "dash=- ext=postmaster quota=NOQUOTA"},
    {"delivers_alias_user", "root@mx.test",
     "K alias alias/.qmail-root:1 home=alias user=alias local=root dash=- ext=root quota="},
    {"delivers_without_domain", "root", "K alias alias/.qmail-root:1 home=alias user=alias local=root dash=- ext=root quota="},
    {"delivers_simple_assignment", "webmaster@mx.test",
     "K alias domains/web/.qmail:0 home=domains/web user=webmaster local=webmaster dash= ext= quota="},
    {"full_is_locals_matter", "full@example.test",
     "K mailbox domains/example.test/vpasswd.cdb:0 home=domains/example.test/full user=example.test local=example.test-full "
     "dash=- "
     "ext=full quota=5M"},
    {"elsewhere_needs_no_rcpthosts", "joe@far.test", "K remote control/rcpthosts:0 home= user= local= dash= ext= quota="},
    {"delivers_unknown", "nobody@example.test", "D no-mailbox domains/example.test/.qmail-default:1"},
};

static const struct row mailbox_rows[] = {
    {"mailbox_only_skips_alias", "jim@example.test",
     "K mailbox domains/example.test/vpasswd.cdb:0 home=domains/example.test/jim user=example.test local=example.test-jim dash=- "
     "ext=jim "
     "quota=NOQUOTA"},
    {"mailbox_only_skips_catchall", "x@catch.test", "D no-mailbox domains/catch.test/vpasswd.cdb:0"},
    {"mailbox_only_behind_filter", "joe@mixed.test",
     "K mailbox domains/mixed.test/vpasswd.cdb:0 home=domains/example.test/joe user=mixed.test local=mixed.test-joe dash=- "
     "ext=joe "
     "quota=26214400S"},
    {"mailbox_only_without_cdb", "joe@plain.test", "Z no-cdb domains/plain.test/vpasswd.cdb:0"},
};

static const char *ask(const struct route_question *question)
{
    static stralloc answer;
    route_find(&config, question, &route);
    answer.len = 0;
    str_catf(&answer, "%c %s ", route.letter, route.letter == 'K' ? route_kind_word(route.kind) : why_word(route.why));
    if (route.file.len > 0) {
        str_catf(&answer, "%s:%u", str_text(&route.file), route.line);
    }
    if (question->purpose != ROUTE_SMTP && route.letter == 'K') {
        str_catf(&answer, " home=%s user=%s", str_text(&route.home), str_text(&route.user));
        str_catf(&answer, " local=%s dash=%s", str_text(&route.local), str_text(&route.dash));
        str_catf(&answer, " ext=%s quota=%s", str_text(&route.ext), str_text(&route.quota));
    }
    return str_text(&answer);
}

static void run_rows(const struct row *rows, size_t n, enum route_for purpose)
{
    for (size_t i = 0; i < n; i++) {
        is(ask(&(struct route_question){.to = rows[i].to, .purpose = purpose}), rows[i].answer, rows[i].test);
        ok(route.text[0] != '\0' && route.text[1] == '.', rows[i].test);
    }
}
#define RUN(rows, purpose) run_rows(rows, sizeof rows / sizeof *rows, purpose)

static void test_settings(void)
{
    struct route_question joe = {.to = "joe@far.test", .may_relay = true};
    is(ask(&joe), "K remote control/rcpthosts:0", "relay_granted");
    joe.to = "joe%far.test@gate.test";
    ask(&joe);
    is(str_text(&route.to), "joe@far.test", "percenthack_tells_the_address_behind");
    joe.to = "joe@example.test";
    joe.size = 26214401;
    is(ask(&joe), "D full domains/example.test/vpasswd.cdb:0", "larger_than_the_whole_quota");
    is(route.text, "5.2.3 message is larger than this mailbox may ever hold", "says_that_it_can_never_fit");
    is(ask(&(struct route_question){.to = "joe@shut.test", .may_relay = true}), "K mailbox domains/example.test/vpasswd.cdb:0",
       "who_may_relay_reaches_a_domain_outside_of_rcpthosts");
    is(ask(&(struct route_question){.to = "joe@shut.test", .purpose = ROUTE_DELIVER}),
       "K mailbox domains/example.test/vpasswd.cdb:0 home=domains/example.test/joe user=example.test local=example.test-joe "
       "dash=- "
       "ext=joe quota=26214400S",
       "mail_that_was_taken_is_delivered_there");
    config.full_is_permanent = true;
    is(ask(&(struct route_question){.to = "full@example.test"}), "D full domains/example.test/.full/full:1", "fullpermanent");
    config.full_is_permanent = false;
    config.rcpthosts.is_there = false;
    is(ask(&(struct route_question){.to = "joe@example.test"}), "D config control/rcpthosts:0", "no_rcpthosts_no_mail");
    is(ask(&(struct route_question){.to = "joe@far.test", .may_relay = true}), "D config control/rcpthosts:0",
       "no_rcpthosts_no_relay");
    is(ask(&(struct route_question){.to = "root@mx.test", .purpose = ROUTE_DELIVER}),
       "K alias alias/.qmail-root:1 home=alias user=alias local=root dash=- ext=root quota=", "no_rcpthosts_still_delivers");
    config.rcpthosts.is_there = true;
    int64_t uid = config.mailbox_uid;
    config.mailbox_uid = 4243;
    is(ask(&(struct route_question){.to = "joe@example.test"}), "Z other-user users/cdb:0", "folders_of_another_user_than_vmail");
    config.mailbox_uid = uid;
}

static void test_changes(void)
{
    struct route_question late = {.to = "joe@late.test"};
    set_list(&config.virtualdomains, ":example.test\n");
    is(ask(&late), "K mailbox domains/example.test/vpasswd.cdb:0", "empty_key_catches_all_domains");
    rename("users/cdb", "users/cdb.old");
    is(ask(&late), "Z no-cdb users/cdb:0", "missing_users_cdb_is_not_now");
    put("users/cdb", "torn");
    is(ask(&late), "Z io users/cdb:0", "damaged_users_cdb_is_not_now");
    unlink("users/cdb");
    rename("users/cdb.old", "users/cdb");
    is(ask(&late), "K mailbox domains/example.test/vpasswd.cdb:0", "users_cdb_is_opened_again");
    chmod("users/cdb", 0666);
    rename("users/cdb", "users/cdb.new");
    ask(&late);
    rename("users/cdb.new", "users/cdb");
    is(ask(&late), "Z io users/cdb:0", "users_cdb_writable_by_others_is_refused");
    chmod("users/cdb", 0600);
    put("domains/example.test/.qmail-joe", "&x@y.test\n");
    is(ask(&late), "K alias domains/example.test/.qmail-joe:1", "new_qmail_file_holds_at_once");
    chmod("domains/example.test", 01770);
    is(ask(&late), "Z io domains/example.test/.:0", "sticky_folder_is_not_now");
    chmod("domains/example.test", 0777);
    is(ask(&late), "Z io domains/example.test/.:0", "folder_writable_by_others_is_not_now");
}

int main(void)
{
    scratch_begin();
    if (freopen("log", "w", stderr) == NULL) {
        return 111;
    }
    make_tree();
    route_config_start(&config);
    set_controls();
    RUN(smtp_rows, ROUTE_SMTP);
    RUN(deliver_rows, ROUTE_DELIVER);
    RUN(mailbox_rows, ROUTE_MAILBOX_ONLY);
    test_settings();
    test_changes();
    return scratch_end(done());
}
