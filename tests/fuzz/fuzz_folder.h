/* SPDX-License-Identifier: ISC */
/* For targets whose parser reads files: a scratch folder in memory, a quiet log, and folders of imapd that lie in no file at all.
 */
#ifndef FUZZ_FOLDER_H
#define FUZZ_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/session.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_quiet.h"

static char fuzz_folder_path[64];

__attribute__((unused)) static int fuzz_remove_one(const char *name, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(name);
}

__attribute__((unused)) static void fuzz_remove_folder(void)
{
    (void)nftw(fuzz_folder_path, fuzz_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* One for the whole run; removed at its end. */
__attribute__((unused)) static int fuzz_folder(void)
{
    static int folder = -1;
    if (folder < 0) {
        strcpy(fuzz_folder_path, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz.XXXXXX" : "/tmp/fuzz.XXXXXX");
        require(mkdtemp(fuzz_folder_path) != NULL);
        folder = open(fuzz_folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        require(folder >= 0 && atexit(fuzz_remove_folder) == 0);
    }
    return folder;
}

__attribute__((unused)) static void fuzz_put_file(int folder, const char *name, const char *bytes, size_t n)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    close(fd);
}

/* A folder of n messages in memory: UIDs 3, 6, 9 …, all told; every fifth is gone and told, every seventh gone and not told. */
__attribute__((unused)) static void fuzz_memory_folder(struct folder *folder, uint32_t n)
{
    memset(folder, 0, sizeof *folder);
    folder->dir = folder->fresh = folder->cur = folder->lock = folder->index = folder->cache = -1;
    folder->tail = memory_get((size_t)n + 1, sizeof *folder->tail);
    folder->n_tail = folder->told_end = n;
    folder->uidnext = 3 * n + 1;
    for (uint32_t i = 0; i < n; i++) {
        bool is_told_gone = i % 5 == 4;
        bool is_gone = is_told_gone || i % 7 == 6;
        folder->tail[i] = (struct record){.uid = 3 * i + 3,
                                          .flags = (uint8_t)(i * 11 % 64),
                                          .state = is_gone ? RECORD_IS_GONE : 0,
                                          .keywords = i % 3,
                                          .modseq = i * 1000,
                                          .date = i * 86400,
                                          .size = i * 100,
                                          .name_at = (uint32_t)folder->tail_names.len};
        str_catf(&folder->tail_names, "%u.x", i);
        str_cat(&folder->tail_names, "", 1);
        if (is_gone) {
            folder_list_add(is_told_gone ? &folder->gone : &folder->pending, i);
        }
    }
    keywords_set(&folder->keywords, 0, "$Junk", 5);
    keywords_set(&folder->keywords, 1, "work", 4);
}

#endif
