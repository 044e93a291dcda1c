/* SPDX-License-Identifier: ISC */
/* imapd/uidlist: Dovecot's formats 1 and 3, what others may have put into such a file, and what a crash may leave of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/uidlist.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static int root;

/* `V N uid=name(fields) …`, or `no`. */
static void describe(const struct uidlist *list, stralloc *out)
{
    out->len = 0;
    str_catf(out, "V%u N%u", list->uidvalidity, list->uidnext);
    for (uint32_t i = 0; i < list->n; i++) {
        const struct uidlist_entry *entry = &list->entry[i];
        str_catf(out, " %u=", entry->uid);
        str_cat_printable(out, list->bytes.s + entry->name_at, entry->name_len);
        str_catc(out, '(');
        str_cat_printable(out, list->bytes.s + entry->fields_at, entry->fields_len);
        str_catc(out, ')');
    }
    (void)str_text(out);
}

static void parse(const char *bytes, size_t n, stralloc *out)
{
    struct uidlist list = {.bytes = STRALLOC_ZERO};
    str_copy(&list.bytes, bytes, n);
    if (uidlist_parse(&list)) {
        describe(&list, out);
    } else {
        str_copys(out, "no");
        (void)str_text(out);
    }
    uidlist_free(&list);
}

static void parses(const char *text, const char *want)
{
    stralloc got = STRALLOC_ZERO;
    stralloc label = STRALLOC_ZERO;
    parse(text, strlen(text), &got);
    str_cat_printable(&label, text, strlen(text));
    is(got.s, want, str_text(&label));
    stralloc_free(&got);
    stralloc_free(&label);
}

static void headers(void)
{
    parses("3 V7 N5\n", "V7 N5");
    parses("3 V7 N5 G0123abc\n", "V7 N5");
    parses("3 V7 N5 Gabc Px Q\n", "V7 N5");
    parses("3 N5 V7\n", "V7 N5");
    parses("3 V7\n", "V7 N1");
    parses("3 V7 N0\n", "V7 N1");
    parses("3 V7  N5\n", "V7 N5");
    parses("3 V7 N5 \n", "V7 N5");
    parses("3 V4294967295 N4294967295\n", "V4294967295 N4294967295");
    parses("1 7 5\n", "V7 N5");
    parses("1 7 5 garbage\n", "V7 N5");
    parses("1 7\n", "V7 N1");
    parses("3 V0 N5\n", "no");
    parses("3 N5\n", "no");
    parses("3 V N5\n", "no");
    parses("3 V-7 N5\n", "no");
    parses("3 V7x N5\n", "no");
    parses("3 V7 Nx\n", "no");
    parses("3 V4294967296 N5\n", "no");
    parses("3\n", "no");
    parses("3 \n", "no");
    parses("1 0 5\n", "no");
    parses("1 x 5\n", "no");
    parses("1 7 x\n", "no");
    parses("2 V7 N5\n", "no");
    parses("33 V7 N5\n", "no");
    parses("V7 N5\n", "no");
    parses("\n", "no");
    parses("", "no");
    parses("3 V7 N5", "no"); /* its end is missing: it was torn */
    parses(" 3 V7 N5\n", "no");
    parses("garbage\n1 :a\n", "no");
}

