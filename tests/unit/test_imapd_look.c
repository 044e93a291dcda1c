/* SPDX-License-Identifier: ISC */
/* Dates and sizes of what lay in cur/ before the index: nobody looks at the files until somebody asks, and then a name that lies
 * is found out. Works in a folder of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/folder_inner.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

#define RIGHT "1000001.M1P1.mx,S=10,W=13"
#define WRONG "1000002.M1P2.mx,S=9,W=12"
#define PLAIN "1000003.M1P3.mx"
#define TEXT  "A: b\n\nxyz\n"

static int root;

static void put_mail(const char *path, time_t date)
{
    const struct timespec times[2] = {{.tv_sec = date}, {.tv_sec = date}};
    scratch_put(root, path, TEXT);
    (void)!utimensat(root, path, times, 0);
}

static void make_folder(const char *name)
{
    char path[200];
    scratch_maildir(root, name);
    (void)snprintf(path, sizeof path, "%s/cur/" RIGHT ":2,S", name);
    put_mail(path, 5000);
    (void)snprintf(path, sizeof path, "%s/cur/" WRONG ":2,", name);
    put_mail(path, 6000);
    (void)snprintf(path, sizeof path, "%s/cur/" PLAIN ":2,", name);
    put_mail(path, 7000);
}

static void open_folder(struct folder *folder, const char *name)
{
    bool is_open = folder_open(folder, root, name, FOLDER_WRITE) == 0 && folder_sync(folder, FOLDER_LOOK) == 0;
    ok(is_open && folder_tell_exists(folder) >= 3, "a_folder_is_open");
}

static int64_t size_of(struct folder *folder, uint32_t index)
{
    uint64_t size = 0;
    return folder_size(folder, index, &size) < 0 ? 0 : (int64_t)size;
}

static uint32_t date_of(struct folder *folder, uint32_t index)
{
    uint32_t date = 0;
    return folder_date(folder, index, &date) < 0 ? 0 : date;
}

/* As the index has them. */
static const char *records(struct folder *folder)
{
    static stralloc text;
    text.len = 0;
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        const struct record *record = folder_record(folder, i);
        str_catf(&text, "%s%d/%d", i > 0 ? " " : "", (int)record->date, (int)record->size);
    }
    return str_text(&text);
}

static void test_sizes_and_dates(void)
{
    struct folder folder;
    struct folder other;
    make_folder("a");
    open_folder(&folder, "a");
    is(records(&folder), "-1/13 -1/12 -1/-1", "nobody_has_looked_at_files_of_cur");
    is_number(size_of(&folder, 0), 13, "a_name_that_is_right_is_believed");
    is_number(size_of(&folder, 1), 13, "one_that_lies_is_found_out");
    is_number(size_of(&folder, 2), 13, "without_a_word_the_file_is_read");
    open_folder(&other, "a");
    is_number(date_of(&other, 1), 6000, "the_date_is_the_file's");
    is_number(date_of(&other, 1), 6000, "and_is_looked_at_once");
    is_number((int64_t)(other.facts.len / sizeof(struct entry_cache)), 1, "in_a_command");
    folder_cache_flush(&other);
    folder_cache_flush(&folder);
    is(records(&folder), "5000/13 6000/13 7000/13", "the_index_knows_it_then");
    ok(folder_sync(&other, FOLDER_JOURNAL) == 0, "another_session_hears_of_it");
    is(records(&other), "5000/13 6000/13 7000/13", "and_knows_it_too");
    folder_rest(&other);
    ok(other.facts.s == NULL && other.out.s == NULL && other.tail == NULL, "a_rest_keeps_nothing_of_it_in_memory");
    is(records(&other), "5000/13 6000/13 7000/13", "after_a_rest_too");
    folder_close(&other);
    folder_close(&folder);
}

static void test_summary(void)
{
    struct folder folder;
    const char *bytes;
    size_t len;
    make_folder("b");
    open_folder(&folder, "b");
    ok(folder_summary(&folder, 1, &bytes, &len) == 0, "a_message_is_parsed");
    folder_cache_flush(&folder);
    is(records(&folder), "-1/13 6000/13 -1/-1", "its_date_and_size_are_known_by_that");
    folder_close(&folder);
}

static void test_other_programs(void)
{
    struct folder folder;
    uint64_t size;
    uint32_t date;
    make_folder("c");
    open_folder(&folder, "c");
    ok(renameat(root, "c/cur/" RIGHT ":2,S", root, "c/cur/" RIGHT ":2,FS") == 0, "another_program_flags_one");
    is_number(date_of(&folder, 0), 5000, "it_is_found_by_its_new_name");
    is_number(size_of(&folder, 0), 13, "with_its_size");
    ok(unlinkat(root, "c/cur/" WRONG ":2,", 0) == 0, "and_removes_one");
    errno = 0;
    ok(folder_size(&folder, 1, &size) == -1 && errno == ENOENT, "which_has_no_size_then");
    ok(folder_date(&folder, 1, &date) == -1 && errno == ENOENT, "and_no_date");
    folder_close(&folder);
}

static void test_copy(void)
{
    struct folder from;
    struct folder to;
    struct folder_list which = {0};
    struct folder_list sources = {0};
    struct folder_list uids = {0};
    make_folder("d");
    make_folder("e");
    open_folder(&from, "d");
    open_folder(&to, "e");
    folder_list_add(&which, 2);
    ok(folder_copy(&from, &which, &to, &sources, &uids) == 0 && uids.n == 1 && uids.item[0] == 4, "one_that_lies_is_copied");
    is_number(size_of(&to, 3), 13, "and_is_found_out_there");
    is_number(date_of(&to, 3), 6000, "with_its_date");
    folder_list_free(&which);
    folder_list_free(&sources);
    folder_list_free(&uids);
    folder_close(&from);
    folder_close(&to);
}

static void test_dates_of_other_centuries(void)
{
    is_number(folder_date_of(&(struct stat){.st_mtim = {.tv_sec = -5}}), 0, "before_1970_is_1970");
    is_number(folder_date_of(&(struct stat){.st_mtim = {.tv_sec = UINT32_MAX}}), RECORD_UNSEEN - 1, "the_last_second_is_no_mark");
    is_number(folder_date_of(&(struct stat){.st_mtim = {.tv_sec = 1L << 40}}), RECORD_UNSEEN - 1, "later_ones_are_it");
}

int main(void)
{
    scratch_begin();
    root = open(".", O_RDONLY | O_DIRECTORY);
    test_sizes_and_dates();
    test_summary();
    test_other_programs();
    test_copy();
    test_dates_of_other_centuries();
    close(root);
    return scratch_end(done());
}
