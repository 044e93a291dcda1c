/* SPDX-License-Identifier: ISC */
/* A folder as sessions see it: index, journal, sequence numbers, other programs' changes. Works in a folder of its own below
 * $TMPDIR. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/folder_inner.h"
#include "lib/fresh.h"
#include "lib/die.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static int root;

static void deliver(const char *folder, const char *place, unsigned number, const char *info)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s/%u.M1Qx%u.mx,S=10,W=12%s", folder, place, 1000000 + number, number, info);
    scratch_put(root, path, "A: b\n\nxyz\n");
}

static bool exists(const char *path)
{
    struct stat stat;
    return fstatat(root, path, &stat, 0) == 0;
}

/* `UID FLAGS-hex` of all messages, and told numbers of expunges. */
static const char *view(struct folder *folder)
{
    static stralloc text;
    text.len = 0;
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        const struct record *record = folder_record(folder, i);
        str_catf(&text, "%s%u:%x", text.len > 0 ? " " : "", record->uid, record->flags);
    }
    return str_text(&text);
}

static stralloc told;

static void tell(void *ctx, uint32_t seq, uint32_t uid)
{
    (void)ctx;
    str_catf(&told, "%s%u=%u", told.len > 0 ? " " : "", seq, uid);
}

static const char *expunges(struct folder *folder)
{
    told.len = 0;
    folder_tell_expunges(folder, tell, NULL);
    return str_text(&told);
}

static void list_of(struct folder_list *list, uint32_t first, uint32_t last)
{
    list->n = 0;
    for (uint32_t i = first; i <= last; i++) {
        folder_list_add(list, i);
    }
}

static void test_first_open(void)
{
    struct folder folder;
    scratch_maildir(root, "a");
    deliver("a", "cur", 1, ":2,S");
    deliver("a", "cur", 2, ":2,");
    deliver("a", "new", 3, "");
    is_number(folder_open(&folder, root, "a", FOLDER_READ), 0, "opens_a_folder_without_index");
    is_number(folder_sync(&folder, FOLDER_LOOK), 0, "syncs");
    is(view(&folder), "1:10 2:0 3:0", "gives_uids_by_arrival");
    is_number(folder_tell_exists(&folder), 3, "tells_three");
    ok(exists("a/new/1000003.M1Qx3.mx,S=10,W=12"), "examine_leaves_new_alone");
    ok(folder_is_recent(&folder, 3), "examine_sees_recent");
    is_number(folder.n_unseen, 2, "counts_unseen");
    folder_close(&folder);
    is_number(folder_open(&folder, root, "a", FOLDER_WRITE), 0, "opens_with_index");
    is_number(folder_sync(&folder, FOLDER_LOOK), 0, "syncs_again");
    is(view(&folder), "1:10 2:0 3:0", "keeps_uids");
    ok(!exists("a/new/1000003.M1Qx3.mx,S=10,W=12") && exists("a/cur/1000003.M1Qx3.mx,S=10,W=12:2,"), "select_moves_new_to_cur");
    ok(!folder_is_recent(&folder, 2) && folder_is_recent(&folder, 3), "select_takes_recent");
    folder_close(&folder);
    (void)!folder_open(&folder, root, "a", FOLDER_WRITE);
    (void)!folder_sync(&folder, FOLDER_LOOK);
    ok(!folder_is_recent(&folder, 3), "recent_is_taken_once");
    int fd = folder_open_message(&folder, 1, NULL);
    ok(fd >= 0, "opens_a_message");
    close(fd);
    folder_close(&folder);
}