static void lines(void)
{
    parses("3 V7 N5\n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N1\n1 :a\n9 :b\n", "V7 N10 1=a() 9=b()");
    parses("3 V7 N5\n1 S10 W12 :a,S=10\n", "V7 N5 1=a,S=10(S10 W12 )");
    parses("3 V7 N5\n1 Gff O1 :a:2,S\n", "V7 N5 1=a(Gff O1 )");
    parses("3 V7 N5\n1 :a b\n", "V7 N5 1=a b()");
    parses("3 V7 N5\n1 S10:a\n", "V7 N5 1=a(S10)");
    parses("1 7 5\n1 a\n2 b:2,S\n", "V7 N5 1=a() 2=b()");
    parses("1 7 5\n1 S10 :a\n", "V7 N5 1=S10 ()"); /* format 1 has no fields */
    parses("3 V7 N5\n2 :b\n1 :a\n", "V7 N5 1=a() 2=b()");
    parses("3 V7 N5\n1 :a\n1 :b\n", "V7 N5 1=b()");
    parses("3 V7 N5\n2 :old\n1 :a\n2 :new\n1 :c\n", "V7 N5 1=c() 2=new()");
    parses("3 V7 N5\n4294967294 :a\n", "V7 N4294967295 4294967294=a()");
    /* The others stand. */
    parses("3 V7 N5\n4294967295 :x\n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N5\n0 :x\n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N5\nx :x\n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N5\n-2 :x\n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N5\n2\n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N5\n2 \n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N5\n2 x\n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N5\n2 :\n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N5\n2 ::2,S\n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N5\n\n1 :a\n", "V7 N5 1=a()");
    parses("3 V7 N5\n :x\n1 :a\n", "V7 N5 1=a()");
    /* A last line without its end was torn. */
    parses("3 V7 N5\n1 :a\n2 :b", "V7 N5 1=a()");
    parses("3 V7 N5\n1 :a\n2", "V7 N5 1=a()");
}

static void names_have_an_end(void)
{
    stralloc text = STRALLOC_ZERO;
    stralloc got = STRALLOC_ZERO;
    for (size_t n = 255; n <= 256; n++) {
        text.len = 0;
        str_cats(&text, "3 V7 N5\n1 :");
        memset(str_room(&text, n), 'x', n);
        text.len += n;
        str_cats(&text, "\n2 :b\n");
        parse(text.s, text.len, &got);
        ok((strstr(got.s, " 1=xxx") != NULL) == (n == 255) && strstr(got.s, " 2=b()") != NULL, "a_name_has_255_bytes_at_most");
    }
    for (size_t n = 4096; n <= 4097; n++) {
        text.len = 0;
        str_cats(&text, "3 V7 N5\n1 ");
        memset(str_room(&text, n), 'x', n);
        text.len += n;
        str_cats(&text, ":a\n");
        parse(text.s, text.len, &got);
        ok((strstr(got.s, " 1=a(") != NULL) == (n == 4096), "its_fields_have_4096_at_most");
    }
    static const char with_nul[] = "3 V7 N5\n1 :a\0b\n2 :c\n";
    parse(with_nul, sizeof with_nul - 1, &got);
    ok(strstr(got.s, " 2=c()") != NULL, "a_nul_in_a_name_hides_no_other_line");
    stralloc_free(&text);
    stralloc_free(&got);
}

/* Whatever is cut off or flipped: what is taken lies inside the file, ascending, each UID once, all below UIDNEXT. */
static bool is_sound(const char *bytes, size_t n)
{
    struct uidlist list = {.bytes = STRALLOC_ZERO};
    bool is_good = true;
    str_copy(&list.bytes, bytes, n);
    if (uidlist_parse(&list)) {
        is_good = list.uidvalidity > 0 && list.uidnext > 0;
        for (uint32_t i = 0; i < list.n; i++) {
            const struct uidlist_entry *entry = &list.entry[i];
            is_good = is_good && entry->uid < list.uidnext && (i == 0 || entry[-1].uid < entry->uid) && entry->name_len > 0 &&
                      entry->name_at + entry->name_len <= n && entry->fields_at + entry->fields_len <= n &&
                      memchr(bytes + entry->name_at, '\n', entry->name_len) == NULL;
        }
    }
    uidlist_free(&list);
    return is_good;
}

static void any_bytes_do_no_harm(void)
{
    static const char text[] = "3 V7 N5 Gabc\n1 S10 W12 :a,S=10\n3 :c:2,S\n2 :b\n3 :d\n";
    char bytes[sizeof text];
    unsigned wrong = 0;
    int null = open("/dev/null", O_WRONLY);
    int err = dup(2);
    dup2(null, 2); /* each line that is not understood is logged */
    for (size_t n = 0; n < sizeof text; n++) {
        wrong += !is_sound(text, n);
    }
    for (size_t i = 0; i < sizeof text - 1; i++) {
        for (unsigned c = 0; c < 256; c++) {
            memcpy(bytes, text, sizeof text);
            bytes[i] = (char)c;
            wrong += !is_sound(bytes, sizeof text - 1);
        }
    }
    dup2(err, 2);
    close(err);
    close(null);
    is_number(wrong, 0, "any_byte_anywhere_and_any_truncation_do_no_harm");
}

