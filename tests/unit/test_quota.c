/* SPDX-License-Identifier: ISC */
/* lib/quota: the words of a quota, its questions, and maildirsize as others leave it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/quota.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static int maildir;
static stralloc text;

static void parses(const char *words, const char *want)
{
    struct quota quota = {77, 77};
    text.len = 0;
    if (quota_parse(words, strlen(words), &quota)) {
        quota_format(&text, &quota);
    } else {
        str_cats(&text, quota.bytes == 77 && quota.count == 77 ? "no" : "no, but something was stored");
    }
    is(str_text(&text), want, words);
}

static void words(void)
{
    parses("", "NOQUOTA");
    parses("NOQUOTA", "NOQUOTA");
    parses("noquota", "NOQUOTA");
    parses("0", "NOQUOTA");
    parses("0S,0C", "NOQUOTA");
    parses("10485760", "10485760S");
    parses("10485760S", "10485760S");
    parses("10485760s", "10485760S");
    parses("1000C", "1000C");
    parses("10S,1000C", "10S,1000C");
    parses("1000C,10S", "10S,1000C");
    parses("10M", "10485760S");
    parses("10MB", "10485760S");
    parses("10mbs", "10485760S");
    parses("10MS", "10485760S");
    parses("1K", "1024S");
    parses("2g", "2147483648S");
    parses("1T", "1099511627776S");
    parses("10B", "10S");
    parses("10240KB,5C", "10485760S,5C");
    parses("4611686018427387904", "4611686018427387904S");
    parses("4611686018427387905", "no");
    parses("4194304T", "4611686018427387904S");
    parses("4194305T", "no");
    parses("18446744073709551616", "no");
    parses("99999999999999T", "no");
    parses("1000c", "no");
    parses("10X", "no");
    parses("10SS", "no");
    parses("10SB", "no");
    parses("10KK", "no");
    parses("10MC", "no");
    parses("-1", "no");
    parses("+1", "no");
    parses(" 1", "no");
    parses("1 S", "no");
    parses("S", "no");
    parses("C", "no");
    parses(",", "no");
    parses("10S,", "no");
    parses(",10S", "no");
    parses("10S,10S", "no");
    parses("1C,1C", "no");
    parses("10S,1C,1C", "no");
    parses("NOQUOTA,1C", "no");
    parses("NOQUOTAS", "no");
}

static void questions(void)
{
    static const struct {
        struct quota quota;
        struct quota_usage usage;
        uint64_t bytes, count;
        bool is_exceeded, is_full;
        unsigned percent;
    } rows[] = {{{0, 0}, {1000, 1000}, 1000, 1, false, false, 0},
                {{100, 0}, {0, 0}, 100, 1, false, false, 0},
                {{100, 0}, {0, 0}, 101, 1, true, false, 0},
                {{100, 0}, {100, 9}, 0, 0, false, true, 100},
                {{100, 0}, {101, 9}, 0, 0, true, true, 101},
                {{100, 0}, {95, 0}, 5, 1, false, false, 95},
                {{100, 0}, {96, 0}, 5, 1, true, true, 96},
                {{0, 10}, {9999, 9}, 9999, 1, false, false, 90},
                {{0, 10}, {9999, 10}, 0, 1, true, true, 100},
                {{0, 10}, {0, 10}, 0, 0, false, true, 100},
                {{100, 10}, {50, 9}, 10, 1, false, false, 90},
                {{100, 10}, {50, 9}, 10, 2, true, false, 90},
                {{100, 0}, {-50, 0}, 100, 0, false, false, 0},
                {{100, 0}, {-50, 0}, 101, 0, true, false, 0},
                {{100, 0}, {99999, 0}, 0, 0, true, true, 1000},
                {{1 << 20, 0}, {(1 << 20) - 16384, 0}, 0, 0, false, false, 98},
                {{1 << 20, 0}, {(1 << 20) - 16383, 0}, 0, 0, false, true, 98},
                {{1, 0}, {0, 0}, 0, 0, false, false, 0},
                {{10, 0}, {0, 0}, UINT64_MAX, 0, true, false, 0},
                {{(uint64_t)1 << 62, 0}, {INT64_MAX, 0}, 0, 0, true, true, 200}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char label[64];
        (void)snprintf(label, sizeof label, "question %zu", i);
        ok(quota_is_exceeded(&rows[i].quota, &rows[i].usage, rows[i].bytes, rows[i].count) == rows[i].is_exceeded, label);
        ok(quota_is_full(&rows[i].quota, &rows[i].usage) == rows[i].is_full, "the_byte_for_rcptd");
        is_number(quota_percent(&rows[i].quota, &rows[i].usage), rows[i].percent, "the_percentage");
    }
}

static void reads(const char *bytes, const char *want)
{
    struct quota_file file = {.lines = 77};
    size_t n = strlen(bytes);
    char *exact = malloc(n + 1);
    memcpy(exact + 1, bytes, n);
    text.len = 0;
    if (quota_file_parse(exact + 1, n, &file)) {
        quota_format(&text, &file.quota);
        str_catf(&text, " %lld %lld %u", (long long)file.usage.bytes, (long long)file.usage.count, file.lines);
    } else {
        str_cats(&text, file.lines == 77 ? "no" : "no, but something was stored");
    }
    is(str_text(&text), want, bytes);
    free(exact);
}

static void files(void)
{
    reads("10S\n", "10S 0 0 0");
    reads("10S,5C\n3 1\n", "10S,5C 3 1 1");
    reads("10S\n3 1\n-2 -1\n5 1\n", "10S 6 1 3");
    reads("10S\n  3   1  \n", "10S 3 1 1");
    reads("1000C\n0 0\n", "1000C 0 0 1");
    reads("\n3 1\n", "NOQUOTA 3 1 1");
    reads("10S\n3 1", "no"); /* torn */
    reads("10S\n3", "no");
    reads("10S", "no");
    reads("", "no");
    reads("x\n3 1\n", "no");
    reads("10S\nx 1\n", "no");
    reads("10S\n3\n", "no");
    reads("10S\n\n", "no");
    reads("10S\n3 1 1\n", "no");
    reads("10S\n3\t1\n", "no");
    reads("10S\n3 1\n-4 -1\n", "no"); /* less than nothing */
    reads("10S\n3 1\n-3 -2\n", "no");
    reads("10S\n9223372036854775807 1\n1 1\n", "no");
    reads("10S\n9223372036854775808 1\n", "no");
}

