/* SPDX-License-Identifier: ISC */
/* A journal that ends where an entry ends, but not the last one that was written (a power cut, a file put back): what it had of
 * keywords past the letters stands in stafet-keywords, and their numbers are not given to others. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/folder.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

enum { FIRST_OF_OURS = KEYWORDS_LETTERS };
static int root;

static void begin(struct folder *folder)
{
    int fd;
    (void)mkdirat(root, "cur", 0700);
    (void)mkdirat(root, "new", 0700);
    (void)mkdirat(root, "tmp", 0700);
    fd = openat(root, "cur/1000001.M1Qx1.mx,S=2,W=3:2,", O_WRONLY | O_CREAT, 0600);
    ok(fd >= 0 && write(fd, "\n\n", 2) == 2, "a_message");
    close(fd);
    ok(folder_open(folder, root, ".", FOLDER_WRITE) == 0 && folder_sync(folder, FOLDER_LOOK) == 0, "a_folder");
}

static int keyword(struct folder *folder, const char *name)
{
    return folder_keyword(folder, name, strlen(name), true);
}

static void give_letters(struct folder *folder)
{
    char name[] = "word-a";
    for (; name[5] <= 'z'; name[5]++) {
        (void)!keyword(folder, name);
    }
}

static void add_keyword(struct folder *folder, int number)
{
    struct folder_list list = {0};
    struct folder_store store = {.how = STORE_ADD, .keywords = UINT64_C(1) << number};
    folder_list_add(&list, 1);
    ok(folder_store(folder, &list, &store, NULL) == 0, "it_is_stored");
    folder_list_free(&list);
}

static off_t index_size(void)
{
    struct stat stat;
    return fstatat(root, INDEX_NAME, &stat, 0) < 0 ? 0 : stat.st_size;
}

static void cut_journal(off_t size)
{
    int fd = openat(root, INDEX_NAME, O_WRONLY);
    ok(size > 0 && ftruncate(fd, size) == 0, "the_journal_loses_its_last_entries");
    close(fd);
}

static void is_known(struct folder *folder, const char *sentence)
{
    ok(folder_sync(folder, FOLDER_LOOK) == 0, "a_look");
    is_number(keyword(folder, "ours"), FIRST_OF_OURS, sentence);
    ok(folder_record(folder, 0)->keywords == UINT64_C(1) << FIRST_OF_OURS, "and_is_the_messages");
}

/* A message that comes with its keyword: a line by its base name, before it has a UID. */
static void append_with_keyword(struct folder *folder)
{
    struct folder_append append;
    struct append_meta meta = {.keywords = UINT64_C(1) << FIRST_OF_OURS, .date = 1000, .bytes = 2, .wire_bytes = 4};
    uint32_t uid = 0;
    folder_append_begin(&append, folder);
    ok(folder_append_file(&append) == 0 && write(append.fd, "\n\n", 2) == 2 && folder_append_done(&append, &meta) == 0 &&
           folder_append_commit(&append, "mx.test", &uid) == 0 && uid == 2,
       "a_message_comes_with_its_keyword");
}

int main(void)
{
    struct folder folder;
    scratch_begin();
    root = open(".", O_RDONLY | O_DIRECTORY);
    begin(&folder);
    give_letters(&folder);
    off_t size = index_size();
    is_number(keyword(&folder, "ours"), FIRST_OF_OURS, "a_keyword_past_the_letters");
    add_keyword(&folder, FIRST_OF_OURS);
    folder_close(&folder);
    cut_journal(size);
    /* As APPEND does: it does not look what is there. */
    ok(folder_open(&folder, root, ".", FOLDER_WRITE) == 0, "opens");
    is_number(keyword(&folder, "another"), FIRST_OF_OURS + 1, "its_number_is_not_given_to_another");
    is_known(&folder, "it_is_known_by_its_number");
    folder_close(&folder);
    cut_journal(size);
    ok(folder_open(&folder, root, ".", FOLDER_WRITE) == 0, "opens_again");
    is_known(&folder, "a_look_is_enough");
    is_number(keyword(&folder, "another"), FIRST_OF_OURS + 1, "the_other_is_known_too");
    cut_journal(size);
    is_known(&folder, "who_has_it_open_forgets_nothing");
    size = index_size();
    append_with_keyword(&folder);
    folder_close(&folder);
    cut_journal(size);
    ok(folder_open(&folder, root, ".", FOLDER_WRITE) == 0, "opens_once_more");
    is_known(&folder, "as_it_was");
    ok(folder_end(&folder) == 2 && folder_record(&folder, 1)->uid == 2 &&
           folder_record(&folder, 1)->keywords == UINT64_C(1) << FIRST_OF_OURS,
       "the_new_one_has_its_uid_and_keyword");
    folder_close(&folder);
    return scratch_end(done());
}