static void put(const char *name, const char *text)
{
    scratch_put(root, name, text);
}

static const char *content(stralloc *out)
{
    return scratch_content(root, UIDLIST_NAME, out);
}

static int add(uint32_t uid, const char *name)
{
    stralloc line = STRALLOC_ZERO;
    uidlist_line_append(&line, uid, name, strlen(name));
    int result = uidlist_add(root, 7, &line);
    stralloc_free(&line);
    return result;
}

static void appends(void)
{
    stralloc text = STRALLOC_ZERO;
    struct uidlist list;
    (void)unlinkat(root, UIDLIST_NAME, 0);
    is_number(uidlist_read(&list, root, UIDLIST_NAME), UIDLIST_NONE, "there_is_no_list");
    is_number(add(5, "a"), 0, "nothing_is_appended_to_none");
    put(UIDLIST_NAME, "3 V7 N5 Gabc\n");
    is_number(add(5, "a"), 1, "a_line_is_appended");
    is_number(add(6, "b,S=1"), 1, "and_another");
    is(content(&text), "3 V7 N5 Gabc\n5 :a\n6 :b,S=1\n", "as_they_are");
    is_number(uidlist_read(&list, root, UIDLIST_NAME), UIDLIST_READ, "they_are_read");
    describe(&list, &text);
    is(text.s, "V7 N7 5=a() 6=b,S=1()", "as_they_were_written");
    uidlist_free(&list);
    put(UIDLIST_NAME, "3 V7 N5\n1 :a\n2 :tor");
    is_number(add(5, "b"), 1, "behind_half_a_line");
    is(content(&text), "3 V7 N5\n1 :a\n5 :b\n", "which_is_cut_off");
    static const char *const none[] = {"3 V7 N5", "", "1 7 5\n1 a\n", "something else\n", "3 N5\n"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        put(UIDLIST_NAME, none[i]);
        is_number(add(5, "b"), 0, "nor_to_a_list_that_could_not_go_on");
        is(content(&text), none[i], "which_stays_as_it_was");
    }
    put(UIDLIST_NAME, "3 V8 N5\n");
    ok(add(5, "b") < 0 && errno == ESTALE, "another_uidvalidity_is_an_error");
    stralloc_free(&text);
}

static void strange_files(void)
{
    struct uidlist list;
    struct stat stat;
    (void)unlinkat(root, UIDLIST_NAME, 0);
    (void)!symlinkat("elsewhere", root, UIDLIST_NAME);
    put("elsewhere", "3 V7 N5\n");
    ok(add(5, "b") < 0 && errno == ELOOP && uidlist_read(&list, root, UIDLIST_NAME) < 0, "a_link_is_not_followed");
    (void)unlinkat(root, UIDLIST_NAME, 0);
    (void)mkfifoat(root, UIDLIST_NAME, 0600);
    ok(uidlist_read(&list, root, UIDLIST_NAME) < 0 && errno == EINVAL, "a_fifo_is_no_list");
    (void)unlinkat(root, UIDLIST_NAME, 0);
    put(UIDLIST_NAME, "something else\n");
    is_number(uidlist_read(&list, root, UIDLIST_NAME), UIDLIST_STRANGE, "another_format_is_strange");
    put(UIDLIST_NAME, "");
    is_number(uidlist_read(&list, root, UIDLIST_NAME), UIDLIST_NONE, "an_empty_file_is_no_list");
    is_number(uidlist_set_aside(root), 0, "it_makes_room");
    ok(fstatat(root, UIDLIST_NAME, &stat, 0) < 0 && fstatat(root, UIDLIST_NAME ".unknown", &stat, 0) == 0, "under_another_name");
}

