/* SPDX-License-Identifier: ISC */
/* Reading and copying one message. Mail of up to 64 KiB costs one pread, however often it is looked at. */
#include "deliver/message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/str.h"

enum { FIELD_MAX = 1024 };
static const char field_name[] = "delivered-to:";

int message_open(struct message *message, int fd, uint64_t offset, uint64_t length)
{
    struct stat found;
    uint64_t end;
    if (fstat(fd, &found) < 0) {
        return -1;
    }
    if (!S_ISREG(found.st_mode) || __builtin_add_overflow(offset, length, &end) || end > (uint64_t)found.st_size) {
        errno = EINVAL;
        return -1;
    }
    message->fd = fd;
    message->offset = offset;
    message->length = length;
    message->device = found.st_dev;
    message->window_at = 0;
    message->window_len = 0;
    message->memfd = -1;
    if (message->window == NULL) {
        message->window = memory_get(MESSAGE_WINDOW, 1);
    }
    return 0;
}

void message_close(struct message *message)
{
    if (message->memfd >= 0) {
        close(message->memfd);
    }
    if (message->fd >= 0) {
        close(message->fd);
    }
    message->fd = message->memfd = -1;
}

static int fill_window(struct message *message, uint64_t at)
{
    uint64_t left = message->length - at;
    size_t want = left < MESSAGE_WINDOW ? (size_t)left : MESSAGE_WINDOW;
    size_t have = 0;
    message->window_len = 0;
    while (have < want) {
        ssize_t n = pread(message->fd, message->window + have, want - have, (off_t)(message->offset + at + have));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return -1;
        }
        have += (size_t)n;
    }
    message->window_at = at;
    message->window_len = have;
    return 0;
}

int message_read(struct message *message, uint64_t at, const char **bytes_out, size_t *n_out)
{
    bool is_inside = at >= message->window_at && at - message->window_at < message->window_len;
    if (at < message->length && !is_inside && fill_window(message, at) < 0) {
        return -1;
    }
    size_t skip = (size_t)(at - message->window_at);
    *n_out = at < message->length ? message->window_len - skip : 0;
    *bytes_out = message->window + (*n_out > 0 ? skip : 0);
    return 0;
}

/* The header, line by line; what is behind FIELD_MAX of a line is not kept. */
struct header_scan {
    char line[FIELD_MAX];
    size_t len;
    bool is_over;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool names_address(const struct header_scan *scan, const char *address)
{
    size_t name_len = sizeof field_name - 1;
    if (scan->len <= name_len || !str_equal_nocase(scan->line, name_len, field_name, name_len)) {
        return false;
    }
    size_t start = name_len;
    size_t end = scan->len;
    while (start < end && is_blank(scan->line[start])) {
        start++;
    }
    while (end > start && is_blank(scan->line[end - 1])) {
        end--;
    }
    return str_equal_nocase(scan->line + start, end - start, address, strlen(address));
}

/* Takes bytes up to the end of the header; true when a line names the address. */
static bool scan_header(struct header_scan *scan, const char *bytes, size_t n, const char *address)
{
    for (size_t at = 0; at < n && !scan->is_over;) {
        const char *lf = memchr(bytes + at, '\n', n - at);
        size_t part = lf == NULL ? n - at : (size_t)(lf - bytes) - at;
        size_t room = sizeof scan->line - scan->len;
        memcpy(scan->line + scan->len, bytes + at, part < room ? part : room);
        scan->len += part < room ? part : room;
        at += part + 1;
        if (lf != NULL) {
            if (names_address(scan, address)) {
                return true;
            }
            scan->is_over = scan->len == 0 || (scan->len == 1 && scan->line[0] == '\r');
            scan->len = 0;
        }
    }
    return false;
}

int message_was_delivered_to(struct message *message, const char *address)
{
    struct header_scan scan;
    scan.len = 0;
    scan.is_over = false;
    for (uint64_t at = 0; at < message->length && !scan.is_over;) {
        const char *bytes;
        size_t n;
        if (message_read(message, at, &bytes, &n) < 0) {
            return -1;
        }
        if (scan_header(&scan, bytes, n, address)) {
            return 1;
        }
        at += n;
    }
    return !scan.is_over && names_address(&scan, address);
}

/* LFs that no CR precedes: each takes one byte more on the wire. */
static uint64_t count_bare_lf(const char *bytes, size_t n, bool *after_cr)
{
    uint64_t count = 0;
    for (size_t at = 0; at < n;) {
        const char *lf = memchr(bytes + at, '\n', n - at);
        if (lf == NULL) {
            break;
        }
        bool has_cr = lf == bytes ? *after_cr : lf[-1] == '\r';
        count += !has_cr;
        at = (size_t)(lf - bytes) + 1;
    }
    if (n > 0) {
        *after_cr = bytes[n - 1] == '\r';
    }
    return count;
}

/* Both parts whole. 0; -1 errno. */
static int write_parts(int fd, struct iovec part[2])
{
    unsigned first = part[0].iov_len == 0;
    while (first < 2) {
        ssize_t n = writev(fd, part + first, (int)(2 - first));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        while (first < 2 && (size_t)n >= part[first].iov_len) {
            n -= (ssize_t)part[first++].iov_len;
        }
        if (first < 2) {
            part[first].iov_base = (char *)part[first].iov_base + n;
            part[first].iov_len -= (size_t)n;
        }
    }
    return 0;
}

int message_copy(struct message *message, const char *prefix, size_t prefix_len, int fd, struct maildir_sizes *out)
{
    bool after_cr = false;
    uint64_t wire = message->length + prefix_len + count_bare_lf(prefix, prefix_len, &after_cr);
    uint64_t at = 0;
    do {
        const char *bytes;
        size_t n;
        if (message_read(message, at, &bytes, &n) < 0) {
            return -1;
        }
        struct iovec part[2] = {{(void *)(uintptr_t)prefix, at == 0 ? prefix_len : 0}, {(void *)(uintptr_t)bytes, n}};
        if (write_parts(fd, part) < 0) {
            return -1;
        }
        wire += count_bare_lf(bytes, n, &after_cr);
        at += n;
    } while (at < message->length);
    if (out != NULL) {
        out->bytes = message->length + prefix_len;
        out->wire_bytes = wire;
    }
    return 0;
}

int message_sealed_copy(struct message *message)
{
    if (message->memfd < 0) {
        int fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0) {
            return -1;
        }
        if (message_copy(message, "", 0, fd, NULL) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
            int saved = errno;
            close(fd);
            errno = saved;
            return -1;
        }
        message->memfd = fd;
    }
    return lseek(message->memfd, 0, SEEK_SET) < 0 ? -1 : message->memfd;
}
