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

#include "imapd/folder_inner.h"
#include "imapd/folderlist.h"
#include "imapd/newfolder.h"
#include "imapd/removal.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"
#include "tests/unit/faults.h"
#include "tests/unit/imapd_user.h"

enum { SAYS_MAX = 200 };
static const char host[] = "h";

/* ---- changes: each runs on open folders */
struct folders {
    struct folder a, b;
    struct folder_list uids;
};

static int open_both(struct folders *both)
{
    *both = (struct folders){.uids = {0}};
    if (folder_open(&both->a, root, ".", FOLDER_WRITE) < 0 || folder_open(&both->b, root, ".B", FOLDER_WRITE) < 0 ||
        folder_sync(&both->a, FOLDER_LOOK) < 0 || folder_sync(&both->b, FOLDER_LOOK) < 0) {
        return -1;
    }
    (void)folder_tell_exists(&both->a);
    (void)folder_tell_exists(&both->b);
    folder_list_add(&both->uids, 1);
    folder_list_add(&both->uids, 3);
    return 0;
}

static int do_open(struct folders *both)
{
    enum how how = fault.how;
    struct folder folder;
    (void)both;
    fault.how = NOTHING;
    deliver("new", 7, "");
    (void)unlinkat(root, INDEX_NAME, 0);
    fault.how = how;
    if (folder_open(&folder, root, ".", FOLDER_WRITE) < 0) {
        return -1;
    }
    int result = folder_sync(&folder, FOLDER_LOOK);
    folder_close(&folder);
    return result;
}

static int do_sync(struct folders *both)
{
    enum how how = fault.how;
    fault.how = NOTHING;
    deliver("new", 7, "");
    deliver("cur", 8, ":2,Fa");
    (void)unlinkat(root, "cur/1000002.M1Qx2.mx:2,S", 0);
    deliver("cur", 2, ":2,ST");
    fault.how = how;
    return folder_sync(&both->a, FOLDER_LOOK);
}

static int do_append(struct folders *both)
{
    static const char body[] = "Subject: 9\n\nbody of 9\n";
    struct folder_append append;
    const struct append_meta meta = {.flags = MAILBOX_SEEN,
                                     .keywords = UINT64_C(1) << 26 | 1,
                                     .date = 1700000000,
                                     .bytes = sizeof body - 1,
                                     .wire_bytes = sizeof body + 2};
    uint32_t uid;
    folder_append_begin(&append, &both->a);
    if (folder_append_file(&append) < 0 || write(append.fd, body, sizeof body - 1) != sizeof body - 1 ||
        folder_append_done(&append, &meta) < 0) {
        int error = errno;
        folder_append_abort(&append);
        errno = error;
        return -1;
    }
    return folder_append_commit(&append, host, &uid);
}

static int do_copy(struct folders *both)
{
    struct folder_list from = {0};
    struct folder_list to = {0};
    return folder_copy(&both->a, &both->uids, &both->b, &from, &to);
}

/* Where a file can have one name only its bytes are copied. */
static int do_copy_bytes(struct folders *both)
{
    fault.is_linkless = true;
    return do_copy(both);
}

static int do_move(struct folders *both)
{
    struct folder_list from = {0};
    struct folder_list to = {0};
    return folder_move(&both->a, &both->uids, &both->b, &from, &to);
}

static int do_store(struct folders *both)
{
    const struct folder_store store = {.how = STORE_ADD, .flags = MAILBOX_FLAGGED, .keywords = 1};
    return folder_store(&both->a, &both->uids, &store, NULL);
}

/* One past the letters. */
static int do_keyword(struct folders *both)
{
    int number = folder_keyword(&both->a, "another", 7, true);
    if (number < 0) {
        return -1;
    }
    const struct folder_store store = {.how = STORE_ADD, .keywords = UINT64_C(1) << number};
    return folder_store(&both->a, &both->uids, &store, NULL);
}

static int do_expunge(struct folders *both)
{
    uint64_t freed;
    uint32_t n;
    return folder_expunge(&both->a, &both->uids, &freed, &n);
}

static int do_fetch(struct folders *both)
{
    const char *bytes;
    size_t n;
    int result = 0;
    for (uint32_t i = folder_first(&both->a); i < folder_end(&both->a); i = folder_next(&both->a, i)) {
        uint64_t size;
        result |= folder_summary(&both->a, i, &bytes, &n) | folder_size(&both->a, i, &size);
    }
    folder_cache_flush(&both->a);
    return result;
}

/* Files that hold mostly what is gone: lists of UIDs and keywords, summaries of long headers. */
static void wear(struct folders *both)
{
    stralloc list = STRALLOC_ZERO;
    stralloc keywords = STRALLOC_ZERO;
    stralloc message = STRALLOC_ZERO;
    char name[32];
    scratch_content(root, "dovecot-uidlist", &list);
    str_catf(&keywords, "v %u\nk 26 far\n1 4000000\n", both->a.head.uidvalidity);
    for (unsigned i = 0; i < 400; i++) {
        str_catf(&list, "%u :9.a-long-name-of-a-message-that-is-gone.mx\n", both->a.uidnext + i);
        str_catf(&keywords, "%u 4000000\n", both->a.uidnext + i);
    }
    scratch_put(root, "dovecot-uidlist", str_text(&list));
    scratch_put(root, KEYWORDS_OURS, str_text(&keywords));
    for (unsigned i = 0; i < 3000; i++) {
        str_catf(&message, "References: <%u@a-long-name-of-a-host.test>\n", i);
    }
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "cur/99%u.x:2,", i);
        scratch_put(root, name, str_text(&message));
    }
    (void)!folder_sync(&both->a, FOLDER_LOOK);
    (void)do_fetch(both);
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "cur/99%u.x:2,", i);
        (void)unlinkat(root, name, 0);
    }
    (void)!folder_sync(&both->a, FOLDER_LOOK);
    stralloc_free(&list);
    stralloc_free(&keywords);
    stralloc_free(&message);
}

/* What tidies up may fail silently. */
static int do_tidy(struct folders *both)
{
    struct folder *folder = &both->a;
    enum how how = fault.how;
    fault.how = NOTHING;
    wear(both);
    fault.how = how;
    if (folder_lock(folder) < 0) {
        return -1;
    }
    folder_compact(folder);
    int result = folder_write_base(folder, folder->head.uidvalidity);
    if (result == 0) {
        result = folder_switch(folder);
    }
    folder_unlock(folder);
    return result;
}

static int do_mailboxes(struct folders *both)
{
    uint64_t bytes;
    uint32_t n;
    (void)both;
    return newfolder_make(root, ".C") < 0 || subscriptions_set(root, ".C", true) < 0 ||
                   special_set(root, ".C", SPECIAL_SENT, NULL) < 0 || removal_run(root, ".C", &bytes, &n) < 0
               ? -1
               : 0;
}

struct change {
    const char *name;
    int (*run)(struct folders *both);
    enum { KEEPS, COPIES, MOVES, REMOVES, ADDS } what;
};
static const struct change changes[] = {
    {"open", do_open, KEEPS},
    {"sync", do_sync, KEEPS},
    {"append", do_append, ADDS},
    {"copy", do_copy, COPIES},
    {"copy_of_bytes", do_copy_bytes, COPIES},
    {"move", do_move, MOVES},
    {"store", do_store, KEEPS},
    {"keyword", do_keyword, KEEPS},
    {"expunge", do_expunge, REMOVES},
    {"tidy", do_tidy, KEEPS},
    {"fetch", do_fetch, KEEPS},
    {"mailboxes", do_mailboxes, KEEPS},
};

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
