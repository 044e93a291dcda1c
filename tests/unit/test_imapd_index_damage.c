/* SPDX-License-Identifier: ISC */
/* stafet.index can be damaged at any byte and cut off anywhere: a session sees the same messages as before, at once or after it
 * has been made anew at the next login. Each try is a process of its own: damage ends a session. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "imapd/folder_inner.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

enum { IS_SAME = 0, IS_OTHER = 1, IS_ERROR = 2, IS_ENDED = 7 };
static int root;
static stralloc truth, index_bytes;
static uint64_t modseq;

static void put(const char *path, const char *bytes, size_t n)
{
    int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) {
        perror(path);
        exit(111);
    }
    close(fd);
}

/* All that clients see of the messages. */
static void view(struct folder *folder, stralloc *out)
{
    out->len = 0;
    for (uint32_t i = folder_first(folder); i < folder_end(folder); i = folder_next(folder, i)) {
        const struct record *record = folder_record(folder, i);
        uint64_t size = 0;
        uint32_t date = 0;
        int fd = folder_open_message(folder, i, NULL);
        (void)!folder_size(folder, i, &size);
        (void)!folder_date(folder, i, &date);
        record = folder_record(folder, i);
        str_catf(out, "%u:%x:%llx:%u:%llu:%s ", record->uid, record->flags, (unsigned long long)record->keywords, date,
                 (unsigned long long)size, fd < 0 ? "lost" : folder_base_name(folder, i));
        close(fd);
    }
    str_catf(out, "uidnext=%u uidvalidity=%u live=%u unseen=%u deleted=%u keywords=", folder->uidnext, folder->head.uidvalidity,
             folder->n_live, folder->n_unseen, folder->n_deleted);
    for (unsigned i = 0; i < KEYWORDS_MAX; i++) {
        str_cat(out, folder->keywords.text.s + folder->keywords.at[i], folder->keywords.len[i]);
        str_cats(out, folder->keywords.len[i] > 0 ? "," : "");
    }
    (void)str_text(out);
}

static void session_ends(void)
{
    _exit(IS_ENDED);
}

static int look(void)
{
    struct folder folder;
    stralloc now = STRALLOC_ZERO;
    if (folder_open(&folder, root, ".", FOLDER_WRITE) < 0) {
        return IS_ERROR;
    }
    folder.on_damage = session_ends;
    if (folder_sync(&folder, FOLDER_LOOK) < 0) {
        return IS_ERROR;
    }
    view(&folder, &now);
    bool is_same = strcmp(now.s, truth.s) == 0 && folder.modseq >= modseq;
    folder_rest(&folder);
    view(&folder, &now);
    is_same = is_same && strcmp(now.s, truth.s) == 0;
    folder_close(&folder);
    stralloc_free(&now);
    return is_same ? IS_SAME : IS_OTHER;
}

/* A session in a process of its own, without its words. */
static int session(void)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 2);
        _exit(look());
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : IS_ERROR;
}

static unsigned n_ended;

/* True: the messages are those of before, for this session or (111: it died while it opened) the next one. */
static bool survives(const char *bytes, size_t n)
{
    put("next", bytes, n);
    (void)renameat(root, "next", root, INDEX_NAME);
    int result = session();
    if (result == IS_ENDED || result == 111) {
        n_ended++;
        result = session();
    }
    return result == IS_SAME;
}

static void set_flags(struct folder *folder, uint32_t uid, uint8_t flags, uint64_t keywords)
{
    struct folder_list list = {0};
    struct folder_store store = {.how = STORE_ADD, .flags = flags, .keywords = keywords};
    folder_list_add(&list, uid);
    if (folder_store(folder, &list, &store, NULL) < 0) {
        perror("store");
        exit(111);
    }
    folder_list_free(&list);
}

static void make_mailbox(void)
{
    static const char message[] = "A: b\n\nxyz\n";
    (void)mkdirat(root, "cur", 0700);
    (void)mkdirat(root, "new", 0700);
    (void)mkdirat(root, "tmp", 0700);
    put("cur/1000001.M1Qx1.mx,S=10,W=13:2,S", message, sizeof message - 1);
    put("cur/1000002.M1Qx2.mx:2,", message, sizeof message - 1);
    put("cur/1000003.M1Qx3.mx,S=10,W=13:2,F", message, sizeof message - 1);
    put("new/1000004.M1Qx4.mx,S=10,W=13", message, sizeof message - 1);
}

