/* SPDX-License-Identifier: ISC */
/* See fresh.h. One O_APPEND write an entry: writers need no lock. */
#include "lib/fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crc32c.h"
#include "lib/str.h"

enum { CRC_FROM = 8, NAME_LEN_MAX = 255 };
struct head {
    uint32_t len, crc, name_len, summary_len;
};

bool fresh_is_wanted(int maildir)
{
    return faccessat(maildir, "stafet.index", F_OK, 0) == 0;
}

static void put_entry(stralloc *out, const char *base, size_t base_len, const char *summary, size_t n)
{
    static const char zeros[8];
    struct head head = {.name_len = (uint32_t)base_len, .summary_len = (uint32_t)n};
    str_cat(out, (const char *)&head, sizeof head);
    str_cat(out, base, base_len);
    str_cat(out, summary, n);
    str_cat(out, zeros, (8 - out->len % 8) % 8);
    head.len = (uint32_t)out->len;
    memcpy(out->s, &head, sizeof head);
    head.crc = crc32c(0, out->s + CRC_FROM, out->len - CRC_FROM);
    memcpy(out->s, &head, sizeof head);
}

/* The owner may have put anything there: a fifo that nobody reads would hold the deliverer, a second name be a file of others. */
static bool is_file_of_one_name(const struct stat *stat)
{
    return S_ISREG(stat->st_mode) && stat->st_nlink <= 1;
}

int fresh_append(int maildir, const char *base, size_t base_len, const char *summary, size_t n)
{
    struct stat stat;
    if (base_len > NAME_LEN_MAX || n > FRESH_MAX) {
        errno = EINVAL;
        return -1;
    }
    int fd = openat(maildir, FRESH_NAME, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -1;
    }
    int result = fstat(fd, &stat);
    if (result == 0 && !is_file_of_one_name(&stat)) {
        errno = EPERM;
        result = -1;
    } else if (result == 0 && stat.st_size < FRESH_MAX) {
        stralloc entry = STRALLOC_ZERO;
        put_entry(&entry, base, base_len, summary, n);
        result = write(fd, entry.s, entry.len) == (ssize_t)entry.len ? 0 : -1;
        stralloc_free(&entry);
    }
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

/* Lengths that fit each other. */
static bool is_head(const struct head *head)
{
    uint64_t content = sizeof *head + (uint64_t)head->name_len + head->summary_len;
    return head->len % 8 == 0 && content <= head->len && head->len - content < 8 && head->name_len <= NAME_LEN_MAX &&
           head->summary_len <= FRESH_MAX;
}

bool fresh_is_broken(const char *bytes, size_t n, size_t at)
{
    struct head head;
    if (n - at < sizeof head) {
        return false;
    }
    memcpy(&head, bytes + at, sizeof head);
    return !is_head(&head) || head.len <= n - at;
}

bool fresh_next(const char *bytes, size_t n, size_t *at, struct fresh_entry *out)
{
    struct head head;
    if (*at > n || n - *at < sizeof head) {
        return false;
    }
    const char *entry = bytes + *at;
    memcpy(&head, entry, sizeof head);
    if (!is_head(&head) || head.len > n - *at || crc32c(0, entry + CRC_FROM, head.len - CRC_FROM) != head.crc) {
        return false;
    }
    *out = (struct fresh_entry){.base = entry + sizeof head,
                                .base_len = head.name_len,
                                .summary = entry + sizeof head + head.name_len,
                                .summary_len = head.summary_len};
    *at += head.len;
    return true;
}
