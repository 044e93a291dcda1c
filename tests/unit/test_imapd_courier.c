/* SPDX-License-Identifier: ISC */
/* imapd/courier: a folder that Courier served. Its UIDs and keywords are taken, its list is kept up while it is believed, and
 * whatever else stands in its files changes nothing. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/courier.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static int top, root;
static unsigned n_folders;
static struct folder folder;
static stralloc text;

static void put(const char *name, const char *bytes)
{
    scratch_put(root, name, bytes);
}

static const char *content(const char *name)
{
    return scratch_content(root, name, &text);
}

static bool has(const char *name)
{
    return faccessat(root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An empty Maildir. */
static void begin(void)
{
    char name[16];
    (void)snprintf(name, sizeof name, "m%u", n_folders++);
    if (mkdirat(top, name, 0700) < 0 || (root = openat(top, name, O_RDONLY | O_DIRECTORY)) < 0 ||
        mkdirat(root, "cur", 0700) < 0 || mkdirat(root, "new", 0700) < 0 || mkdirat(root, "tmp", 0700) < 0) {
        perror(name);
        exit(111);
    }
}

static void open_folder(void)
{
    if (folder_open(&folder, root, ".", FOLDER_WRITE) < 0 || folder_sync(&folder, FOLDER_LOOK) < 0) {
        perror("folder_open");
        exit(111);
    }
}

static void end(void)
{
    folder_close(&folder);
    close(root);
}

/* `UID:NAME[KEYWORDS] …`, the keywords by their names. */
static const char *view(void)
{
    text.len = 0;
    for (uint32_t i = folder_first(&folder); i < folder_end(&folder); i = folder_next(&folder, i)) {
        const struct record *record = folder_record(&folder, i);
        str_catf(&text, "%s%u:%s", text.len > 0 ? " " : "", record->uid, folder_base_name(&folder, i));
        for (unsigned k = 0; k < KEYWORDS_MAX; k++) {
            if (record->keywords >> k & 1) {
                str_catc(&text, '+');
                str_cat_printable(&text, folder.keywords.text.s + folder.keywords.at[k], folder.keywords.len[k]);
            }
        }
    }
    return str_text(&text);
}

static void three_messages(void)
{
    begin();
    put("cur/1001.a.mx:2,S", "A: b\n\n1\n");
    put("cur/1002.b.mx:2,", "A: b\n\n2\n");
    put("new/1003.c.mx", "A: b\n\n3\n");
}

static void uids(void)
{
    three_messages();
    put(COURIER_UIDDB, "1 777 40\n12 1002.b.mx\n7 1001.a.mx:2,S\n");
    open_folder();
    is(view(), "7:1001.a.mx 12:1002.b.mx 40:1003.c.mx", "uids_are_couriers_and_new_ones_are_behind_its_next");
    is_number(folder.head.uidvalidity, 777, "uidvalidity_too");
    ok(strstr(content("dovecot-uidlist"), "V777 ") != NULL, "and_stand_in_dovecots_list");
    is(content(COURIER_UIDDB), "1 777 0000000041\n7 1001.a.mx\n12 1002.b.mx\n40 1003.c.mx\n", "its_own_list_has_the_new_one");
    put("cur/1004.d.mx:2,", "A: b\n\n4\n");
    is_number(folder_sync(&folder, FOLDER_LOOK), 0, "mail_comes");
    is(content(COURIER_UIDDB), "1 777 0000000042\n7 1001.a.mx\n12 1002.b.mx\n40 1003.c.mx\n41 1004.d.mx\n", "a_line_is_appended");
    put(COURIER_UIDDB, "1 777 44\n7 1001.a.mx\n12 1002.b.mx\n40 1003.c.mx\n41 1004.d.mx\n43 1005.e.mx\n");
    put("cur/1005.e.mx:2,", "A: b\n\n5\n");
    put("cur/1006.f.mx:2,", "A: b\n\n6\n");
    is_number(folder_sync(&folder, FOLDER_LOOK), 0, "courier_was_here_again");
    is(view(), "7:1001.a.mx 12:1002.b.mx 40:1003.c.mx 41:1004.d.mx 43:1005.e.mx 44:1006.f.mx", "what_it_gave_stays");
    end();
}

