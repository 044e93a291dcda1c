/* SPDX-License-Identifier: ISC */
/* Keeping house in the spool: what nobody can need any more, and the modes of the folders that the intake writes to. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "queue/send_spool.h"

enum { CLEAN_MS = 3600 * 1000, KEEP_SECONDS = 36 * 3600, INTAKE_MODE = 03730, LISTABLE = 0040 };

static bool is_torn(const char *name)
{
    return strlen(name) == MSGID_LEN + sizeof ".torn" - 1 && strcmp(name + MSGID_LEN, ".torn") == 0;
}

/* Files older than 36 h; in bad/ the torn ones, counted from when they came there. Returns how many are left. */
static size_t clean(int folder, const char *what, bool only_torn, uint64_t now_s)
{
    size_t left = 0;
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        log_event("alert", "folder=%s error=%s", what, strerror(errno));
        return 0;
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat st;
        if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode)) {
            continue;
        }
        uint64_t since = (uint64_t)(only_torn ? st.st_ctime : st.st_mtime);
        if ((only_torn && !is_torn(entry->d_name)) || now_s < since + KEEP_SECONDS) {
            left++;
        } else if (unlinkat(folder, entry->d_name, 0) == 0) {
            log_event("removed", "folder=%s name=%s reason=%s", what, entry->d_name,
                      "older than 36 hours and never acknowledged to anybody");
        }
    }
    closedir(dir);
    return left;
}

void spool_clean(struct spool *spool, uint64_t now_ms, uint64_t now_s)
{
    if (spool->cleaned_ms != 0 && now_ms - spool->cleaned_ms < CLEAN_MS) {
        return;
    }
    spool->cleaned_ms = now_ms;
    (void)clean(spool->tmp, "spool/tmp", false, now_s);
    spool->n_bad = clean(spool->bad, "spool/bad", true, now_s);
}

static void set_mode(int folder, const char *name, bool is_listable)
{
    struct stat st;
    if (fstat(folder, &st) < 0 || (st.st_mode & INTAKE_MODE) != INTAKE_MODE) {
        return; /* one user for all (0700): its owner may list it anyway */
    }
    mode_t wanted = INTAKE_MODE | (is_listable ? LISTABLE : 0);
    if ((st.st_mode & 07777) == wanted) {
        return;
    }
    if (fchmod(folder, wanted) < 0 || fstat(folder, &st) < 0 || (st.st_mode & 07777) != wanted) {
        log_event("alert", "folder=%s error=%s", name, "its mode is not what control/spoolsync needs and cannot be changed");
    }
}

void spool_set_modes(const struct spool *spool, bool is_two_sync)
{
    set_mode(spool->tmp, "spool/tmp", is_two_sync);
    set_mode(spool->new, "spool/new", is_two_sync);
}
