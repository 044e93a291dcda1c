/* SPDX-License-Identifier: ISC */
/* imapd/folder_*: each system call of each change fails once (EIO), and the disk is full from each of them on (ENOSPC). Whatever
 * was refused, no message and no UID is lost, none is another, what was said to be done is done, and the same is true when all
 * that is derived is deleted. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"
#include "tests/unit/imapd_changes.h"

enum { SAYS_MAX = 200 };
static unsigned n_said;

static bool say(const struct change *change, const char *what)
{
    if (n_said++ < SAYS_MAX) {
        printf("# %s, call %u, %s: %s\n", change->name, fault.at, fault.how == ONCE ? "EIO" : "ENOSPC", what);
    }
    return false;
}

/* How often each body may be there: [least, most]. */
static const char *count_bodies(const struct change *change, const struct state *before, const struct state *after, bool is_done)
{
    for (unsigned body = 1; body < 16; body++) {
        bool is_meant = body == 1 || body == 3;
        unsigned least = before->copies[body];
        unsigned most = least;
        if (change->what == COPIES && is_meant) {
            least = is_done ? 2 : 1;
            most = least;
        } else if (change->what == REMOVES && is_meant) {
            least = 0;
            most = is_done ? 0 : 1;
        } else if (change->what == ADDS && body == 9) {
            least = most = is_done;
        } else if (change->what == KEEPS && (body == 7 || body == 8)) {
            least = 0;
            most = 1; /* delivered meanwhile */
        }
        if (after->copies[body] < least) {
            return "a message is missing";
        }
        if (after->copies[body] > most) {
            return "a message too many";
        }
    }
    return NULL;
}

static bool check(const struct change *change, const struct state *before, bool is_done)
{
    struct state after;
    struct state again;
    if (!look(&after)) {
        return say(change, "no look at it");
    }
    for (unsigned which = 0; which < 2; which++) {
        const char *trouble = compare_uids(before, &after, which);
        if (trouble != NULL) {
            return say(change, trouble);
        }
    }
    const char *trouble = count_bodies(change, before, &after, is_done);
    if (trouble != NULL) {
        return say(change, trouble);
    }
    static const char *const derived[] = {INDEX_NAME, "stafet.cache", "stafet.fresh", ".B/" INDEX_NAME, ".B/stafet.cache"};
    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
        (void)unlinkat(root, derived[i], 0);
    }
    if (!look(&again) || memcmp(after.message, again.message, sizeof again.message) != 0 ||
        memcmp(after.uidvalidity, again.uidvalidity, sizeof again.uidvalidity) != 0) {
        return say(change, "without the index it is another mailbox");
    }
    return true;
}

/* What a client may have heard stands in the list. */
static bool is_listed(struct folder *folder)
{
    struct uidlist list;
    bool is_whole = uidlist_read(&list, folder->dir, UIDLIST_NAME) == UIDLIST_READ && folder_uidlist_is_whole(folder, &list);
    uidlist_free(&list);
    return is_whole;
}

/* In a process of its own: some faults may end it, as its programs would end. 0 done, 1 refused, 2 ended by die_temporary, 3 done
 * before this call was reached; -1 broken. */
static int try_change(const struct change *change, enum how how, unsigned at)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct folders both;
        if (open_both(&both) < 0) {
            exit(50);
        }
        fault.how = how;
        fault.at = at;
        fault.n = 0;
        int result = change->run(&both);
        bool was_reached = fault.n >= at;
        fault.how = NOTHING;
        fault.is_linkless = false;
        if (result == 0 && (!is_listed(&both.a) || !is_listed(&both.b))) {
            exit(60);
        }
        exit(!was_reached ? 3 : result < 0 ? 1 : 0);
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status) == 111 ? 2 : WEXITSTATUS(status) > 3 ? -1 : WEXITSTATUS(status);
}

static void try_all(const struct change *change, enum how how)
{
    unsigned wrong = 0;
    unsigned refused = 0;
    char name[80];
    int result = 0;
    unsigned at = 0;
    while (result != 3 && wrong < 10) {
        struct state before;
        begin_user();
        at++;
        fault.at = at;
        if (!look(&before)) {
            wrong++;
            break;
        }
        result = try_change(change, how, at);
        fault.at = at;
        refused += result == 1 || result == 2;
        if (result < 0) {
            fault.how = how;
            (void)say(change, "it died, or a UID was told before it was listed");
            wrong++;
        } else {
            wrong += !check(change, &before, result == 0 || result == 3);
        }
        fault.how = NOTHING;
        end_user();
    }
    printf("# %s: %u calls, %u refusals\n", change->name, at - 1, refused);
    (void)snprintf(name, sizeof name, "%s_%s", change->name,
                   how == ONCE ? "with_each_call_failing_once" : "on_a_disk_that_is_full_from_each_call_on");
    ok(wrong == 0 && at > 5 && (refused > 0 || change->run == do_fetch), name);
}

int main(void)
{
    scratch_begin_fast();
    top = open(".", O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        try_all(&changes[i], ONCE);
        try_all(&changes[i], FULL);
    }
    close(top);
    return scratch_end(done());
}