/* At every length that a crash may have left. */
static void appends_behind_any_truncation(void)
{
    static const char whole[] = "3 V7 N5\n1 :a\n2 :b\n";
    char bytes[sizeof whole];
    unsigned wrong = 0;
    stralloc text = STRALLOC_ZERO;
    struct uidlist list;
    for (size_t n = 8; n < sizeof whole; n++) {
        memcpy(bytes, whole, n);
        bytes[n] = '\0';
        put(UIDLIST_NAME, bytes);
        wrong += add(9, "z") != 1 || uidlist_read(&list, root, UIDLIST_NAME) != UIDLIST_READ;
        describe(&list, &text);
        const char *want = n < 13 ? "V7 N10 9=z()" : n < 18 ? "V7 N10 1=a() 9=z()" : "V7 N10 1=a() 2=b() 9=z()";
        wrong += strcmp(text.s, want) != 0;
        uidlist_free(&list);
    }
    is_number(wrong, 0, "a_line_behind_any_truncation_is_read_as_it_is");
    stralloc_free(&text);
}

/* What a list says of itself: bad lines, tidiness, an entry by its UID, and its header written once more. */
static void lists(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {{"3 V7 N5\n1 :a\n2 :b\n", "bad=0 tidy 3 V8 N9 G"},         {"3 V7 N5 Gabc\n", "bad=0 tidy 3 V8 N9 Gabc\n"},
                {"3 V7 N5 Gabc Px Q\n", "bad=0 tidy 3 V8 N9 Gabc Px Q\n"}, {"3 Gabc V7 Px N5\n", "bad=0 tidy 3 V8 N9 Gabc Px\n"},
                {"3 V7 N5 Gabc  Px \n", "bad=0 tidy 3 V8 N9 Gabc Px\n"},   {"1 7 5\n1 a\n", "bad=0 untidy 3 V8 N9 G"},
                {"3 V7 N5\n2 :b\n1 :a\n", "bad=0 untidy 3 V8 N9 G"},       {"3 V7 N5\n1 :a\n1 :b\n", "bad=0 untidy 3 V8 N9 G"},
                {"3 V7 N5\nx\n1 :a\ny\n", "bad=2 untidy 3 V8 N9 G"},       {"3 V7 N5\n1 :a\n2 :to", "bad=0 tidy 3 V8 N9 G"}};
    stralloc got = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct uidlist list = {.bytes = STRALLOC_ZERO};
        str_copys(&list.bytes, rows[i].text);
        ok(uidlist_parse(&list), rows[i].text);
        got.len = 0;
        str_catf(&got, "bad=%u %s ", list.n_bad, list.is_untidy ? "untidy" : "tidy");
        uidlist_header_append(&got, 8, 9, list.bytes.s + list.extra_at, list.extra_len);
        size_t n = strlen(rows[i].want);
        bool is_made = rows[i].want[n - 1] == 'G'; /* 32 digits of its own */
        is_number((long long)got.len, (long long)(n + (is_made ? 33 : 0)), "its_header");
        ok(strncmp(str_text(&got), rows[i].want, n) == 0, rows[i].want);
        uidlist_free(&list);
    }
    struct uidlist list = {.bytes = STRALLOC_ZERO};
    str_copys(&list.bytes, "3 V7 N5\n1 :a\n3 :b\n9 :c\n");
    ok(uidlist_parse(&list) && uidlist_find(&list, 1) == &list.entry[0] && uidlist_find(&list, 3) == &list.entry[1] &&
           uidlist_find(&list, 9) == &list.entry[2],
       "an_entry_is_found_by_its_uid");
    ok(uidlist_find(&list, 0) == NULL && uidlist_find(&list, 2) == NULL && uidlist_find(&list, 10) == NULL, "others_are_not");
    uidlist_free(&list);
    stralloc_free(&got);
}

int main(void)
{
    scratch_begin();
    root = open(".", O_RDONLY | O_DIRECTORY);
    headers();
    lines();
    names_have_an_end();
    any_bytes_do_no_harm();
    lists();
    appends();
    strange_files();
    appends_behind_any_truncation();
    close(root);
    return scratch_end(done());
}
