/* SPDX-License-Identifier: ISC */
/* Walks the folders of CONTRACTS 3. A running send moves files while we look: one that is gone when it is opened was moved, not
 * lost. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/msgid.h"
#include "lib/scan.h"
#include "lib/str.h"
#include "queue/qcheck_spool.h"

enum { SLOT_LEN = 10, TMP_LIFE = 36 * 3600 };

/* Which names a folder may hold. */
static bool is_plain_name(const char *name)
{
    return msgid_is_valid(name, strlen(name));
}

static bool is_later_name(const char *name)
{
    struct spoolfile_later later;
    return spoolfile_later_parse(name, &later);
}

static bool is_bad_name(const char *name)
{
    return strlen(name) > MSGID_LEN + 1 && name[MSGID_LEN] == '.' && msgid_is_valid(name, MSGID_LEN);
}

static bool is_slot(const char *name)
{
    uint64_t seconds;
    size_t n = strlen(name);
    return n == SLOT_LEN && scan_decimal(name, n, UINT64_MAX, &seconds) && seconds % 60 == 0;
}

static void report(struct qcheck_spool *spool, const char *folder, const char *name, const char *verdict, const char *words)
{
    str_cats(&spool->report, folder);
    str_catc(&spool->report, '/');
    str_cat_printable(&spool->report, name, strlen(name));
    str_cats(&spool->report, ": ");
    str_cats(&spool->report, verdict);
    str_cats(&spool->report, words);
    str_catc(&spool->report, '\n');
}

static void judge_file(struct qcheck_spool *spool, int dir, const char *folder, const char *name)
{
    struct qcheck_file *file = &spool->file;
    qcheck_file_read(file, dir, name);
    if (file->verdict == QCHECK_UNREADABLE && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
        return;
    }
    spool->messages++;
    str_cat(&spool->ids, name, MSGID_LEN);
    if (file->verdict == QCHECK_TORN) {
        spool->torn++;
        report(spool, folder, name, "torn: ", str_text(&file->why));
    } else if (file->verdict != QCHECK_GOOD) {
        spool->damaged++;
        report(spool, folder, name, "damaged: ", str_text(&file->why));
    }
    if (file->remark.len > 0) {
        report(spool, folder, name, "remark: ", str_text(&file->remark));
    }
}

/* What writers have not finished: nothing to judge, but an old one should be gone. */
static void judge_unfinished(struct qcheck_spool *spool, int dir, const char *name)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return;
    }
    spool->unfinished++;
    if (time(NULL) - st.st_mtime > TMP_LIFE) {
        report(spool, "spool/tmp", name, "remark: ", "older than 36 hours: send removes it");
    }
}

static bool is_hidden(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Every name of one folder. A folder that is not there holds nothing. */
static int walk_folder(struct qcheck_spool *spool, const char *folder, bool (*is_name)(const char *name))
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return errno == ENOENT ? 0 : -1;
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (is_hidden(entry->d_name)) {
            continue;
        }
        if (is_name == NULL) {
            judge_unfinished(spool, dirfd(dir), entry->d_name);
        } else if (is_name(entry->d_name)) {
            judge_file(spool, dirfd(dir), folder, entry->d_name);
        } else {
            spool->damaged++;
            report(spool, folder, entry->d_name, "damaged: ", "not a name that this folder may hold");
        }
    }
    closedir(dir);
    return 0;
}

static int walk_later(struct qcheck_spool *spool)
{
    DIR *dir = opendir("spool/later");
    if (dir == NULL) {
        return errno == ENOENT ? 0 : -1;
    }
    int result = 0;
    stralloc folder = STRALLOC_ZERO;
    for (const struct dirent *entry; result == 0 && (entry = readdir(dir)) != NULL;) {
        if (is_hidden(entry->d_name)) {
            continue;
        }
        if (!is_slot(entry->d_name)) {
            spool->damaged++;
            report(spool, "spool/later", entry->d_name, "damaged: ", "not a slot: 10 digits, a multiple of 60");
            continue;
        }
        str_copys(&folder, "spool/later/");
        str_cats(&folder, entry->d_name);
        result = walk_folder(spool, str_text(&folder), is_later_name);
    }
    stralloc_free(&folder);
    closedir(dir);
    return result;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, MSGID_LEN);
}

/* One message under two names would be delivered twice. */
static void find_twins(struct qcheck_spool *spool)
{
    size_t n = spool->ids.len / MSGID_LEN;
    if (n < 2) {
        return;
    }
    qsort(spool->ids.s, n, MSGID_LEN, compare_ids);
    for (size_t i = 1; i < n; i++) {
        const char *id = spool->ids.s + i * MSGID_LEN;
        if (memcmp(id - MSGID_LEN, id, MSGID_LEN) == 0) {
            spool->damaged++;
            str_cats(&spool->report, "spool: damaged: message ");
            str_cat(&spool->report, id, MSGID_LEN);
            str_cats(&spool->report, " lies there twice\n");
        }
    }
}

int qcheck_spool_walk(struct qcheck_spool *spool)
{
    if (access("spool", F_OK) < 0 || walk_folder(spool, "spool/tmp", NULL) < 0 ||
        walk_folder(spool, "spool/new", is_plain_name) < 0 || walk_folder(spool, "spool/cur", is_plain_name) < 0 ||
        walk_later(spool) < 0 || walk_folder(spool, "spool/hold", is_plain_name) < 0 ||
        walk_folder(spool, "spool/bad", is_bad_name) < 0) {
        return -1;
    }
    find_twins(spool);
    return 0;
}

/* A name in the folder that is the id, or begins with it and a dot. */
static int find_in(const char *folder, const char *id, stralloc *name_out)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return errno == ENOENT ? 0 : -1;
    }
    int found = 0;
    for (const struct dirent *entry; found == 0 && (entry = readdir(dir)) != NULL;) {
        const char *name = entry->d_name;
        if (strncmp(name, id, MSGID_LEN) == 0 && (name[MSGID_LEN] == 0 || name[MSGID_LEN] == '.')) {
            name_out->len = 0;
            str_catf(name_out, "%s/%s", folder, name);
            found = 1;
        }
    }
    closedir(dir);
    return found;
}

int qcheck_spool_find(const char *id, stralloc *name_out)
{
    static const char *const folders[] = {"spool/new", "spool/cur", "spool/hold", "spool/bad", "spool/tmp"};
    int found = 0;
    for (size_t i = 0; found == 0 && i < sizeof folders / sizeof folders[0]; i++) {
        found = find_in(folders[i], id, name_out);
    }
    DIR *later = found == 0 ? opendir("spool/later") : NULL;
    if (later == NULL) {
        return found;
    }
    stralloc folder = STRALLOC_ZERO;
    for (const struct dirent *entry; found == 0 && (entry = readdir(later)) != NULL;) {
        if (is_slot(entry->d_name)) {
            folder.len = 0;
            str_catf(&folder, "spool/later/%s", entry->d_name);
            found = find_in(str_text(&folder), id, name_out);
        }
    }
    stralloc_free(&folder);
    closedir(later);
    return found;
}
