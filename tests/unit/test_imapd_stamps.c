/* SPDX-License-Identifier: ISC */
/* imapd/folder_*: what the index believes of new/ and cur/ without looking. Nothing stays hidden, nothing that is gone stays, no
 * look costs a scan for ever; and whoever has the lock has the one that others wait for. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"
#include "tests/unit/imapd_changes.h"

enum { TICK_NS = 10000000, LATE_S = 12, AHEAD_S = 3600, SETTLE_MS = 15, LOOKS = 20 };
static time_t ahead_s; /* how far the clock is wrong */

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, clock, out);
    out->tv_sec += clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? ahead_s : 0;
    return result;
}

static void open_folder(struct folder *folder, enum folder_mode mode)
{
    ok(folder_open(folder, root, ".", mode) == 0 && folder_sync(folder, FOLDER_LOOK) == 0, "a_folder_is_open");
}

static uint32_t count(struct folder *folder)
{
    return folder_sync(folder, FOLDER_LOOK) < 0 ? 0 : folder->n_live;
}

static uint32_t count_anew(enum folder_mode mode)
{
    struct folder folder;
    uint32_t n = 0;
    if (folder_open(&folder, root, ".", mode) == 0) {
        n = count(&folder);
        folder_close(&folder);
    }
    return n;
}

static void forget_uiddb(void)
{
    (void)unlinkat(root, "courierimapuiddb", 0);
}

/* ---- gone from new/ */
static void test_gone_from_new(enum folder_mode mode, const char *name)
{
    struct folder folder;
    begin_user();
    forget_uiddb();
    open_folder(&folder, mode);
    deliver("new", 7, "");
    is_number(count_anew(FOLDER_READ), MESSAGES, "a_message_that_stays_in_new_is_counted");
    (void)unlinkat(root, "new/1000007.M1Qx7.mx", 0);
    (void)count(&folder);
    is_number(count(&folder), MESSAGES - 1, name);
    folder_close(&folder);
    end_user();
}

/* ---- the way to cur/ is barred */
static unsigned reads_of_a_look(struct folder *folder)
{
    fault.reads = 0;
    (void)!folder_sync(folder, FOLDER_LOOK);
    return fault.reads;
}

static void test_cur_that_cannot_be_written(void)
{
    struct folder folder;
    begin_user();
    forget_uiddb();
    deliver("new", 7, "");
    is_number(count_anew(FOLDER_READ), MESSAGES, "a_message_stays_in_new");
    open_folder(&folder, FOLDER_READ);
    folder.mode = FOLDER_WRITE;
    fault.refuses_renames = true;
    (void)poll(NULL, 0, 100); /* new/ and cur/ are not young any more */
    (void)reads_of_a_look(&folder);
    unsigned reads = 0;
    for (unsigned i = 0; i < LOOKS; i++) {
        reads += reads_of_a_look(&folder);
    }
    fault.refuses_renames = false;
    is_number(reads, (int64_t)2 * LOOKS, "where_it_cannot_be_moved_to_cur_a_look_reads_new_and_not_cur");
    is_number(count(&folder), MESSAGES, "and_nothing_is_lost");
    folder_close(&folder);
    end_user();
}

/* ---- Courier's keywords */
static void leave_new(void)
{
    deliver("new", 9, "");
}

static void test_import(void)
{
    struct folder folder;
    unsigned hidden = 0;
    unsigned at = 0;
    for (bool was_reached = true; was_reached; end_user()) {
        begin_user();
        (void)mkdirat(root, "courierimapkeywords", 0700);
        scratch_put(root, "courierimapkeywords/:list", "Foo\n\n1000001.M1Qx1.mx:0\n");
        fault.how = MEANWHILE;
        fault.at = ++at;
        fault.n = 0;
        fault.meanwhile = leave_new;
        bool is_open = folder_open(&folder, root, ".", FOLDER_READ) == 0;
        was_reached = fault.n >= at;
        fault.how = NOTHING;
        hidden += !is_open || count(&folder) != (was_reached ? MESSAGES : MESSAGES - 1);
        folder_close(&folder);
    }
    ok(at > 20 && hidden == 0, "mail_that_comes_while_courier_s_keywords_are_taken_shows_at_the_first_look");
}