static void test_two_sessions(void)
{
    struct folder one;
    struct folder two;
    struct folder_list list = {0};
    struct folder_store store = {.how = STORE_ADD, .flags = MAILBOX_FLAGGED | MAILBOX_TRASHED};
    scratch_maildir(root, "b");
    for (unsigned i = 1; i <= 6; i++) {
        deliver("b", "cur", i, ":2,");
    }
    (void)!folder_open(&one, root, "b", FOLDER_WRITE);
    (void)!folder_sync(&one, FOLDER_LOOK);
    (void)folder_tell_exists(&one);
    (void)!folder_open(&two, root, "b", FOLDER_WRITE);
    (void)!folder_sync(&two, FOLDER_LOOK);
    (void)folder_tell_exists(&two);
    list_of(&list, 2, 3);
    is_number(folder_store(&one, &list, &store, NULL), 0, "stores_flags");
    ok(exists("b/cur/1000002.M1Qx2.mx,S=10,W=12:2,FT"), "a_flag_is_a_rename");
    is_number(one.changed.n, 0, "own_changes_are_no_news");
    is_number(folder_sync(&two, FOLDER_JOURNAL), 0, "the_other_plays_the_journal");
    is(view(&two), "1:0 2:22 3:22 4:0 5:0 6:0", "and_sees_the_flags");
    is_number(two.changed.n, 2, "as_news");
    uint64_t freed;
    uint32_t n;
    is_number(folder_expunge(&one, &list, &freed, &n), 0, "expunges");
    is_number((long long)freed, 20, "says_what_was_freed");
    is(expunges(&one), "3=3 2=2", "tells_from_the_highest");
    is_number(folder_sync(&two, FOLDER_JOURNAL), 0, "syncs_after_expunge");
    is_number(folder_exists(&two), 6, "numbers_stay_until_told");
    is_number(folder_index_of_seq(&two, 4), 3, "fourth_is_still_the_fourth");
    is(expunges(&two), "3=3 2=2", "the_other_tells_them_too");
    is_number(folder_exists(&two), 4, "then_they_count_no_more");
    is_number(folder_record(&two, folder_index_of_seq(&two, 2))->uid, 4, "second_is_uid_4");
    is_number(folder_seq(&two, folder_index_of_uid(&two, 6)), 4, "uid_6_is_fourth");
    ok(folder_index_of_uid(&two, 3) == FOLDER_NONE, "expunged_uid_is_none");
    /* A rest, with changes played into the base. */
    folder_rest(&two);
    is(view(&two), "1:0 4:0 5:0 6:0", "a_rest_forgets_nothing");
    /* A new base while the other has untold expunges. */
    list_of(&list, 5, 5);
    (void)!folder_expunge(&one, &list, &freed, &n);
    (void)expunges(&one);
    is_number(folder_lock(&one), 0, "locks");
    is_number(folder_write_base(&one, one.head.uidvalidity), 0, "writes_a_base");
    is_number(folder_switch(&one), 0, "goes_on_with_it");
    folder_unlock(&one);
    is(view(&one), "1:0 4:0 6:0", "same_messages");
    is_number(folder_sync(&two, FOLDER_JOURNAL), 0, "the_other_switches");
    is_number(folder_exists(&two), 4, "ghost_is_counted");
    ok(folder_index_of_seq(&two, 3) == FOLDER_NONE, "ghost_has_no_index");
    is_number(folder_record(&two, folder_index_of_seq(&two, 4))->uid, 6, "behind_the_ghost");
    is(expunges(&two), "3=5", "ghost_is_told");
    is_number(folder_record(&two, folder_index_of_seq(&two, 3))->uid, 6, "then_numbers_move");
    folder_close(&one);
    folder_close(&two);
    folder_list_free(&list);
}

static void test_foreign_changes(void)
{
    struct folder folder;
    struct folder_list list = {0};
    struct folder_store store = {.how = STORE_ADD, .flags = MAILBOX_SEEN};
    scratch_maildir(root, "c");
    for (unsigned i = 1; i <= 4; i++) {
        deliver("c", "cur", i, ":2,");
    }
    (void)!folder_open(&folder, root, "c", FOLDER_WRITE);
    (void)!folder_sync(&folder, FOLDER_LOOK);
    (void)folder_tell_exists(&folder);
    (void)renameat(root, "c/cur/1000001.M1Qx1.mx,S=10,W=12:2,", root, "c/cur/1000001.M1Qx1.mx,S=10,W=12:2,R");
    (void)unlinkat(root, "c/cur/1000002.M1Qx2.mx,S=10,W=12:2,", 0);
    list_of(&list, 1, 1);
    is_number(folder_store(&folder, &list, &store, NULL), 0, "a_store_meets_a_foreign_rename");
    ok(exists("c/cur/1000001.M1Qx1.mx,S=10,W=12:2,RS"), "neither_change_is_dropped");
    deliver("c", "new", 9, "");
    deliver("c", "cur", 5, ":2,TS");
    is_number(folder_sync(&folder, FOLDER_LOOK), 0, "looks");
    is(view(&folder), "1:18 3:0 4:0 5:30 6:0", "sees_all_foreign_changes");
    is(expunges(&folder), "2=2", "tells_the_removed_one");
    is_number(folder_tell_exists(&folder), 5, "tells_the_new_ones");
    ok(exists("c/cur/1000009.M1Qx9.mx,S=10,W=12:2,"), "new_one_is_in_cur");
    (void)unlinkat(root, "c/stafet.index", 0);
    folder_close(&folder);
    (void)!folder_open(&folder, root, "c", FOLDER_WRITE);
    is(view(&folder), "1:18 3:0 4:0 5:30 6:0", "a_deleted_index_costs_no_uid");
    ok(folder.uidnext >= 7, "nor_uidnext");
    folder_close(&folder);
    folder_list_free(&list);
}

