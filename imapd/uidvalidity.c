/* SPDX-License-Identifier: ISC */
/* The highest one stands in the name of an empty file, dovecot-uidvalidity.HEX, as Dovecot has it: a rename raises it, and of two
 * sessions that rename at once one has to look again. */
#include "imapd/uidvalidity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "dovecot-uidvalidity."
enum { DIGITS = 8, TRIES = 16, NAME_SIZE = sizeof PREFIX + DIGITS };

static bool number_in_name(const char *name, uint32_t *out)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t number = 0;
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0 || strlen(name) != NAME_SIZE - 1) {
        return false;
    }
    for (const char *at = name + sizeof PREFIX - 1; *at != '\0'; at++) {
        const char *digit = strchr(digits, *at);
        if (digit == NULL) {
            return false;
        }
        number = number << 4 | (uint32_t)(digit - digits);
    }
    *out = number;
    return true;
}

/* *out 0: none. 0; -1 errno. */
static int find_highest(int root, uint32_t *out)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    uint32_t number;
    if (folder == NULL) {
        return -1;
    }
    *out = 0;
    errno = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL; errno = 0) {
        if (number_in_name(entry->d_name, &number) && number > *out) {
            *out = number;
        }
    }
    int error = errno;
    (void)closedir(folder);
    errno = error;
    return error == 0 ? 0 : -1;
}

static bool take(int root, uint32_t before, uint32_t value)
{
    char from[NAME_SIZE];
    char to[NAME_SIZE];
    (void)snprintf(from, sizeof from, PREFIX "%08x", before);
    (void)snprintf(to, sizeof to, PREFIX "%08x", value);
    if (before > 0) {
        return renameat2(root, from, root, to, RENAME_NOREPLACE) == 0;
    }
    int fd = openat(root, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

uint32_t uidvalidity_next(int root, uint32_t now)
{
    for (int i = 0; i < TRIES; i++) {
        uint32_t before;
        if (find_highest(root, &before) < 0) {
            return 0;
        }
        uint32_t value = before >= now && before < UINT32_MAX ? before + 1 : now;
        if (take(root, before, value)) {
            return value;
        }
        if (errno != ENOENT && errno != EEXIST) {
            return 0;
        }
    }
    errno = EAGAIN;
    return 0;
}
