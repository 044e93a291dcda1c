/* SPDX-License-Identifier: ISC */
/* imapd/targets: which messages a set means, by number, by UID and by $; expunged ones, and ones that were not told yet. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/folder_inner.h"
#include "imapd/session.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static struct session session;
static stralloc text;

static void deliver(unsigned number)
{
    char path[64];
    (void)snprintf(path, sizeof path, "new/%u.M1Qx%u.mx,S=10,W=13", 1000000 + number, number);
    int fd = openat(session.root, path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || write(fd, "A: b\n\nxyz\n", 10) != 10) {
        perror(path);
        exit(111);
    }
    close(fd);
}

/* The spans as `0-3 5-6`, and their UIDs: `0-3 = 1 2 4`. */
static const char *targets(const char *set_text, bool is_uid)
{
    char bytes[64];
    size_t n = strlen(set_text);
    struct set set = {0};
    struct targets found;
    struct folder_list uids = {0};
    memcpy(bytes, set_text, n);
    struct parser parser = {bytes, bytes + n};
    text.len = 0;
    if (!parse_set(&parser, &set) || !parse_end(&parser)) {
        return "no set";
    }
    const struct reply *trouble = session_targets(&session, &set, is_uid, &found);
    for (uint32_t i = 0; trouble == NULL && i < found.n; i++) {
        str_catf(&text, "%u-%u ", found.span[i].from, found.span[i].to);
    }
    if (trouble == NULL) {
        targets_uids(&session, &found, &uids);
        str_catc(&text, '=');
    }
    for (uint32_t i = 0; i < uids.n; i++) {
        str_catf(&text, " %u", uids.item[i]);
    }
    targets_free(&found);
    folder_list_free(&uids);
    set_clear(&set);
    return trouble == &reply_bad_set ? "bad set" : trouble != NULL ? "other trouble" : str_text(&text);
}

static void tell_nothing(void *ctx, uint32_t seq, uint32_t uid)
{
    (void)ctx;
    (void)seq;
    (void)uid;
}

static void expunge(uint32_t uid, bool is_told)
{
    struct folder_list list = {0};
    uint64_t freed;
    uint32_t n;
    folder_list_add(&list, uid);
    if (folder_expunge(&session.folder, &list, &freed, &n) < 0) {
        perror("expunge");
        exit(111);
    }
    if (is_told) {
        folder_tell_expunges(&session.folder, tell_nothing, NULL);
    }
    folder_list_free(&list);
}

static void sync_and_tell(bool is_told)
{
    if (folder_sync(&session.folder, FOLDER_LOOK) < 0) {
        perror("sync");
        exit(111);
    }
    if (is_told) {
        (void)folder_tell_exists(&session.folder);
    }
}

static void in_an_empty_mailbox(void)
{
    is(targets("1", false), "bad set", "there_is_no_first_message");
    is(targets("*", false), "bad set", "nor_a_last");
    is(targets("1:*", false), "bad set", "nor_all_of_them");
    is(targets("1", true), "=", "a_uid_that_is_not_there_is_nothing");
    is(targets("1:*", true), "=", "nor_are_all_of_them");
    is(targets("*", true), "=", "nor_is_the_highest");
}

static void by_number(void)
{
    is(targets("1", false), "0-1 = 1", "the_first");
    is(targets("*", false), "4-5 = 5", "the_last");
    is(targets("1:*", false), "0-5 = 1 2 3 4 5", "all");
    is(targets("*:4", false), "3-5 = 4 5", "from_the_last");
    is(targets("4:2", false), "1-4 = 2 3 4", "a_range_the_other_way_round");
    is(targets("1,3,5", false), "0-1 2-3 4-5 = 1 3 5", "three_of_them");
    is(targets("5,1:2,2:3", false), "0-3 4-5 = 1 2 3 5", "in_order_and_once");
    is(targets("1,1,1", false), "0-1 = 1", "one_three_times");
    is(targets("1:2,3:4", false), "0-4 = 1 2 3 4", "what_touches_is_one_span");
    is(targets("6", false), "bad set", "one_beyond_the_last");
    is(targets("1:6", false), "bad set", "a_range_to_beyond_it");
    is(targets("6:*", false), "bad set", "a_range_from_beyond_it");
    is(targets("1,4294967295", false), "bad set", "the_highest_number");
}

