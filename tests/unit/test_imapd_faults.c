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

/* ---- a user with two folders */
enum { MESSAGES = 6, UIDS_MAX = 40, SAYS_MAX = 200 };
static int top, root;
static unsigned n_roots;
static const char host[] = "h";

static void deliver(const char *place, unsigned number, const char *info)
{
    char path[100];
    char body[100];
    (void)snprintf(path, sizeof path, "%s/%u.M1Qx%u.mx%s", place, 1000000 + number, number, info);
    (void)snprintf(body, sizeof body, "Subject: %u\n\nbody of %u\n", number, number);
    scratch_put(root, path, body);
}

static void make_maildir(const char *name)
{
    static const char *const inner[] = {"", "/cur", "/new", "/tmp"};
    char path[100];
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s%s", name, inner[i]);
        (void)mkdirat(root, path, 0700);
    }
}

static void begin_user(void)
{
    char name[32];
    (void)snprintf(name, sizeof name, "u%u", n_roots++);
    (void)mkdirat(top, name, 0700);
    root = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    make_maildir(".");
    make_maildir(".B");
    for (unsigned i = 1; i < MESSAGES; i++) {
        deliver("cur", i, i % 2 == 0 ? ":2,S" : ":2,a");
    }
    deliver(".B/cur", MESSAGES, ":2,");
    stralloc names = STRALLOC_ZERO;
    for (unsigned i = 0; i < KEYWORDS_LETTERS; i++) {
        str_catf(&names, "%u k%u\n", i, i);
    }
    scratch_put(root, "dovecot-keywords", str_text(&names));
    stralloc_free(&names);
    scratch_put(root, "courierimapuiddb", "1 777 10\n1 1000001.M1Qx1.mx\n3 1000003.M1Qx3.mx\n");
}

static void end_user(void)
{
    char name[32];
    (void)snprintf(name, sizeof name, "u%u", n_roots - 1);
    close(root);
    char *path = strcat(strcpy((char[40]){0}, "./"), name);
    (void)nftw(path, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

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

/* What tidies up may fail silently. */
static int do_tidy(struct folders *both)
{
    struct folder *folder = &both->a;
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

/* ---- what is there */
struct message {
    uint32_t uid;
    unsigned body;
    uint8_t flags;
};
struct state {
    struct message message[2][UIDS_MAX];
    unsigned n[2];
    uint32_t uidvalidity[2], uidnext[2];
    unsigned copies[16]; /* of each body */
};

/* 0: it cannot be read. False: there is no such file. */
static bool read_body(struct folder *folder, uint32_t index, unsigned *out)
{
    char bytes[100] = "";
    unsigned subject = 0;
    unsigned body = 0;
    int fd = folder_open_message(folder, index, NULL);
    if (fd < 0) {
        *out = 0;
        return errno != ENOENT;
    }
    ssize_t n = read(fd, bytes, sizeof bytes - 1);
    close(fd);
    *out = n > 0 && sscanf(bytes, "Subject: %u\n\nbody of %u\n", &subject, &body) == 2 && subject == body ? body : 0;
    return true;
}

static bool look_at(const char *path, unsigned which, struct state *out)
{
    struct folder folder;
    if (folder_open(&folder, root, path, FOLDER_WRITE) < 0 || folder_sync(&folder, FOLDER_LOOK) < 0) {
        return false;
    }
    out->n[which] = 0;
    out->uidvalidity[which] = folder.head.uidvalidity;
    out->uidnext[which] = folder.uidnext;
    for (uint32_t i = folder_first(&folder); i < folder_end(&folder) && out->n[which] < UIDS_MAX; i = folder_next(&folder, i)) {
        const struct record *record = folder_record(&folder, i);
        struct message message = {.uid = record->uid, .flags = record->flags};
        if (read_body(&folder, i, &message.body)) { /* else a session hears so, and it is told as expunged */
            out->message[which][out->n[which]++] = message;
            out->copies[message.body % 16]++;
        }
    }
    folder_close(&folder);
    return true;
}

static bool look(struct state *out)
{
    *out = (struct state){.n = {0}};
    return look_at(".", 0, out) && look_at(".B", 1, out);
}

struct change {
    const char *name;
    int (*run)(struct folders *both);
    enum { KEEPS, COPIES, MOVES, REMOVES, ADDS } what;
};
static const struct change changes[] = {
    {"open", do_open, KEEPS}, {"sync", do_sync, KEEPS},   {"append", do_append, ADDS},        {"copy", do_copy, COPIES},
    {"move", do_move, MOVES}, {"store", do_store, KEEPS}, {"keyword", do_keyword, KEEPS},     {"expunge", do_expunge, REMOVES},
    {"tidy", do_tidy, KEEPS}, {"fetch", do_fetch, KEEPS}, {"mailboxes", do_mailboxes, KEEPS},
};

static unsigned n_said;

static bool say(const struct change *change, const char *what)
{
    if (n_said++ < SAYS_MAX) {
        printf("# %s, call %u, %s: %s\n", change->name, fault.at, fault.how == ONCE ? "EIO" : "ENOSPC", what);
    }
    return false;
}

/* UIDs mean what they meant, and new ones are above all that were given. */
static const char *compare_uids(const struct state *before, const struct state *after, unsigned which)
{
    if (after->uidvalidity[which] != before->uidvalidity[which]) {
        return "another UIDVALIDITY";
    }
    for (unsigned i = 0, k = 0; i < after->n[which]; i++) {
        const struct message *message = &after->message[which][i];
        if (i > 0 && message->uid <= after->message[which][i - 1].uid) {
            return "UIDs do not ascend";
        }
        while (k < before->n[which] && before->message[which][k].uid < message->uid) {
            k++;
        }
        bool was_there = k < before->n[which] && before->message[which][k].uid == message->uid;
        if (was_there ? before->message[which][k].body != message->body : message->uid < before->uidnext[which]) {
            return "a UID means another message";
        }
        if (message->body == 0) {
            return "a message without its bytes";
        }
    }
    return NULL;
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