static int try_append(struct folder *folder, const char *text, uint32_t *uid)
{
    struct folder_append append;
    struct append_meta meta = {.flags = MAILBOX_SEEN, .date = 1000, .bytes = strlen(text), .wire_bytes = strlen(text) + 2};
    folder_append_begin(&append, folder);
    is_number(folder_append_file(&append), 0, "append_opens_a_file");
    (void)!write(append.fd, text, strlen(text));
    is_number(folder_append_done(&append, &meta), 0, "append_syncs_it");
    return folder_append_commit(&append, "mx.test", uid);
}

static void append_one(struct folder *folder, const char *text, uint32_t *uid)
{
    is_number(try_append(folder, text, uid), 0, "append_commits");
}

static void test_adding(void)
{
    struct folder a;
    struct folder b;
    struct folder_list list = {0};
    struct folder_list from = {0};
    struct folder_list to = {0};
    uint32_t uid = 0;
    scratch_maildir(root, "d");
    scratch_maildir(root, "e");
    is_number(folder_open(&a, root, "d", FOLDER_WRITE), 0, "opens_an_empty_folder");
    (void)!folder_sync(&a, FOLDER_LOOK);
    append_one(&a, "X: y\n\n1\n", &uid);
    is_number(uid, 1, "first_uid_is_1");
    append_one(&a, "X: y\n\n2\n", &uid);
    int keyword = folder_keyword(&a, "$Junk", 5, true);
    is_number(keyword, 0, "first_keyword_is_a");
    list_of(&list, 2, 2);
    struct folder_store store = {.how = STORE_ADD, .keywords = 1};
    is_number(folder_store(&a, &list, &store, NULL), 0, "stores_a_keyword");
    for (unsigned i = 0; i < 30; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "k%u", i);
        keyword = folder_keyword(&a, name, strlen(name), true);
    }
    is_number(keyword, 30, "keywords_past_the_letters");
    store.keywords = UINT64_C(1) << 30;
    is_number(folder_store(&a, &list, &store, NULL), 0, "stores_it");
    (void)!folder_open(&b, root, "e", FOLDER_WRITE);
    list_of(&list, 1, 2);
    is_number(folder_copy(&a, &list, &b, &from, &to), 0, "copies");
    is_number(to.n, 2, "two_uids");
    is(view(&b), "1:10 2:10", "flags_come_along");
    ok(folder_record(&b, 1)->keywords == 3, "keywords_come_along_by_name");
    from.n = to.n = 0;
    list_of(&list, 1, 1);
    is_number(folder_move(&a, &list, &b, &from, &to), 0, "moves");
    is(view(&b), "1:10 2:10 3:10", "moved_one_is_there");
    is(view(&a), "2:10", "and_here_no_more");
    (void)folder_tell_exists(&a);
    is_number(folder_sync(&a, FOLDER_LOOK), 0, "nothing_more_to_see");
    is(view(&a), "2:10", "still");
    folder_close(&b);
    (void)unlinkat(root, "d/stafet.index", 0);
    folder_close(&a);
    (void)!folder_open(&a, root, "d", FOLDER_WRITE);
    ok(folder_record(&a, 0)->keywords == (UINT64_C(1) << 30 | 1), "all_keywords_survive_the_index");
    folder_close(&a);
    folder_list_free(&list);
    folder_list_free(&from);
    folder_list_free(&to);
}

/* The base of g is damaged, and the journal has something about its first message: who plays it will see. */
static void damage(uint8_t flag)
{
    struct folder folder;
    struct folder_list list = {0};
    struct folder_store store = {.how = STORE_ADD, .flags = flag};
    list_of(&list, 1, 1);
    ok(folder_open(&folder, root, "g", FOLDER_WRITE) == 0 && folder_store(&folder, &list, &store, NULL) == 0, "a_change");
    folder_close(&folder);
    int fd = openat(root, "g/stafet.index", O_WRONLY);
    ok(pwrite(fd, "\xff\xff", 2, INDEX_HEADER + 8) == 2, "a_block_is_damaged");
    close(fd);
}

static unsigned count_files(const char *path)
{
    unsigned n = 0;
    DIR *folder = fdopendir(openat(root, path, O_RDONLY | O_DIRECTORY));
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        n += entry->d_name[0] != '.';
    }
    closedir(folder);
    return n;
}

