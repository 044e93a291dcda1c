/* SPDX-License-Identifier: ISC */
/* What a session changes in the two folders of a user (imapd_user.h), one change after the other under the faults of faults.h. */
#ifndef IMAPD_CHANGES_H
#define IMAPD_CHANGES_H

#include "imapd/folderlist.h"
#include "imapd/newfolder.h"
#include "imapd/removal.h"
#include "tests/unit/faults.h"
#include "tests/unit/imapd_user.h"

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

#endif
