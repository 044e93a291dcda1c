/* SPDX-License-Identifier: ISC */
/* imapd/folder_*: before each system call of each change a foreign program does something to the Maildir: it flags messages,
 * takes the mail that just came to cur/, leaves new mail; or the session dies there, and another one makes a change of its own
 * behind it. The clock of the file system ticks slowly, as before Linux 6.13 (or by seconds, or it is a server's): what happens
 * within a tick has one mtime. The next look shows each message once, with its UID; only what a foreign program took to cur/ may
 * show some seconds later, and not even that when it did so while the session waited for a lock or a sync. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"
#include "tests/unit/imapd_changes.h"

enum { SAYS_MAX = 60, TICK_NS = 10000000, SECOND_NS = 1000000000, LATE_S = 12, AHEAD_S = 30, SETTLE_MS = 15, SYNC = 1 };
enum { TAKEN = 4, TAKEN_UID = 11, APPENDED = 9, FOREIGN_MAIL = 10, CUR_MAIL = 11, WAITING = 12 };
static unsigned n_said;
static time_t later_s; /* what has passed beside the tests' own time */
static time_t ahead_s; /* this machine's clocks before the server's */

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, clock, out);
    out->tv_sec += clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? later_s + ahead_s : 0;
    return result;
}

/* ---- what others do */
static void rename_to(const char *from_dir, unsigned number, const char *from, const char *to)
{
    char before[100];
    char after[100];
    (void)snprintf(before, sizeof before, "%s/%u.M1Qx%u.mx%s", from_dir, 1000000 + number, number, from);
    (void)snprintf(after, sizeof after, "cur/%u.M1Qx%u.mx%s", 1000000 + number, number, to);
    (void)renameat(root, before, root, after);
}

/* What the session works on, whatever it is called by now. */
static void flag_messages(void)
{
    static const unsigned numbers[] = {1, 2, 3, 7, 8, WAITING};
    static const char *const names[] = {":2,a", ":2,S", ":2,Fa", ":2,"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            rename_to("cur", numbers[i], names[k], i % 2 == 0 ? ":2,DSa" : ":2,DR");
        }
    }
}

static void take_new_mail(void)
{
    rename_to("new", WAITING, "", ":2,S");
}

static void leave_new_mail(void)
{
    deliver("new", FOREIGN_MAIL, "");
}

static void settle(void)
{
    (void)poll(NULL, 0, SETTLE_MS);
}

/* Between ticks. */
static void leave_in_cur(void)
{
    settle();
    deliver("cur", CUR_MAIL, ":2,");
    settle();
}

static void die(void)
{
    _exit(0);
}

struct other {
    const char *name;
    void (*run)(void);
};
static const struct other others[] = {{"it_dies", die},
                                      {"messages_are_flagged", flag_messages},
                                      {"new_mail_is_taken", take_new_mail},
                                      {"new_mail_comes", leave_new_mail}};
static const struct other left_in_cur = {"while_it_waits_mail_is_left_in_cur", leave_in_cur};

/* What the session behind it does, to other messages. */
static int next_nothing(struct folders *both)
{
    (void)both;
    return 0;
}

static int next_sync(struct folders *both)
{
    return folder_sync(&both->a, FOLDER_LOOK);
}

static int next_store(struct folders *both)
{
    const struct folder_store store = {.how = STORE_ADD, .flags = MAILBOX_FLAGGED};
    return folder_store(&both->a, &both->uids, &store, NULL);
}

static int next_copy(struct folders *both)
{
    return do_copy(both);
}

static int next_move(struct folders *both)
{
    return do_move(both);
}

static int next_append(struct folders *both)
{
    return do_append(both);
}

struct next {
    const char *name;
    int (*run)(struct folders *both);
};
static const struct next nexts[] = {{"nothing", next_nothing}, {"sync", next_sync}, {"store", next_store},
                                    {"copy", next_copy},       {"move", next_move}, {"append", next_append}};

/* ---- the look afterwards */
struct trial {
    const struct change *change;
    const struct other *other;
    const struct next *next; /* of a session that dies */
    unsigned at;
    bool was_reached, is_exact; /* nothing is left that may be late */
    struct state before;
};

static bool say(const struct trial *trial, const char *what, unsigned number)
{
    if (n_said++ < SAYS_MAX) {
        printf("# %s, call %u, %s, then %s: %s %u\n", trial->change->name, trial->at, trial->other->name, trial->next->name, what,
               number);
    }
    return false;
}

/* How often a body may be there that the change, or what came behind it, is about. */
static void expect_of_change(const struct trial *trial, unsigned body, unsigned *least, unsigned *most)
{
    bool is_dead = trial->was_reached && trial->other->run == die;
    bool adds = trial->change->what == ADDS;
    if (body == TAKEN) {
        *least = *most = trial->next->run == next_copy ? 2 : 1;
    } else if (body == APPENDED) {
        *most = (adds ? 1U : 0U) + (trial->next->run == next_append ? 1U : 0U);
        *least = *most - (adds && is_dead ? 1U : 0U);
    } else if (trial->change->what == COPIES) {
        *least = is_dead ? 1 : 2;
        *most = 2;
    } else if (trial->change->what == REMOVES) {
        *least = 0;
        *most = is_dead;
    }
}