/* ---- the lock */
static void test_lost_lock(void)
{
    struct folder before;
    struct folder after;
    begin_user();
    open_folder(&before, FOLDER_WRITE);
    (void)unlinkat(root, DOTLOCK_OURS, 0);
    open_folder(&after, FOLDER_WRITE);
    ok(folder_lock(&before) == 0, "the_lock_s_file_was_removed_under_a_session_and_it_locks");
    errno = 0;
    ok(flock(after.lock, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK, "the_same_one_as_a_session_that_came_later");
    folder_unlock(&before);
    folder_close(&after);
    folder_close(&before);
    end_user();
}

/* ---- the clock is set back */
static void leave_in_cur(void)
{
    deliver("cur", 8, ":2,");
}

/* Is the mail found that somebody leaves beside one that is appended? False: there is no such call. */
static bool try_clock_set_back(unsigned at, unsigned *hidden)
{
    struct folders both;
    begin_user();
    ahead_s = AHEAD_S;
    deliver("cur", 7, ":2,");
    bool is_open = open_both(&both) == 0;
    ahead_s = 0;
    fault.how = MEANWHILE;
    fault.at = at;
    fault.n = 0;
    fault.meanwhile = leave_in_cur;
    bool is_done = is_open && do_append(&both) == 0;
    fault.how = NOTHING;
    bool was_reached = fault.n >= at;
    ahead_s = LATE_S;
    *hidden += !is_done || count(&both.a) != MESSAGES + (was_reached ? 2U : 1U);
    ahead_s = 0;
    folder_close(&both.a);
    folder_close(&both.b);
    folder_list_free(&both.uids);
    end_user();
    return was_reached;
}

static void test_clock_set_back(void)
{
    unsigned hidden = 0;
    unsigned at = 1;
    fault.tick_ns = TICK_NS;
    while (try_clock_set_back(at, &hidden)) {
        at++;
    }
    fault.tick_ns = 0;
    ok(at > 20 && hidden == 0, "when_the_clock_was_set_back_an_hour_what_comes_in_the_tick_of_an_append_shows");
}

/* ---- a foreign program takes one of two new messages to cur/ */
static void settle(void)
{
    (void)poll(NULL, 0, SETTLE_MS);
}

static void take_one(void)
{
    settle();
    (void)renameat(root, "new/1000009.M1Qx9.mx", root, "cur/1000009.M1Qx9.mx:2,S");
    settle();
}

static void test_taken_before_the_scan(void)
{
    struct folder folder;
    begin_user();
    open_folder(&folder, FOLDER_WRITE);
    settle();
    settle();
    (void)count(&folder);
    deliver("new", 7, "");
    deliver("new", 9, "");
    fault.how = MEANWHILE;
    fault.only = READS_NAMES;
    fault.at = 1;
    fault.n = 0;
    fault.meanwhile = take_one;
    (void)count(&folder);
    fault.how = NOTHING;
    fault.only = 0;
    is_number(count(&folder), MESSAGES + 1, "mail_that_is_taken_to_cur_before_new_is_read_shows_at_the_next_look");
    folder_close(&folder);
    end_user();
}

/* ---- what a new message costs */
static void test_reads(void)
{
    struct folder folder;
    begin_user();
    open_folder(&folder, FOLDER_WRITE);
    (void)poll(NULL, 0, 100);
    (void)count(&folder);
    deliver("new", 7, "");
    (void)poll(NULL, 0, 100);
    is_number(reads_of_a_look(&folder), 2, "a_new_message_costs_one_reading_of_new");
    (void)poll(NULL, 0, 100);
    is_number(reads_of_a_look(&folder), 2, "and_another_one_since_others_might_have_come_in_its_tick");
    is_number(reads_of_a_look(&folder), 0, "then_none");
    folder_close(&folder);
    end_user();
}

/* ---- a file system whose reads are no snapshots, and a folder that never holds still */
static void test_torn_scan(void)
{
    struct folder folder;
    begin_user();
    open_folder(&folder, FOLDER_WRITE);
    fault.is_remote = true;
    fault.hides = "1000003.M1Qx3.mx:2,a";
    deliver("cur", 7, ":2,");
    is_number(count(&folder), MESSAGES, "a_read_of_a_folder_that_changes_all_the_time_expunges_nothing");
    struct folder_list uids = {0};
    uint64_t freed;
    uint32_t n;
    folder_list_add(&uids, 3);
    (void)renameat(root, "cur/1000003.M1Qx3.mx:2,a", root, "cur/1000003.M1Qx3.mx:2,Sa");
    fault.hides = "1000003.M1Qx3.mx:2,Sa";
    errno = 0;
    ok(folder_expunge(&folder, &uids, &freed, &n) < 0 && errno == EAGAIN, "what_it_does_not_show_is_not_taken_for_gone");
    fault.hides = NULL;
    fault.is_remote = false;
    is_number(count(&folder), MESSAGES, "and_is_there_when_it_holds_still");
    folder_list_free(&uids);
    folder_close(&folder);
    end_user();
}

/* ---- a scan that cannot be written down */
static void test_failed_scan(void)
{
    struct folder folder;
    unsigned failed = 0;
    unsigned wrong = 0;
    unsigned at = 0;
    for (bool was_reached = true; was_reached; end_user()) {
        begin_user();
        open_folder(&folder, FOLDER_WRITE);
        uint64_t scanned_us = folder.scanned_us;
        settle();
        deliver("cur", 7, ":2,");
        fault.how = ONCE;
        fault.at = ++at;
        fault.n = 0;
        bool has_failed = folder_sync(&folder, FOLDER_LOOK) < 0;
        was_reached = fault.n >= at;
        fault.how = NOTHING;
        failed += has_failed;
        wrong += has_failed && folder.n_live == MESSAGES - 1 && folder.scanned_us != scanned_us;
        folder_close(&folder);
    }
    ok(failed > 10 && wrong == 0, "a_scan_that_fails_does_not_count_as_one");
}

/* ---- cur/ has both names that a new message could get */
static void test_names_that_are_taken(void)
{
    struct folder folder;
    char name[100];
    unsigned body = 0;
    begin_user();
    open_folder(&folder, FOLDER_WRITE);
    deliver("cur", 7, ":2,");
    (void)snprintf(name, sizeof name, "cur/1000007.M1Qx7.mx-D%u:2,", folder.uidnext + 2);
    scratch_put(root, name, "Subject: 8\n\nbody of 8\n");
    (void)count(&folder);
    (void)poll(NULL, 0, 100);
    (void)count(&folder);
    deliver("new", 7, "");
    is_number(count(&folder), MESSAGES + 2, "a_message_whose_names_in_cur_are_taken_stays_in_new");
    ok(read_body(&folder, folder_end(&folder) - 1, &body) && body == 7, "and_is_found_there");
    folder_close(&folder);
    end_user();
}

int main(void)
{
    scratch_begin_fast();
    top = open(".", O_RDONLY | O_DIRECTORY);
    test_gone_from_new(FOLDER_READ, "and_is_gone_when_another_program_removes_it_there");
    test_gone_from_new(FOLDER_WRITE, "also_to_a_session_that_had_it_selected");
    test_cur_that_cannot_be_written();
    test_import();
    test_lost_lock();
    test_clock_set_back();
    test_taken_before_the_scan();
    test_reads();
    test_torn_scan();
    test_failed_scan();
    test_names_that_are_taken();
    close(top);
    return scratch_end(done());
}