static void test_damage_of_target(void)
{
    struct folder target;
    struct folder source;
    struct folder_list list = {0};
    struct folder_list from = {0};
    struct folder_list to = {0};
    uint32_t uid = 0;
    scratch_maildir(root, "g");
    scratch_maildir(root, "h");
    deliver("g", "cur", 1, ":2,");
    deliver("h", "cur", 1, ":2,");
    list_of(&list, 1, 1);
    ok(folder_open(&source, root, "h", FOLDER_WRITE) == 0 && folder_open(&target, root, "g", FOLDER_WRITE) == 0, "two_folders");
    damage(MAILBOX_FLAGGED);
    ok(try_append(&target, "X: y\n\n1\n", &uid) == -1 && errno == EUCLEAN, "append_says_that_its_folder_is_damaged");
    ok(count_files("g/tmp") == 0 && count_files("g/cur") == 1 && !exists("g/stafet.index"), "and_leaves_nothing");
    folder_close(&target);
    ok(folder_open(&target, root, "g", FOLDER_WRITE) == 0, "it_is_made_anew");
    damage(MAILBOX_SEEN);
    ok(folder_move(&source, &list, &target, &from, &to) == -1 && errno == EUCLEAN, "move_says_it_too");
    ok(count_files("h/cur") == 1 && count_files("g/cur") == 1 && !source.is_locked, "and_moves_nothing");
    folder_close(&target);
    ok(folder_open(&target, root, "g", FOLDER_WRITE) == 0 && folder_move(&source, &list, &target, &from, &to) == 0,
       "until_it_is_opened_again");
    ok(folder_sync(&target, FOLDER_LOOK) == 0, "it_goes_on");
    is(view(&target), "1:12 2:0", "with_all_mail");
    folder_close(&target);
    folder_close(&source);
}

/* The last message; what is out of place is found by looking at it. */
static int open_last(void *ctx)
{
    struct folder *folder = ctx;
    int fd = folder_open_message(folder, folder_end(folder) - 1, NULL);
    if (fd >= 0) {
        close(fd);
    }
    return fd < 0 ? -1 : 0;
}

/* The index gets message 2 under this name. */
static bool add_name(struct folder *folder, const char *name, uint8_t state)
{
    const struct record record = {.uid = 2, .state = state};
    if (folder_lock(folder) < 0) {
        return false;
    }
    size_t start = entry_begin(&folder->out, ENTRY_APPEND, folder_next_modseq(folder));
    entry_put(&folder->out, &record, sizeof record);
    entry_put(&folder->out, name, strlen(name) + 1);
    entry_end(&folder->out, start, 1);
    bool is_done = folder_commit(folder) == 0;
    folder_unlock(folder);
    return is_done;
}

/* Right sums over a name that leads out of the folder. */
static void test_name_that_is_a_path(void)
{
    struct folder folder;
    scratch_maildir(root, "p");
    deliver("p", "cur", 1, ":2,S");
    scratch_put(root, "secret", "not mail\n");
    ok(folder_open(&folder, root, "p", FOLDER_WRITE) == 0, "a_folder");
    ok(add_name(&folder, "../../secret", RECORD_IS_NEW), "whose_index_has_a_path_for_a_name");
    ok(folder_guarded(&folder, open_last, &folder) == -1 && errno == EUCLEAN, "is_damaged");
    folder_close(&folder);
    ok(folder_open(&folder, root, "p", FOLDER_WRITE) == 0 && folder_sync(&folder, FOLDER_LOOK) == 0, "and_made_anew");
    is(view(&folder), "1:10", "without_it");
    folder_close(&folder);
}

/* An index that older code made knows a name without room for flags. */
static void test_name_without_room(void)
{
    struct folder folder;
    struct folder_list list = {0};
    struct folder_list failed = {0};
    struct folder_store store = {.how = STORE_ADD, .flags = MAILBOX_SEEN | MAILBOX_TRASHED};
    char path[300];
    int len = snprintf(path, sizeof path, "l/cur/1000002.%0244d:2,", 0);
    scratch_maildir(root, "l");
    deliver("l", "cur", 1, ":2,S");
    ok(folder_open(&folder, root, "l", FOLDER_WRITE) == 0 && folder_sync(&folder, FOLDER_LOOK) == 0, "a_folder");
    scratch_put(root, path, "A: b\n\nxyz\n");
    path[len - 3] = '\0';
    ok(add_name(&folder, path + 6, 0), "whose_index_has_a_long_name");
    (void)folder_tell_exists(&folder);
    list_of(&list, 1, 2);
    is_number(folder_store(&folder, &list, &store, &failed), 0, "flags_are_stored");
    is(view(&folder), "1:30 2:30", "for_each_message");
    ok(failed.n == 0 && strcmp(expunges(&folder), "") == 0, "and_both_are_the_same_as_before");
    folder_close(&folder);
    folder_list_free(&list);
}

