/* SPDX-License-Identifier: ISC */
/* imapd/keywords: 64 names and their numbers, in dovecot-keywords and in stafet-keywords. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/keywords.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static int root;
static struct keywords keywords;
static stralloc text;

static void put(const char *name, const char *bytes)
{
    scratch_put(root, name, bytes);
}

static const char *content(const char *name)
{
    return scratch_content(root, name, &text);
}

/* `0=a 26=b` */
static const char *names(void)
{
    text.len = 0;
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        if (keywords.len[i] > 0) {
            str_catf(&text, "%s%u=", text.len > 0 ? " " : "", i);
            str_cat_printable(&text, keywords.text.s + keywords.at[i], keywords.len[i]);
        }
    }
    return str_text(&text);
}

static void set(unsigned number, const char *name)
{
    keywords_set(&keywords, number, name, strlen(name));
}

static void numbers_and_names(void)
{
    char longest[KEYWORD_LEN_MAX + 1];
    memset(longest, 'x', sizeof longest);
    keywords_clear(&keywords);
    is_number(keywords_free_number(&keywords), 0, "an_empty_table_begins_at_0");
    set(0, "$Junk");
    set(2, "Work");
    set(63, "last");
    set(64, "beyond");
    set(5, "");
    is(names(), "0=$Junk 2=Work 63=last", "numbers_up_to_63_have_names");
    is_number(keywords_find(&keywords, "$junk", 5), 0, "case_does_not_count");
    is_number(keywords_find(&keywords, "LAST", 4), 63, "nor_for_the_last");
    is_number(keywords_find(&keywords, "Wor", 3), -1, "a_part_is_another_name");
    is_number(keywords_find(&keywords, "", 0), -1, "no_name_is_none");
    is_number(keywords_free_number(&keywords), 1, "the_lowest_number_is_free");
    set(2, "Home");
    is(names(), "0=$Junk 2=Home 63=last", "a_name_can_change");
    size_t before = keywords.text.len;
    set(2, "Home");
    ok(keywords.text.len == before, "the_same_name_takes_no_room");
    keywords_set(&keywords, 3, longest, KEYWORD_LEN_MAX);
    keywords_set(&keywords, 4, longest, KEYWORD_LEN_MAX + 1);
    ok(keywords.len[3] == KEYWORD_LEN_MAX && keywords.len[4] == 0, "a_name_has_200_bytes_at_most");
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "k%u", i);
        set(i, name);
    }
    is_number(keywords_free_number(&keywords), -1, "all_64_are_taken");
    keywords_clear(&keywords);
    is(names(), "", "cleared");
}

static void tables(void)
{
    stralloc table = STRALLOC_ZERO;
    keywords_clear(&keywords);
    set(0, "a");
    set(26, "b");
    set(63, "c");
    keywords_append_table(&table, &keywords);
    is_number((long long)table.len, KEYWORDS_MAX + 3, "a_table_has_64_ends");
    keywords_read_table(&keywords, table.s, table.len);
    is(names(), "0=a 26=b 63=c", "a_table_is_read_back");
    keywords_read_table(&keywords, table.s, 2 + 25 + 1);
    is(names(), "0=a", "half_a_name_at_its_end_is_none");
    keywords_read_table(&keywords, table.s, 0);
    is(names(), "", "nor_anything_in_nothing");
    str_cats(&table, "more");
    str_cat(&table, "", 1);
    keywords_read_table(&keywords, table.s, table.len);
    is(names(), "0=a 26=b 63=c", "a_65th_is_passed_over");
    stralloc_free(&table);
}

static void dovecots_file(void)
{
    keywords_clear(&keywords);
    is_number(keywords_read_dovecot(&keywords, root), 0, "there_is_no_file");
    set(0, "old");
    set(26, "ours");
    put(KEYWORDS_DOVECOT,
        "0 $Forwarded\n1 a b\n25 z\n26 not-his\n64 beyond\n-1 x\nx y\n2\n3 \n\n 4 x\n05 five\n99999999999999999999 x\n6 "
        "torn");
    is_number(keywords_read_dovecot(&keywords, root), 1, "it_is_read");
    is(names(), "0=$Forwarded 5=five 25=z 26=ours", "lines_that_are_none_are_passed_over");
    is_number(keywords_write_dovecot(&keywords, root), 0, "it_is_written");
    is(content(KEYWORDS_DOVECOT), "0 $Forwarded\n5 five\n25 z\n", "with_the_letters_only");
    (void)unlinkat(root, KEYWORDS_DOVECOT, 0);
    (void)mkdirat(root, KEYWORDS_DOVECOT, 0700);
    ok(keywords_read_dovecot(&keywords, root) < 0 && errno == EINVAL, "a_folder_of_that_name_is_an_error");
    (void)unlinkat(root, KEYWORDS_DOVECOT, AT_REMOVEDIR);
}

static stralloc told;