/* How often a body may be there. */
static void expect(const struct trial *trial, unsigned body, unsigned *least, unsigned *most)
{
    bool is_old = body <= MESSAGES || body == WAITING;
    bool is_left = trial->was_reached && ((body == FOREIGN_MAIL && trial->other->run == leave_new_mail) ||
                                          (body == CUR_MAIL && trial->other->run == leave_in_cur));
    bool is_of_sync = body == 7 && (trial->change->run == do_sync || trial->change->run == do_open);
    *least = *most = is_old || is_left || is_of_sync;
    if (body == 1 || body == 3 || body == TAKEN || body == APPENDED) {
        expect_of_change(trial, body, least, most);
    } else if (body == 8 && trial->change->run == do_sync) { /* left in cur/ itself */
        *least = trial->is_exact;
        *most = 1;
    }
}

static bool check(const struct trial *trial, const char *when)
{
    struct state after;
    unsigned least;
    unsigned most;
    if (!look(&after)) {
        return say(trial, "no look at it", 0);
    }
    for (unsigned which = 0; which < 2; which++) {
        const char *trouble = compare_uids(&trial->before, &after, which);
        if (trouble != NULL) {
            return say(trial, trouble, which);
        }
    }
    for (unsigned body = 1; body < 16; body++) {
        expect(trial, body, &least, &most);
        if (after.copies[body] < least || after.copies[body] > most) {
            return say(trial, when, body);
        }
    }
    return true;
}

/* ---- one trial */
static int run_change(struct trial *trial, struct folders *both)
{
    fault.how = MEANWHILE;
    fault.at = trial->at;
    fault.n = 0;
    fault.meanwhile = trial->other->run;
    int result = trial->change->run(both);
    trial->was_reached = fault.n >= trial->at;
    fault.how = NOTHING;
    fault.is_linkless = false;
    return result;
}

/* 0; -1 it did not go as it should. */
static int die_in_change(struct trial *trial)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct folders both;
        int result = open_both(&both) < 0 ? -1 : run_change(trial, &both);
        _exit(result < 0 ? 2 : 1); /* it lives */
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return -1;
    }
    trial->was_reached = WEXITSTATUS(status) == 0;
    return WEXITSTATUS(status) > 1 ? -1 : 0;
}

static bool run_trial(struct trial *trial)
{
    struct folders both;
    if (open_both(&both) < 0) {
        return say(trial, "no folders", 0);
    }
    deliver("new", WAITING, "");
    if (trial->other->run == die) {
        both.uids.n = 0;
        folder_list_add(&both.uids, TAKEN_UID);
        if (die_in_change(trial) < 0) {
            return say(trial, "it ends in another way", 0);
        }
        if (trial->next->run(&both) < 0) {
            return say(trial, "then it is refused", (unsigned)errno);
        }
    } else if (run_change(trial, &both) < 0) {
        return say(trial, "it is refused", (unsigned)errno);
    }
    later_s = trial->other->run == take_new_mail ? LATE_S : 0;
    bool is_good = check(trial, "at the next look it is not as it is:");
    later_s = 0;
    folder_close(&both.a);
    folder_close(&both.b);
    folder_list_free(&both.uids);
    (void)unlinkat(root, INDEX_NAME, 0);
    (void)unlinkat(root, ".B/" INDEX_NAME, 0);
    trial->is_exact = true;
    return is_good && check(trial, "without the index it is not as it is:");
}

static void try_all(const struct change *change, const struct other *other, const struct next *next, const char *where)
{
    struct trial trial = {.change = change, .other = other, .next = next, .was_reached = true};
    unsigned wrong = 0;
    char name[100];
    while (trial.was_reached && wrong < 10) {
        trial.at++;
        trial.is_exact = false;
        begin_user();
        wrong += !look(&trial.before) || !run_trial(&trial);
        end_user();
    }
    (void)snprintf(name, sizeof name, "%s_and_meanwhile_%s%s%s%s", change->name, other->name, other->run == die ? "_then_" : "",
                   other->run == die ? next->name : "", where);
    printf("# %s: %u calls\n", name, trial.at - 1);
    ok(wrong == 0 && trial.at > (fault.only == WAITS ? 1 : 5), name);
}

/* Where a dead session leaves names that no index knows, or the UIDs of such. */
static bool leaves_names(const struct change *change)
{
    return change->run == do_sync || change->run == do_append || change->run == do_copy || change->run == do_move;
}

static void try_others(const struct change *change, const char *where)
{
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        bool has_next = others[k].run == die && leaves_names(change);
        for (size_t n = 0; n < (has_next ? sizeof nexts / sizeof *nexts : 1); n++) {
            try_all(change, &others[k], &nexts[n], where);
        }
    }
}

int main(void)
{
    scratch_begin_fast();
    top = open(".", O_RDONLY | O_DIRECTORY);
    fault.tick_ns = TICK_NS;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        try_others(&changes[i], "");
    }
    fault.tick_ns = SECOND_NS;
    try_others(&changes[SYNC], "_by_mtimes_of_seconds");
    fault.tick_ns = TICK_NS;
    fault.is_remote = true;
    ahead_s = AHEAD_S;
    try_others(&changes[SYNC], "_by_a_server_s_clock");
    fault.is_remote = false;
    ahead_s = 0;
    fault.tick_ns = 0;
    fault.only = WAITS;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        try_all(&changes[i], &left_in_cur, &nexts[0], "");
    }
    close(top);
    return scratch_end(done());
}