/* A base with keywords, and a journal of each kind. */
static void make_index(void)
{
    struct folder folder;
    struct folder_list gone = {0};
    uint64_t freed;
    uint32_t n;
    char word[16];
    if (folder_open(&folder, root, ".", FOLDER_WRITE) < 0 || folder_sync(&folder, FOLDER_LOOK) < 0) {
        perror("open");
        exit(111);
    }
    for (unsigned i = 0; i < 28; i++) {
        (void)snprintf(word, sizeof word, "word%u", i);
        (void)!folder_keyword(&folder, word, strlen(word), true);
    }
    set_flags(&folder, 1, MAILBOX_FLAGGED, UINT64_C(1) << 27 | 2);
    if (folder_lock(&folder) < 0 || folder_write_base(&folder, folder.head.uidvalidity) < 0 || folder_switch(&folder) < 0) {
        perror("write_base");
        exit(111);
    }
    folder_unlock(&folder);
    set_flags(&folder, 2, MAILBOX_TRASHED, UINT64_C(1) << 26 | 4);
    folder_list_add(&gone, 3);
    (void)!folder_expunge(&folder, &gone, &freed, &n);
    put("new/1000005.M1Qx5.mx,S=10,W=13", "A: b\n\nxyz\n", 10);
    (void)!folder_sync(&folder, FOLDER_LOOK);
    view(&folder, &truth);
    folder_cache_flush(&folder);
    folder_close(&folder);
    folder_list_free(&gone);
    /* As the next session finds it. */
    (void)!folder_open(&folder, root, ".", FOLDER_WRITE);
    (void)!folder_sync(&folder, FOLDER_LOOK);
    view(&folder, &truth);
    modseq = folder.modseq;
    folder_close(&folder);
    (void)scratch_content(root, INDEX_NAME, &index_bytes);
}

int main(void)
{
    scratch_begin();
    root = open(".", O_RDONLY | O_DIRECTORY);
    make_mailbox();
    make_index();
    stralloc uids = STRALLOC_ZERO;
    stralloc uids_after = STRALLOC_ZERO;
    (void)scratch_content(root, "dovecot-uidlist", &uids);
    struct index_header header;
    memcpy(&header, index_bytes.s, sizeof header);
    printf("# %s\n# %zu bytes, the journal from %llu\n", truth.s, (size_t)index_bytes.len, (unsigned long long)header.journal_at);
    ok(strstr(truth.s, "1:12:8000002:") != NULL && strstr(truth.s, " 2:20:4000004:") != NULL && strstr(truth.s, " 3:") == NULL &&
           strstr(truth.s, " 5:0:0:") != NULL && strstr(truth.s, "live=4") != NULL,
       "a_mailbox_with_something_of_everything");
    ok(survives(index_bytes.s, index_bytes.len) && n_ended == 0, "an_index_that_is_not_damaged");
    unsigned lost = 0;
    /* Of the header and of what cannot be mapped a few places: test_imapd_index has them all. */
    for (size_t i = 0; i < index_bytes.len; i += i < INDEX_HEADER ? 16 : 1) {
        char before = index_bytes.s[i];
        index_bytes.s[i] = (char)(before ^ (i % 2 ? 0xff : 1 << i / 2 % 8));
        if (!survives(index_bytes.s, index_bytes.len)) {
            printf("# byte %zu\n", i);
            lost++;
        }
        index_bytes.s[i] = before;
    }
    is_number(lost, 0, "each_flipped_byte_is_noticed_or_harmless");
    is_number(n_ended, 0, "damage_that_shows_at_once_ends_no_session");
    for (size_t n = 0; n < index_bytes.len; n += n < header.journal_at ? 16 : 1) {
        if (!survives(index_bytes.s, n)) {
            printf("# cut off at %zu\n", n);
            lost++;
        }
    }
    is_number(lost, 0, "each_truncation_is_noticed_or_harmless");
    str_cats(&index_bytes, "garbage behind the journal");
    ok(survives(index_bytes.s, index_bytes.len), "garbage_behind_the_journal");
    (void)scratch_content(root, "dovecot-uidlist", &uids_after);
    is_bytes(uids_after.s, uids_after.len, uids.s, uids.len, "the_list_of_uids_is_as_it_was");
    return scratch_end(done());
}