static void tell(void *ctx, const struct keywords_line *line)
{
    (void)ctx;
    str_cats(&told, told.len > 0 ? " " : "");
    if (line->uid > 0) {
        str_catf(&told, "%u", line->uid);
    } else {
        str_cat(&told, line->base, line->base_len);
    }
    str_catf(&told, "=%llx", (unsigned long long)line->bits);
}

static int read_ours(uint32_t uidvalidity)
{
    told.len = 0;
    keywords_clear(&keywords);
    int result = keywords_read_ours(&keywords, root, uidvalidity, tell, NULL);
    (void)str_text(&told);
    return result;
}

static void our_file_is_read(void)
{
    is_number(read_ours(7), 0, "there_is_no_file_of_ours");
    put(KEYWORDS_OURS, "v 7\nk 26 first\nk 63 last\nk 25 letter\nk 64 beyond\nk x y\nk \nk 27\n3 4000000\n4 ffffffffffffffff\n3 "
                       "0\nx 1\n0 4000000\nn 8000002 1.A b:,S=1\nn 4000000\nn "
                       "4000000 \nn g x\nn  x\nn 4000000 torn\n5 "
                       "g\n5\n5 \n 6 1\n7 10000000000000000\n99999999999 4000000\n\nq w e\n8 4000000");
    is_number(read_ours(7), 1, "it_is_there");
    is(names(), "26=first 63=last", "names_from_26_to_63");
    is(told.s, "3=4000000 4=fffffffffc000000 3=0 1.A b:,S=1=8000000 torn=4000000",
       "bits_without_letters_in_the_order_of_the_file");
    is_number(read_ours(8), 0, "one_of_another_uidvalidity_counts_as_none");
    is(names(), "", "and_none_of_it_is_taken");
    static const char *const none[] = {"v 7",   "",    "v\n",    "v \n",           "v x\n",
                                       "w 7\n", "7\n", "v 77\n", "v 4294967303\n", "k 26 x\nv 7\n"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        put(KEYWORDS_OURS, none[i]);
        is_number(read_ours(7), 0, "a_file_without_its_head");
    }
    (void)unlinkat(root, KEYWORDS_OURS, 0);
}

static int add(uint32_t uid, uint64_t bits)
{
    stralloc line = STRALLOC_ZERO;
    keywords_line_append(&line, uid, bits);
    int result = keywords_add_ours(&keywords, root, 7, &line, true);
    stralloc_free(&line);
    return result;
}

static void our_file_is_written(void)
{
    stralloc line = STRALLOC_ZERO;
    keywords_line_append(&line, 5, KEYWORDS_LETTER_BITS);
    keywords_new_line_append(&line, "base", 4, KEYWORDS_LETTER_BITS);
    ok(line.len == 0, "letters_alone_make_no_line");
    keywords_new_line_append(&line, "base", 4, UINT64_C(1) << 27 | 1);
    ok(line.len == 15 && memcmp(line.s, "n 8000000 base\n", 15) == 0, "a_line_by_base_name");
    line.len = 0;
    keywords_clear(&keywords);
    set(3, "letter");
    set(26, "first");
    is_number(add(5, UINT64_C(1) << 26 | 1), 0, "a_line_begins_the_file");
    is(content(KEYWORDS_OURS), "v 7\nk 26 first\n5 4000000\n", "with_its_names");
    is_number(add(6, UINT64_C(1) << 63), 0, "another_is_appended");
    is(content(KEYWORDS_OURS), "v 7\nk 26 first\n5 4000000\n6 8000000000000000\n", "behind_it");
    put(KEYWORDS_OURS, "v 7\nk 26 first\n5 4000000\n1");
    is_number(add(13, UINT64_C(1) << 26), 0, "one_behind_half_a_line");
    is(content(KEYWORDS_OURS), "v 7\nk 26 first\n5 4000000\n13 4000000\n", "is_not_glued_to_it");
    put(KEYWORDS_OURS, "v 6\nk 26 other\n5 4000000\n");
    is_number(add(8, UINT64_C(1) << 26), 0, "one_of_a_new_uidvalidity");
    is(content(KEYWORDS_OURS), "v 7\nk 26 first\n8 4000000\n", "begins_the_file_anew");
    put(KEYWORDS_OURS, "v 7");
    is_number(add(8, UINT64_C(1) << 26), 0, "so_does_one_behind_half_a_head");
    is(content(KEYWORDS_OURS), "v 7\nk 26 first\n8 4000000\n", "with_all_of_it");
    (void)unlinkat(root, KEYWORDS_OURS, 0);
    (void)!symlinkat("elsewhere", root, KEYWORDS_OURS);
    ok(add(8, UINT64_C(1) << 26) < 0 && errno == ELOOP, "a_link_is_not_followed");
    stralloc_free(&line);
}

int main(void)
{
    scratch_begin();
    root = open(".", O_RDONLY | O_DIRECTORY);
    numbers_and_names();
    tables();
    dovecots_file();
    our_file_is_read();
    our_file_is_written();
    close(root);
    return scratch_end(done());
}