/* A journal of this length: sizes of messages that are not there. */
static bool lengthen_journal(struct folder *folder, size_t bytes)
{
    const struct entry_cache item = {.uid = 1000000, .size = 1};
    if (folder_lock(folder) < 0) {
        return false;
    }
    size_t start = entry_begin(&folder->out, ENTRY_CACHE, 0);
    size_t n = bytes / sizeof item;
    for (size_t i = 0; i < n; i++) {
        entry_put(&folder->out, &item, sizeof item);
    }
    entry_end(&folder->out, start, (uint32_t)n);
    bool is_good = folder_commit(folder) == 0;
    folder_unlock(folder);
    return is_good;
}

static void test_long_journal(void)
{
    struct folder folder;
    scratch_maildir(root, "j");
    deliver("j", "cur", 1, ":2,S");
    ok(folder_open(&folder, root, "j", FOLDER_WRITE) == 0 && folder_sync(&folder, FOLDER_LOOK) == 0, "a_folder");
    (void)folder_tell_exists(&folder);
    ok(lengthen_journal(&folder, 3 << 20), "whose_journal_is_long");
    folder_tidy_pressed(&folder);
    ok(folder.journal_at > 3 << 20, "is_left_alone_while_its_client_presses");
    ok(lengthen_journal(&folder, 2 << 20), "when_it_is_longer");
    folder_tidy_pressed(&folder);
    ok(folder.journal_at < 4096, "it_gets_a_new_base");
    is(view(&folder), "1:10", "with_what_was_there");
    ok(folder_exists(&folder) == 1 && folder_seq(&folder, 0) == 1, "and_the_same_numbers");
    folder_close(&folder);
}

static bool has_summary(struct folder *folder, const char *wanted)
{
    const char *bytes;
    size_t n;
    return folder_sync(folder, FOLDER_LOOK) == 0 && folder_summary(folder, folder_end(folder) - 1, &bytes, &n) == 0 &&
           n == strlen(wanted) && memcmp(bytes, wanted, n) == 0;
}

/* A delivery with what the deliverer says of it. */
static void deliver_parsed(unsigned number, const char *summary)
{
    char base[100];
    int dir = openat(root, "f", O_RDONLY | O_DIRECTORY);
    (void)snprintf(base, sizeof base, "%u.M1Qx%u.mx,S=10,W=12", 1000000 + number, number);
    ok(fresh_append(dir, base, strlen(base), summary, strlen(summary)) == 0, "a_summary_is_left");
    close(dir);
    deliver("f", "new", number, "");
}

static void test_fresh(void)
{
    struct folder folder;
    scratch_maildir(root, "f");
    ok(folder_open(&folder, root, "f", FOLDER_WRITE) == 0, "a_folder_for_parsed_mail");
    deliver_parsed(1, "one");
    ok(has_summary(&folder, "one"), "what_the_deliverer_parsed_is_taken");
    int fd = openat(root, "f/stafet.fresh", O_WRONLY | O_APPEND);
    ok(write(fd, "half an entry, and then", 20) == 20, "a_deliverer_died_in_its_entry");
    close(fd);
    deliver_parsed(2, "two");
    ok(!has_summary(&folder, "two") && !exists("f/stafet.fresh"), "a_broken_entry_ends_the_file");
    deliver_parsed(3, "three");
    ok(has_summary(&folder, "three"), "and_the_next_one_is_read");
    fd = openat(root, "f/stafet.fresh", O_WRONLY);
    ok(ftruncate(fd, 2 << 20) == 0, "it_grew_to_2_mib");
    close(fd);
    deliver("f", "new", 4, "");
    ok(folder_sync(&folder, FOLDER_LOOK) == 0 && !exists("f/stafet.fresh"), "a_large_one_goes");
    folder_close(&folder);
}

int main(void)
{
    program_start("test_folder");
    scratch_begin();
    root = open(".", O_RDONLY | O_DIRECTORY);
    test_first_open();
    test_two_sessions();
    test_foreign_changes();
    test_adding();
    test_fresh();
    test_damage_of_target();
    test_long_journal();
    test_name_that_is_a_path();
    test_name_without_room();
    return scratch_end(done());
}