static void put(const char *name, const char *bytes)
{
    scratch_put(maildir, name, bytes);
}

static const char *content(void)
{
    return scratch_content(maildir, "maildirsize", &text);
}

/* `BYTES COUNT` of quota_load, at so many seconds after the file was touched. */
static const char *load(const char *words_of_quota, uint64_t coming, uint64_t seconds)
{
    static char got[64];
    struct quota quota;
    struct quota_usage usage;
    struct timespec times[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    (void)utimensat(maildir, "maildirsize", times, AT_SYMLINK_NOFOLLOW);
    if (!quota_parse(words_of_quota, strlen(words_of_quota), &quota) ||
        quota_load(maildir, &quota, coming, 1000000 + seconds, &usage) < 0) {
        return "error";
    }
    (void)snprintf(got, sizeof got, "%lld %lld", (long long)usage.bytes, (long long)usage.count);
    return got;
}

static void make_maildir(void)
{
    static const char *const folders[] = {"cur", "new", "tmp", ".Sent", ".Sent/cur", ".Sent/new", ".Trash", ".Trash/cur"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        (void)mkdirat(maildir, folders[i], 0700);
    }
    put("cur/1.M1P1.h,S=100:2,S", "x");      /* its name says its size */
    put("cur/2.M1P1.h:2,", "0123456789");    /* nothing says it */
    put("cur/3.M1P1.h,S=1000:2,ST", "x");    /* in the trash */
    put("new/4.M1P1.h,S=7", "x");            /* */
    put(".Sent/cur/5.M1P1.h,S=20:2,", "x");  /* */
    put(".Trash/cur/6.M1P1.h,S=50:2,", "x"); /* not counted */
    put("tmp/7.M1P1.h,S=5000", "x");         /* not there yet */
    put("cur/.hidden", "x");                 /* no message */
    put("file", "x");                        /* */
}

static void counts(void)
{
    is(load("NOQUOTA", 5, 0), "0 0", "without_a_quota_nothing_is_counted");
    is(content(), "none", "and_no_file_is_made");
    is(load("1000S", 5, 0), "137 4", "it_is_counted_once");
    is(content(), "1000S\n137 4\n", "into_a_file");
    put("maildirsize", "1000S\n1 1\n");
    is(load("1000S", 5, 0), "1 1", "which_is_believed");
    is(load("1000S", 5, QUOTA_FILE_STALE), "1 1", "for_half_a_day");
    is(load("1000S", 5, QUOTA_FILE_STALE + 1), "137 4", "then_it_is_counted_anew");
    is(load("2000S", 5, 0), "137 4", "for_another_quota_too");
    is(content(), "2000S\n137 4\n", "which_then_stands_there");
    put("maildirsize", "1000S\n1 1\n2");
    is(load("1000S", 5, 0), "137 4", "a_torn_line_is_counted_anew");
    put("maildirsize", "");
    is(load("1000S", 5, 0), "137 4", "an_empty_file_too");
    put("maildirsize", "1000S\n900 9\n");
    is(load("1000S", 200, 0), "900 9", "what_would_be_too_much_by_one_young_line_is");
    is(load("1000S", 200, QUOTA_FILE_SECONDS + 1), "137 4", "by_an_old_one_it_is_counted_anew");
    put("maildirsize", "1000S\n900 9\n0 0\n");
    is(load("1000S", 50, 0), "900 9", "several_lines_are_believed_where_there_is_room");
    is(load("1000S", 200, 0), "137 4", "and_counted_anew_where_there_is_none");
    text.len = 0;
    str_cats(&text, "1000S\n");
    while (text.len < QUOTA_FILE_MAX) {
        str_cats(&text, "0 0\n");
    }
    put("maildirsize", str_text(&text));
    is(load("1000S", 5, 0), "137 4", "a_long_file_is_counted_anew");
    is(content(), "1000S\n137 4\n", "and_short_then");
}

static void appends(void)
{
    put("maildirsize", "1000S\n137 4\n");
    is_number(quota_append(maildir, 20, 1), 0, "a_line_is_appended");
    is_number(quota_append(maildir, -7, -1), 0, "also_one_that_takes_away");
    is(content(), "1000S\n137 4\n20 1\n-7 -1\n", "as_it_is");
    is(load("1000S", 5, 0), "150 4", "and_counted");
    (void)unlinkat(maildir, "maildirsize", 0);
    is_number(quota_append(maildir, 20, 1), 0, "without_a_file");
    is(content(), "none", "none_is_made");
    (void)!symlinkat("file", maildir, "maildirsize");
    ok(quota_append(maildir, 20, 1) < 0 && errno == ELOOP, "a_link_is_not_followed");
    is(load("1000S", 5, 0), "137 4", "but_replaced");
    is(content(), "1000S\n137 4\n", "by_a_file");
    (void)unlinkat(maildir, "maildirsize", 0);
    (void)mkfifoat(maildir, "maildirsize", 0600);
    is(load("1000S", 5, 0), "137 4", "so_is_a_fifo");
    struct quota quota = {1000, 0};
    struct quota_usage usage;
    ok(quota_load(-1, &quota, 0, 0, &usage) < 0 && quota_append(-1, 1, 1) < 0 && quota_recalculate(-1, &quota, &usage) < 0,
       "no_maildir_is_an_error");
}

int main(void)
{
    scratch_begin();
    maildir = open(".", O_RDONLY | O_DIRECTORY);
    words();
    questions();
    files();
    make_maildir();
    counts();
    appends();
    close(maildir);
    return scratch_end(done());
}
