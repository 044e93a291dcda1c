/* SPDX-License-Identifier: ISC */
/* lib/fresh: what a deliverer leaves is read as it was left, or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fresh.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static int maildir;
static stralloc bytes, text;

static void read_file(void)
{
    (void)scratch_content(maildir, FRESH_NAME, &bytes);
}

/* `BASE=SUMMARY …` of the whole entries, and where reading stopped. */
static const char *entries(const char *from, size_t n, size_t *at)
{
    struct fresh_entry entry;
    char *exact = memory_get(n + 1, 1);
    memcpy(exact, from, n);
    text.len = 0;
    *at = 0;
    while (fresh_next(exact, n, at, &entry)) {
        str_cats(&text, text.len > 0 ? " " : "");
        str_cat_printable(&text, entry.base, entry.base_len);
        str_catc(&text, '=');
        str_cat_printable(&text, entry.summary, entry.summary_len);
    }
    free(exact);
    return str_text(&text);
}

static void comes_back(void)
{
    size_t at;
    ok(!fresh_is_wanted(maildir), "nobody_reads_it_where_no_session_was");
    close(openat(maildir, "stafet.index", O_WRONLY | O_CREAT, 0600));
    ok(fresh_is_wanted(maildir), "somebody_does_where_one_was");
    is_number(fresh_append(maildir, "1.M1P1.h", 8, "sum\0mary", 8), 0, "an_entry");
    is_number(fresh_append(maildir, "2", 1, "", 0), 0, "an_empty_one");
    is_number(fresh_append(maildir, "3", 1, "seven..", 7), 0, "and_a_third");
    read_file();
    is(entries(bytes.s, bytes.len, &at), "1.M1P1.h=sum\\x00mary 2= 3=seven..", "come_back");
    ok(at == bytes.len && at % 8 == 0, "to_the_end");
}

/* Entries before the damage are read, none behind it, and never another. */
static void damage(void)
{
    static const char *const all[] = {"", "1.M1P1.h=sum\\x00mary",
                                      "1.M1P1.h=sum\\x00mary 2=", "1.M1P1.h=sum\\x00mary 2= 3=seven.."};
    size_t ends[4] = {0, 32, 56, bytes.len};
    unsigned wrong = 0;
    size_t at;
    for (size_t n = 0; n <= bytes.len; n++) {
        unsigned whole = n >= ends[3] ? 3 : n >= ends[2] ? 2 : n >= ends[1] ? 1 : 0;
        wrong += strcmp(entries(bytes.s, n, &at), all[whole]) != 0 || at != ends[whole];
    }
    is_number(wrong, 0, "half_an_entry_is_none");
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned whole = i >= ends[2] ? 2 : i >= ends[1] ? 1 : 0;
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.s[i] = (char)(bytes.s[i] ^ 1 << bit);
            wrong += strcmp(entries(bytes.s, bytes.len, &at), all[whole]) != 0 || at != ends[whole];
            bytes.s[i] = (char)(bytes.s[i] ^ 1 << bit);
        }
    }
    is_number(wrong, 0, "nor_is_one_with_a_flipped_bit");
    struct fresh_entry entry;
    at = bytes.len + 8;
    ok(!fresh_next(bytes.s, bytes.len, &at, &entry) && at == bytes.len + 8, "nor_is_there_one_behind_the_end");
}

static void limits(void)
{
    static char base[256];
    struct stat stat;
    memset(base, 'x', sizeof base);
    is_number(fresh_append(maildir, base, 255, "s", 1), 0, "the_longest_name");
    errno = 0;
    ok(fresh_append(maildir, base, 256, "s", 1) < 0 && errno == EINVAL, "one_byte_more");
    errno = 0;
    ok(fresh_append(maildir, base, 1, base, (size_t)FRESH_MAX + 1) < 0 && errno == EINVAL, "a_summary_that_is_too_long");
    int fd = openat(maildir, FRESH_NAME, O_WRONLY);
    (void)!ftruncate(fd, FRESH_MAX);
    is_number(fresh_append(maildir, "9", 1, "s", 1), 0, "where_nobody_reads_any_more");
    ok(fstat(fd, &stat) == 0 && stat.st_size == FRESH_MAX, "nothing_is_added");
    close(fd);
    (void)unlinkat(maildir, FRESH_NAME, 0);
    (void)!symlinkat("elsewhere", maildir, FRESH_NAME);
    errno = 0;
    ok(fresh_append(maildir, "9", 1, "s", 1) < 0 && errno == ELOOP, "a_link_is_not_followed");
    ok(fresh_append(-1, "9", 1, "s", 1) < 0, "no_maildir_is_an_error");
}

static bool is_refused(const char *name)
{
    errno = 0;
    ok(fresh_append(maildir, "9", 1, "s", 1) < 0 && (errno == EPERM || errno == ENXIO), name);
    return unlinkat(maildir, FRESH_NAME, 0) == 0;
}

/* A deliverer of all users' mail waits for none of them, and writes into no file that has a second name elsewhere. */
static void what_the_owner_put_there(void)
{
    struct stat stat;
    (void)unlinkat(maildir, FRESH_NAME, 0);
    ok(mkfifoat(maildir, FRESH_NAME, 0600) == 0 && is_refused("a_fifo_without_a_reader"), "is_not_waited_for");
    int fifo = mkfifoat(maildir, FRESH_NAME, 0600) < 0 ? -1 : openat(maildir, FRESH_NAME, O_RDONLY | O_NONBLOCK);
    char byte;
    ok(fifo >= 0 && is_refused("a_fifo_with_one") && read(fifo, &byte, 1) == 0, "gets_nothing");
    close(fifo);
    scratch_put(maildir, "another", "text");
    ok(linkat(maildir, "another", maildir, FRESH_NAME, 0) == 0 && is_refused("a_second_name"), "is_not_written_by");
    ok(fstatat(maildir, "another", &stat, 0) == 0 && stat.st_size == 4, "nor_is_its_file");
}

int main(void)
{
    scratch_begin();
    maildir = open(".", O_RDONLY | O_DIRECTORY);
    comes_back();
    damage();
    limits();
    what_the_owner_put_there();
    close(maildir);
    return scratch_end(done());
}