/* Files that are no list of Courier's, or one that says something else. */
static void other_lists(void)
{
    static const struct {
        const char *bytes, *after, *name;
    } rows[] = {
        {"", "", "an_empty_file"},
        {"1 777 40", "1 777 40", "a_header_without_its_end"},
        {"2 777 40\n", "2 777 40\n", "another_version"},
        {"1 777\n", "1 777\n", "no_next_uid"},
        {"1 0 40\n", "1 0 40\n", "no_uidvalidity"},
        {"1 4294967296 40\n", "1 4294967296 40\n", "a_uidvalidity_of_33_bits"},
        {"1 x 40\n", "1 x 40\n", "letters"},
        {"1  40\n", "1  40\n", "a_blank_more"},
        {"1 777 4x\n", "1 777 4x\n", "letters_in_the_next_uid"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        three_messages();
        put(COURIER_UIDDB, rows[i].bytes);
        open_folder();
        is(view(), "1:1001.a.mx 2:1002.b.mx 3:1003.c.mx", rows[i].name);
        is(content(COURIER_UIDDB), rows[i].after, "is_left_alone");
        end();
    }
    three_messages();
    put("dovecot-uidlist", "3 V5 N9\n3 :1001.a.mx\n4 :1002.b.mx\n");
    put(COURIER_UIDDB, "1 777 40\n7 1001.a.mx\n");
    open_folder();
    is(view(), "3:1001.a.mx 4:1002.b.mx 9:1003.c.mx", "dovecots_list_goes_before");
    is(content(COURIER_UIDDB), "1 777 40\n7 1001.a.mx\n", "and_couriers_is_of_another_time");
    is_number(courier_uidnext(&folder), 0, "it_says_nothing");
    end();
}

/* What the list is when mail comes: it goes on, or is written anew, or is left alone. */
static void keeping_up(void)
{
    static const struct {
        const char *before, *after, *name;
    } rows[] = {
        {"1 5 0000000009\n3 x\n", "1 5 0000000010\n3 x\n9 1003.c.mx\n", "a_line_more"},
        {"1 5 0000000009\n3 x\n4 torn", "1 5 0000000010\n3 1001.a.mx\n4 1002.b.mx\n9 1003.c.mx\n",
         "nothing_is_glued_to_half_a_line"},
        {"1 5 9\n3 x\n", "1 5 0000000010\n3 1001.a.mx\n4 1002.b.mx\n9 1003.c.mx\n", "short_digits_cannot_be_overwritten"},
        {"1 5 0000000008\n", "1 5 0000000010\n3 1001.a.mx\n4 1002.b.mx\n9 1003.c.mx\n", "one_that_stayed_behind_is_anew"},
        {"1 6 0000000009\n", "1 6 0000000009\n", "another_uidvalidity_is_left_alone"},
        {"none\n", "none\n", "so_is_what_is_no_list"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin();
        put("cur/1001.a.mx:2,S", "A: b\n\n1\n");
        put("cur/1002.b.mx:2,", "A: b\n\n2\n");
        put("dovecot-uidlist", "3 V5 N9\n3 :1001.a.mx\n4 :1002.b.mx\n");
        open_folder();
        put(COURIER_UIDDB, rows[i].before);
        put("new/1003.c.mx", "A: b\n\n3\n");
        is_number(folder_sync(&folder, FOLDER_LOOK), 0, rows[i].name);
        is(content(COURIER_UIDDB), rows[i].after, "it_reads_so");
        end();
    }
    begin();
    put("new/1003.c.mx", "A: b\n\n3\n");
    open_folder();
    ok(!has(COURIER_UIDDB), "none_is_made");
    end();
    three_messages();
    put("elsewhere", "1 777 40\n7 1001.a.mx\n");
    is_number(symlinkat("elsewhere", root, COURIER_UIDDB), 0, "a_symbolic_link");
    ok(folder_open(&folder, root, ".", FOLDER_WRITE) < 0, "is_not_followed");
    is(content("elsewhere"), "1 777 40\n7 1001.a.mx\n", "and_what_it_names_stays");
    close(root);
    begin();
    put("cur/1001.a.mx:2,S", "A: b\n\n1\n");
    open_folder();
    str_copys(&text, "1 ");
    str_catf(&text, "%u 0000000002\n", folder.head.uidvalidity);
    put("elsewhere", str_text(&text));
    is_number(symlinkat("elsewhere", root, COURIER_UIDDB), 0, "one_that_comes_later");
    put("new/1003.c.mx", "A: b\n\n3\n");
    is_number(folder_sync(&folder, FOLDER_LOOK), 0, "hinders_nobody");
    ok(strstr(content("elsewhere"), " 0000000002\n") != NULL, "and_is_not_written_through");
    end();
}

/* Asked beside a scan, which would have taken that in. */
static void a_list_that_knows_more(void)
{
    const struct folder_news none = {.n = 0};
    three_messages();
    put(COURIER_UIDDB, "1 777 40\n7 1001.a.mx\n");
    open_folder();
    put(COURIER_UIDDB, "1 777 50\n7 1001.a.mx\n");
    is_number(courier_uidnext(&folder), 50, "courier_gave_more");
    courier_keep_up(&folder, 42, &none);
    is(content(COURIER_UIDDB), "1 777 50\n7 1001.a.mx\n", "its_numbers_are_not_taken_back");
    end();
}

static void compacting(void)
{
    stralloc list = STRALLOC_ZERO;
    three_messages();
    put(COURIER_UIDDB, "1 777 40\n7 1001.a.mx\n12 1002.b.mx\n");
    open_folder();
    str_cats(&list, "1 777 0000000041\n");
    for (unsigned i = 1; i < 400; i++) {
        str_catf(&list, "%u 999%03u.gone.mx\n", i + 100, i);
    }
    put(COURIER_UIDDB, str_text(&list));
    courier_compact(&folder);
    is(content(COURIER_UIDDB), "1 777 0000000041\n7 1001.a.mx\n12 1002.b.mx\n40 1003.c.mx\n",
       "a_list_of_the_dead_is_written_anew");
    memcpy(list.s, "1 777 0000000042", 16);
    put(COURIER_UIDDB, list.s);
    courier_compact(&folder);
    is(content(COURIER_UIDDB), list.s, "not_where_courier_has_given_more");
    memcpy(list.s, "1 778 0000000041", 16);
    put(COURIER_UIDDB, list.s);
    courier_compact(&folder);
    is(content(COURIER_UIDDB), list.s, "nor_of_another_uidvalidity");
    put(COURIER_UIDDB, "1 777 41\n");
    courier_compact(&folder);
    is(content(COURIER_UIDDB), "1 777 41\n", "nor_a_short_one");
    stralloc_free(&list);
    end();
}

static void begin_keywords(void)
{
    three_messages();
    put(COURIER_UIDDB, "1 777 40\n7 1001.a.mx\n12 1002.b.mx\n");
    if (mkdirat(root, "courierimapkeywords", 0700) < 0) {
        exit(111);
    }
}

#define LIST "courierimapkeywords/:list"
static void keywords_of_the_list(void)
{
    static const struct {
        const char *list, *want, *name;
    } rows[] = {
        {"$Junk\nwork\n\n1001.a.mx:0 1\n1002.b.mx:1\n", "7:1001.a.mx+$Junk+work 12:1002.b.mx+work 40:1003.c.mx",
         "names_then_messages"},
        {"$Junk\n\n1001.a.mx:1 999 1000 x -0\n", "7:1001.a.mx 12:1002.b.mx 40:1003.c.mx", "numbers_that_no_name_has"},
        {"$Junk\n\n1001.a.mx\n:0\n9.gone:0\n1002.b.mx:\n1002.b.mx: \n", "7:1001.a.mx 12:1002.b.mx 40:1003.c.mx",
         "lines_that_are_none"},
        {"a(b\n$Junk\n\n1001.a.mx:0\n1002.b.mx:1\n", "7:1001.a.mx 12:1002.b.mx+$Junk 40:1003.c.mx",
         "a_name_that_is_no_atom_keeps_its_number"},
        {"$Junk\n$JUNK\n\n1001.a.mx:1\n", "7:1001.a.mx+$Junk 12:1002.b.mx 40:1003.c.mx", "one_name_twice"},
        {"$Junk\n\n1001.a.mx:0", "7:1001.a.mx 12:1002.b.mx 40:1003.c.mx", "a_line_without_its_end"},
        {"$Junk", "7:1001.a.mx 12:1002.b.mx 40:1003.c.mx", "a_name_without_its_end"},
        {"", "7:1001.a.mx 12:1002.b.mx 40:1003.c.mx", "nothing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin_keywords();
        put(LIST, rows[i].list);
        open_folder();
        is(view(), rows[i].want, rows[i].name);
        end();
    }
    begin_keywords();
    put(LIST, "$Junk\nwork\n\n1001.a.mx:0 1\n1002.b.mx:1\n");
    open_folder();
    ok(has("cur/1001.a.mx:2,Sab") && has("cur/1002.b.mx:2,b"), "file_names_have_their_letters");
    is(content(KEYWORDS_DOVECOT), "0 $Junk\n1 work\n", "which_dovecots_file_tells");
    end();
    begin_keywords();
    put(LIST, "$Junk\n\n1003.c.mx:0\n");
    open_folder();
    is(view(), "7:1001.a.mx 12:1002.b.mx 40:1003.c.mx", "what_still_lay_in_new_has_none");
    end();
}

/* 64 names at most, and those behind the letters stand in a file of ours. */
static void many_keywords(void)
{
    stralloc list = STRALLOC_ZERO;
    begin_keywords();
    for (unsigned i = 0; i < 1010; i++) {
        str_catf(&list, "k%u\n", i);
    }
    str_cats(&list, "\n1001.a.mx:0 26\n1002.b.mx:63 64 999 1000\n");
    put(LIST, str_text(&list));
    open_folder();
    is(view(), "7:1001.a.mx+k0+k26 12:1002.b.mx+k63 40:1003.c.mx", "the_first_64_names_have_a_number");
    ok(has("cur/1001.a.mx:2,Sa") && has("cur/1002.b.mx:2,"), "26_of_them_a_letter");
    ok(strstr(content(KEYWORDS_OURS), "\n7 4000000\n") != NULL, "the_others_stand_in_our_file");
    ok(strstr(text.s, "\n12 8000000000000000\n") != NULL, "by_uid");
    stralloc_free(&list);
    end();
}

static void keywords_of_files(void)
{
    begin_keywords();
    put(LIST, "$Junk\n\n1001.a.mx:0\n1002.b.mx:0\n");
    put("courierimapkeywords/1001.a.mx", "one\n\ntwo\ntorn");
    for (unsigned i = 0; i < 40; i++) {
        char name[64];
        unsigned number = (i * 7 + 3) % 40 + 8;
        (void)snprintf(name, sizeof name, "courierimapkeywords/.%u.1002.b.mx:2,S", number);
        put(name, number == 47 ? "later\n" : "old\n");
    }
    put("courierimapkeywords/1002.b.mx", "oldest\n");
    put("courierimapkeywords/.x.1001.a.mx", "no\n");
    put("courierimapkeywords/.7", "no\n");
    put("courierimapkeywords/.9223372036854775808.1001.a.mx", "no\n");
    put("courierimapkeywords/9.gone", "no\n");
    put("courierimapkeywords/:lock", "no\n");
    if (mkdirat(root, "courierimapkeywords/.99.1001.a.mx", 0700) < 0) {
        exit(111);
    }
    open_folder();
    is(view(), "7:1001.a.mx+one+two 12:1002.b.mx+later 40:1003.c.mx", "the_last_file_of_a_message_holds");
    end();
    begin_keywords();
    put(LIST, "$Junk\n\n1001.a.mx:0\n");
    put("courierimapkeywords/1001.a.mx", "");
    open_folder();
    is(view(), "7:1001.a.mx 12:1002.b.mx 40:1003.c.mx", "an_empty_one_takes_them_away");
    end();
}

/* Read once: what the client takes away does not come back with a new index. */
static void keywords_only_once(void)
{
    begin_keywords();
    put(LIST, "$Junk\n\n1001.a.mx:0\n");
    put("courierimapkeywords/.1.odd", "x\n");
    is_number(renameat(root, "cur/1001.a.mx:2,S", root, "cur/1001.a.mx:2,SQ"), 0, "a_name_with_fields_of_others");
    open_folder();
    is(view(), "7:1001.a.mx 12:1002.b.mx 40:1003.c.mx", "gets_none");
    end();
    begin();
    put("cur/1001.a.mx:2,S", "A: b\n\n1\n");
    put("courierimapkeywords", "no folder\n");
    open_folder();
    is(view(), "1:1001.a.mx", "a_file_of_that_name_says_nothing");
    end();
}

int main(void)
{
    scratch_begin();
    top = open(".", O_RDONLY | O_DIRECTORY);
    uids();
    other_lists();
    keeping_up();
    a_list_that_knows_more();
    compacting();
    keywords_of_the_list();
    many_keywords();
    keywords_of_files();
    keywords_only_once();
    close(top);
    return scratch_end(done());
}