static void by_uid(void)
{
    is(targets("1", true), "0-1 = 1", "a_uid");
    is(targets("*", true), "4-5 = 5", "the_highest_uid");
    is(targets("3:*", true), "2-5 = 3 4 5", "from_a_uid_on");
    is(targets("77:*", true), "4-5 = 5", "a_range_with_a_star_has_the_highest");
    is(targets("77", true), "=", "one_that_is_not_there");
    is(targets("6:4294967294", true), "=", "a_range_that_is_not_there");
    is(targets("1:4294967295", true), "0-5 = 1 2 3 4 5", "up_to_the_highest_number");
    is(targets("2,77,4", true), "1-2 3-4 = 2 4", "some_of_them_are");
    is(targets("4:2", true), "1-4 = 2 3 4", "a_range_the_other_way_round");
}

/* UID 2 was expunged and told, UID 4 was expunged and is still counted. */
static void with_holes(void)
{
    expunge(2, true);
    expunge(4, false);
    is_number(folder_exists(&session.folder), 4, "four_are_counted");
    is(targets("2", false), "2-3 = 3", "numbers_pass_over_the_told_one");
    is(targets("3", false), "3-4 =", "a_ghost_is_no_message");
    is(targets("4", false), "4-5 = 5", "but_it_counts");
    is(targets("1:*", false), "0-5 = 1 3 5", "all_but_the_holes");
    is(targets("5", false), "bad set", "there_is_no_fifth");
    is(targets("2", true), "1-2 =", "an_expunged_uid_is_nothing");
    is(targets("1:4", true), "0-4 = 1 3", "in_a_range_neither");
}

/* A message that came, but was not told. */
static void with_news(void)
{
    deliver(6);
    sync_and_tell(false);
    is_number(folder_end(&session.folder), 6, "it_is_there");
    is(targets("*", false), "4-5 = 5", "it_has_no_number");
    is(targets("*", true), "4-5 = 5", "nor_a_uid");
    is(targets("6", true), "=", "which_is_not_known");
    is(targets("1:*", true), "0-5 = 1 3 5", "nor_in_a_range");
    sync_and_tell(true);
    is(targets("*", true), "5-6 = 6", "once_it_is_told_it_is");
}

/* Another session expunges a message and writes a new base, in which that has no index; this client still counts it. */
static void with_ghosts(void)
{
    struct folder other;
    struct folder_list list = {0};
    uint64_t freed;
    uint32_t n;
    folder_tell_expunges(&session.folder, tell_nothing, NULL);
    is(targets("1:*", false), "0-6 = 1 3 5 6", "four_are_left");
    folder_list_add(&list, 3);
    bool is_done = folder_open(&other, session.root, ".", FOLDER_WRITE) == 0 && folder_expunge(&other, &list, &freed, &n) == 0 &&
                   folder_lock(&other) == 0 && folder_write_base(&other, other.head.uidvalidity) == 0;
    folder_unlock(&other);
    folder_close(&other);
    folder_list_free(&list);
    ok(is_done && folder_sync(&session.folder, FOLDER_JOURNAL) == 0 && session.folder.ghosts.n == 1, "one_is_a_ghost_then");
    is_number(folder_exists(&session.folder), 4, "which_counts");
    is(targets("2", false), "=", "it_is_no_message");
    is(targets("1:2", false), "0-1 = 1", "at_the_end_of_a_range");
    is(targets("2:3", false), "1-2 = 5", "at_its_beginning");
    is(targets("3,4", false), "1-3 = 5 6", "numbers_behind_it_hold");
    is(targets("1:*", false), "0-3 = 1 5 6", "in_between");
    is(targets("5", false), "bad set", "there_is_none_more");
    is(targets("3", true), "=", "its_uid_is_nothing");
}

static void by_what_was_saved(void)
{
    is(targets("$", false), "=", "nothing_was_saved");
    set_add(&session.saved, 5, 6);
    set_add(&session.saved, 1, 2);
    is(targets("$", false), "0-2 4-6 = 1 5 6", "uids_that_were_saved");
    is(targets("$", true), "0-2 4-6 = 1 5 6", "by_uid_the_same");
    set_clear(&session.saved);
}

int main(void)
{
    scratch_begin();
    session.root = open(".", O_RDONLY | O_DIRECTORY);
    (void)mkdirat(session.root, "cur", 0700);
    (void)mkdirat(session.root, "new", 0700);
    (void)mkdirat(session.root, "tmp", 0700);
    if (folder_open(&session.folder, session.root, ".", FOLDER_WRITE) < 0) {
        perror("open");
        return 111;
    }
    sync_and_tell(true);
    in_an_empty_mailbox();
    for (unsigned i = 1; i <= 5; i++) {
        deliver(i);
    }
    sync_and_tell(true);
    by_number();
    by_uid();
    with_holes();
    with_news();
    by_what_was_saved();
    with_ghosts();
    folder_close(&session.folder);
    close(session.root);
    return scratch_end(done());
}
