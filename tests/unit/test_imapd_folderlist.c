/* SPDX-License-Identifier: ISC */
/* imapd/folderlist, subscriptions, special: the folders of a Maildir++, and the two files that say something of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/folderlist.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static int root;
static stralloc text;

static void put(const char *name, const char *bytes)
{
    scratch_put(root, name, bytes);
}

static const char *content(const char *name)
{
    return scratch_content(root, name, &text);
}

static void forget(const char *name)
{
    (void)unlinkat(root, name, 0);
}

static const char *cur_of(const char *name)
{
    static char path[300];
    (void)snprintf(path, sizeof path, "%s/cur", name);
    return path;
}

static void make_folder(const char *name)
{
    (void)mkdirat(root, name, 0700);
    (void)mkdirat(root, cur_of(name), 0700);
}

static void remove_folder(const char *name)
{
    (void)unlinkat(root, cur_of(name), AT_REMOVEDIR);
    (void)unlinkat(root, name, AT_REMOVEDIR);
}

/* `NAME(flags special)`: e exists, c has children, s subscribed, d a child is subscribed. */
static const char *list(void)
{
    struct folderlist folders;
    text.len = 0;
    if (folderlist_read(&folders, root) < 0) {
        return "error";
    }
    for (uint32_t i = 0; i < folders.n; i++) {
        const struct folderlist_item *item = &folders.item[i];
        str_cats(&text, i > 0 ? " " : "");
        str_cat_printable(&text, folderlist_name(&folders, i), strlen(folderlist_name(&folders, i)));
        str_catc(&text, '(');
        for (unsigned bit = 0; bit < 4; bit++) {
            if (item->flags >> bit & 1) {
                str_catc(&text, "ecsd"[bit]);
            }
        }
        str_cats(&text, special_name(item->special));
        str_catc(&text, ')');
    }
    folderlist_free(&folders);
    return str_text(&text);
}

static void folders(void)
{
    is(list(), ".(e)", "inbox_is_always_there");
    make_folder(".B");
    make_folder(".A.b.c");
    make_folder(".A");
    is(list(), ".(e) .A(ec) .A.b(c) .A.b.c(e) .B(e)", "levels_above_are_in_the_list");
    (void)mkdirat(root, "C", 0700);
    (void)mkdirat(root, "..", 0700);
    (void)mkdirat(root, "...", 0700);
    make_folder(".C.");
    make_folder(".C..d");
    make_folder("..C");
    (void)mkdirat(root, "cur", 0700);
    put(".file", "");
    is(list(), ".(e) .A(ec) .A.b(c) .A.b.c(e) .B(e)", "names_that_are_none_are_not");
    make_folder(".D\xc3\xa9"); /* as Courier 5 makes it */
    make_folder(".&AOk-");
    is(list(), ".(e) .&AOk-(e) .A(ec) .A.b(c) .A.b.c(e) .B(e) .D&AOk-(e)", "names_in_utf8_are_modified_utf7");
    remove_folder(".D\xc3\xa9");
    remove_folder(".&AOk-");
    (void)!symlinkat(".B", root, ".Link");
    (void)!symlinkat("nowhere", root, ".Broken");
    is(list(), ".(e) .A(ec) .A.b(c) .A.b.c(e) .B(e)", "a_link_is_no_folder");
    forget(".Link");
    forget(".Broken");
    struct folderlist none;
    ok(folderlist_read(&none, -1) < 0, "no_maildir_is_an_error");
}

static stralloc told;

static void tell(void *ctx, const char *folder)
{
    (void)ctx;
    str_cats(&told, told.len > 0 ? " " : "");
    str_cat_printable(&told, folder, strlen(folder));
}

static const char *subscribed(void)
{
    told.len = 0;
    return subscriptions_each(root, tell, NULL) < 0 ? "error" : str_text(&told);
}

