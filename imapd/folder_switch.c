/* SPDX-License-Identifier: ISC */
/* From one base to the next. A base says which one it goes on from: a session that has that one open, to the end of its journal,
 * knows all that happened. Any other session (it slept through two of them, or somebody deleted the index) compares what its
 * client knows with what is there. */
#include "imapd/folder_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/str.h"

/* What the client knows and has not been told the end of. */
struct knowledge {
    struct entry_flags *item;
    uint32_t n;
};

static void take_knowledge(struct folder *folder, struct knowledge *out)
{
    out->n = 0;
    out->item = memory_get((size_t)folder->told_end + 1, sizeof *out->item);
    for (uint32_t i = folder_first(folder); i < folder->told_end; i = folder_next(folder, i)) {
        const struct record *record = folder_record_at(folder, i);
        out->item[out->n++] = (struct entry_flags){.uid = record->uid, .flags = record->flags, .keywords = record->keywords};
    }
}

static void compare_knowledge(struct folder *folder, const struct knowledge *knowledge)
{
    for (uint32_t i = 0; i < knowledge->n; i++) {
        const struct entry_flags *known = &knowledge->item[i];
        uint32_t index = folder_index_of_uid(folder, known->uid);
        if (index == FOLDER_NONE) {
            folder_list_add(&folder->ghosts, known->uid);
            continue;
        }
        const struct record *record = folder_record_at(folder, index);
        if (record->flags != known->flags || record->keywords != known->keywords) {
            folder_list_add(&folder->changed, index);
        }
    }
    folder_list_sort(&folder->ghosts);
}

/* UIDs of what the client still has to hear, before the indexes change. */
static void indexes_to_uids(struct folder *folder, struct folder_list *list)
{
    for (uint32_t i = 0; i < list->n; i++) {
        list->item[i] = folder_record_at(folder, list->item[i])->uid;
    }
}

static void uids_to_indexes(struct folder *folder, struct folder_list *list)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        uint32_t index = folder_index_of_uid(folder, list->item[i]);
        if (index != FOLDER_NONE) {
            list->item[kept++] = index;
        }
    }
    list->n = kept;
}

/* Everything the client still has to hear becomes UIDs: pending ones are ghosts until they are told. */
static void leave_base(struct folder *folder)
{
    indexes_to_uids(folder, &folder->pending);
    indexes_to_uids(folder, &folder->changed);
    for (uint32_t i = 0; i < folder->pending.n; i++) {
        folder_list_add(&folder->ghosts, folder->pending.item[i]);
    }
    folder_list_sort(&folder->ghosts);
    folder->pending.n = folder->gone.n = 0;
    folder_rest(folder);
    close(folder->index);
    folder->index = -1;
}

static int load_next(struct folder *folder, int next)
{
    uint32_t uidvalidity = folder->head.uidvalidity;
    folder->index = next;
    folder->told_end = 0; /* what is played now is no news */
    if (next < 0 && folder_build(folder) < 0) {
        return -1;
    }
    if ((next >= 0 && folder_load(folder) < 0) || folder->head.uidvalidity != uidvalidity) {
        folder_damaged(folder, "the folder was made anew while it was open");
    }
    return 0;
}

static bool is_next_of(const struct folder *folder, int next)
{
    struct index_header head;
    return next >= 0 && pread(next, &head, sizeof head, 0) == (ssize_t)sizeof head && head.previous == folder->head.generation;
}

/* Messages from first_news (a UID) on are news. */
static int go_on(struct folder *folder, int next, uint32_t first_news)
{
    uint64_t modseq = folder->modseq;
    struct knowledge knowledge = {.item = NULL};
    if (!is_next_of(folder, next)) {
        take_knowledge(folder, &knowledge);
    }
    leave_base(folder);
    int result = load_next(folder, next);
    if (result == 0) {
        folder->told_end = folder_index_at_uid(folder, first_news);
        uids_to_indexes(folder, &folder->changed);
        compare_knowledge(folder, &knowledge);
        folder->modseq = folder->modseq > modseq ? folder->modseq : modseq;
        result = folder_play(folder);
    }
    free(knowledge.item);
    return result;
}

int folder_switch(struct folder *folder)
{
    struct stat stat;
    if (fstat(folder->index, &stat) < 0) {
        return -1;
    }
    if (stat.st_nlink > 0) {
        return 0;
    }
    /* Nobody writes into it any more: now it is played to its end. */
    if (folder_play(folder) < 0) {
        return -1;
    }
    int next = openat(folder->dir, INDEX_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0 && (errno != ENOENT || !folder->is_locked)) {
        return errno == ENOENT ? 0 : -1; /* somebody deleted it: the next one with the lock makes it anew */
    }
    bool has_news = folder->told_end < folder_end(folder);
    return go_on(folder, next, has_news ? folder_record_at(folder, folder->told_end)->uid : folder->uidnext);
}