static void subscriptions(void)
{
    is(subscribed(), "", "nobody_subscribed_to_anything");
    put("subscriptions", "INBOX\nA.b\ninbox\nWith space\n\n/etc\nx/y\nlast");
    is(subscribed(), ". .A.b . .With space .last", "version_1");
    put("subscriptions", "V\t2\n\nINBOX\nA\tb\nA.b\n");
    is(subscribed(), ". .A.b .A.b", "version_2");
    put("subscriptions", "V\t3\n\nA\n");
    is(subscribed(), ".V\\x093 .A", "another_version_is_names");
    forget("subscriptions");
    put("courierimapsubscribed", "INBOX\nINBOX.A.b\nINBOX.\nINBOX.D\xc3\xa9\nOther\n");
    is(subscribed(), ". .A.b .INBOX. .D&AOk- .Other", "courier");
    put("subscriptions", "A\n");
    is(subscribed(), ".A", "ours_goes_before_couriers");
    forget("courierimapsubscribed");
    forget("subscriptions");
    (void)mkdirat(root, "subscriptions", 0700);
    is(subscribed(), "error", "a_folder_of_that_name_is_an_error");
    ok(subscriptions_set(root, ".A", true) < 0, "nothing_is_written_over_it");
    is(list(), "error", "and_no_list_is_told");
    (void)unlinkat(root, "subscriptions", AT_REMOVEDIR);
}

static void subscribing(void)
{
    is_number(subscriptions_set(root, ".A.b", true), 0, "subscribes");
    is(content("subscriptions"), "A.b\n", "in_a_file_of_version_1");
    is_number(subscriptions_set(root, ".", true), 0, "to_inbox");
    is_number(subscriptions_set(root, ".A.b", true), 0, "twice");
    is(content("subscriptions"), "A.b\nINBOX\n", "once_each");
    is_number(subscriptions_set(root, ".A.b", false), 0, "unsubscribes");
    is_number(subscriptions_set(root, ".C", false), 0, "from_what_is_not_there");
    is(content("subscriptions"), "INBOX\n", "the_others_stay");
    put("subscriptions", "V\t2\n\nA\tb\n");
    is_number(subscriptions_set(root, ".C.d", true), 0, "in_version_2");
    is(content("subscriptions"), "V\t2\n\nA\tb\nC\td\n", "which_it_stays");
    is_number(subscriptions_set(root, ".A.b", false) + subscriptions_set(root, ".C.d", false), 0, "both_go");
    is(content("subscriptions"), "V\t2\n\n", "the_head_stays");
    put("subscriptions", "/etc\ninbox\n\nx/y\nA\xff\tb\nA.b\nlast");
    is_number(subscriptions_set(root, ".C", true) + subscriptions_set(root, ".A.b", false), 0, "among_lines_that_are_no_folders");
    is(content("subscriptions"), "/etc\ninbox\n\nx/y\nA\xff\tb\nlast\nC\n", "all_others_stay_as_they_are");
    put("subscriptions", "V\t2\n\nA.b\nshared/joe\tC\nA\tb\n");
    is_number(subscriptions_set(root, ".C", true), 0, "in_version_2_too");
    is(content("subscriptions"), "V\t2\n\nA.b\nshared/joe\tC\nA\tb\nC\n", "they_stay");
    put("subscriptions", "V\t3\n\nA\n");
    is_number(subscriptions_set(root, ".C", true) + subscriptions_set(root, ".A", false), 0, "in_another_version");
    is(content("subscriptions"), "V\t3\n\nC\n", "its_head_stays");
    forget("subscriptions");
    put("courierimapsubscribed", "INBOX\nINBOX.A\n");
    is_number(subscriptions_set(root, ".A", false), 0, "couriers_file_becomes_ours");
    is(content("subscriptions"), "INBOX\n", "with_what_stood_in_it");
    is(content("courierimapsubscribed"), "INBOX\nINBOX.A\n", "and_is_left_alone");
    forget("subscriptions");
    stralloc long_name = STRALLOC_ZERO;
    str_cats(&long_name, "INBOX.A\nINBOX.");
    for (unsigned i = 0; i < 45; i++) {
        str_cats(&long_name, "\303\274x");
    }
    put("courierimapsubscribed", str_text(&long_name));
    stralloc_free(&long_name);
    is(subscribed(), ".A", "of_couriers_names_one_that_is_too_long_in_utf_7_is_none");
    is_number(subscriptions_set(root, ".B", true), 0, "whose_file_becomes_ours_again");
    is(content("subscriptions"), "A\nB\n", "without_it");
    forget("courierimapsubscribed");
    put("subscriptions", "A\nA.b.c\nGone.deep\n");
    is(list(), ".(e) .A(ecsd) .A.b(cd) .A.b.c(es) .B(e) .Gone(d) .Gone.deep(s)", "subscribed_names_stand_in_the_list");
    forget("subscriptions");
}

static void tell_special(void *ctx, const char *folder, enum special special)
{
    tell(ctx, folder);
    str_cats(&told, special_name(special));
}

static const char *specials(void)
{
    told.len = 0;
    return special_each(root, tell_special, NULL) < 0 ? "error" : str_text(&told);
}

static void special_uses(void)
{
    is(special_name(SPECIAL_SENT), "\\Sent", "a_use_has_a_name");
    ok(special_of((struct slice){"\\sENT", 5}) == SPECIAL_SENT && special_of((struct slice){"\\Sen", 4}) == SPECIAL_NONE &&
           special_of((struct slice){"", 0}) == SPECIAL_NONE && special_of((struct slice){"\\All", 4}) == SPECIAL_NONE,
       "and_is_found_by_it");
    is(specials(), "", "nobody_said_anything");
    put("stafet-special", ".A \\Sent\n.With space \\Junk\nB \\Trash\n.C \\Foo\n.D\n \\Sent\n\n.E  \\Drafts\n.F \\Archive");
    is(specials(), ".A\\Sent .With space\\Junk .E \\Drafts .F\\Archive", "lines_that_are_none_are_passed_over");
    forget("stafet-special");
    is_number(special_set(root, ".A", SPECIAL_SENT, NULL), 0, "a_use_is_given");
    is_number(special_set(root, ".B", SPECIAL_TRASH, NULL), 0, "and_another");
    is(content("stafet-special"), ".A \\Sent\n.B \\Trash\n", "a_line_each");
    ok(special_set(root, ".B", SPECIAL_SENT, NULL) < 0 && errno == EEXIST, "one_that_another_has_is_not");
    is_number(special_set(root, ".A", SPECIAL_JUNK, NULL), 0, "a_folder_can_have_another");
    is(content("stafet-special"), ".B \\Trash\n.A \\Junk\n", "instead");
    is_number(special_set(root, ".A", SPECIAL_NONE, ".New"), 0, "it_goes_along_with_a_new_name");
    is(content("stafet-special"), ".B \\Trash\n.New \\Junk\n", "which_stands_there");
    is_number(special_set(root, ".B", SPECIAL_NONE, NULL) + special_set(root, ".None", SPECIAL_NONE, NULL), 0,
              "it_is_taken_away");
    is(content("stafet-special"), ".New \\Junk\n", "from_that_folder_only");
    forget("stafet-special");
    is_number(special_set(root, ".None", SPECIAL_NONE, NULL), 0, "nothing_to_take_away");
    is(content("stafet-special"), "none", "makes_no_file");
}

static void known_names(void)
{
    make_folder(".Sent");
    make_folder(".Sent Items");
    make_folder(".Spam");
    make_folder(".Trash.old");
    is(list(), ".(e) .A(ec) .A.b(c) .A.b.c(e) .B(e) .Sent(e\\Sent) .Sent Items(e) .Spam(e\\Junk) .Trash(c) .Trash.old(e)",
       "names_that_clients_give_have_a_use");
    (void)special_set(root, ".B", SPECIAL_SENT, NULL);
    (void)special_set(root, ".Gone", SPECIAL_JUNK, NULL);
    is(list(), ".(e) .A(ec) .A.b(c) .A.b.c(e) .B(e\\Sent) .Sent(e) .Sent Items(e) .Spam(e\\Junk) .Trash(c) .Trash.old(e)",
       "what_a_client_said_goes_before");
}

int main(void)
{
    scratch_begin();
    root = open(".", O_RDONLY | O_DIRECTORY);
    folders();
    subscriptions();
    subscribing();
    special_uses();
    known_names();
    close(root);
    return scratch_end(done());
}
