/* SPDX-License-Identifier: ISC */
/* On ext4 and XFS the journal carries a rename together with the file's own sync, and renames and unlinks in their order. No
 * probe can see a power cut, so this goes by what the kernel says of the mount. */
#include "ordered.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "scan.h"
#include "str.h"

/* The next word of a line; false at its end. */
static bool next_word(const char **p, const char *end, const char *parting, const char **word, size_t *n)
{
    while (*p < end && strchr(parting, **p) != NULL) {
        (*p)++;
    }
    *word = *p;
    while (*p < end && strchr(parting, **p) == NULL) {
        (*p)++;
    }
    *n = (size_t)(*p - *word);
    return *n > 0;
}

static bool word_is(const char *word, size_t n, const char *text)
{
    return n == strlen(text) && memcmp(word, text, n) == 0;
}

bool ordered_options_are_unsafe(const char *options, size_t n)
{
    static const char *const unsafe[] = {"nobarrier",      "barrier=0", "data=writeback", "fast_commit",
                                         "fc_debug_force", "noload",    "norecovery"};
    const char *p = options, *end = options + n, *word;
    size_t len;
    while (next_word(&p, end, ", \n", &word, &len)) {
        for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++) {
            if (word_is(word, len, unsafe[i])) {
                return true;
            }
        }
    }
    return false;
}

static bool is_device(const char *word, size_t n, unsigned major, unsigned minor)
{
    const char *colon = memchr(word, ':', n);
    uint64_t a, b;
    return colon != NULL && scan_decimal(word, (size_t)(colon - word), UINT32_MAX, &a) &&
           scan_decimal(colon + 1, n - (size_t)(colon - word) - 1, UINT32_MAX, &b) && a == major && b == minor;
}

/* `ID PARENT MAJOR:MINOR ROOT PLACE OPTIONS [TAG…] - TYPE SOURCE OPTIONS` (proc_pid_mountinfo(5)). */
static bool line_is_safe(const char *p, const char *end)
{
    const char *word;
    size_t n;
    while (next_word(&p, end, " ", &word, &n) && !word_is(word, n, "-")) {
    }
    if (!next_word(&p, end, " ", &word, &n) || (!word_is(word, n, "ext4") && !word_is(word, n, "xfs"))) {
        return false;
    }
    return next_word(&p, end, " ", &word, &n) && !ordered_options_are_unsafe(p, (size_t)(end - p));
}

static bool line_is_of_device(const char *p, const char *end, unsigned major, unsigned minor)
{
    const char *word;
    size_t n;
    return next_word(&p, end, " ", &word, &n) && next_word(&p, end, " ", &word, &n) && next_word(&p, end, " ", &word, &n) &&
           is_device(word, n, major, minor);
}

bool ordered_mount_is_safe(const char *mountinfo, size_t n, unsigned major, unsigned minor)
{
    bool is_safe = false;
    const char *p = mountinfo, *end = mountinfo + n;
    while (p < end) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        line_end = line_end == NULL ? end : line_end;
        if (line_is_of_device(p, line_end, major, minor)) {
            if (!line_is_safe(p, line_end)) {
                return false;
            }
            is_safe = true;
        }
        p = line_end + 1;
    }
    return is_safe;
}

/* A small file of /proc or /sys; empty where there is none. */
static void slurp(const char *path, stralloc *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    out->len = 0;
    if (fd < 0) {
        return;
    }
    do {
        out->len += (size_t)n;
        n = read(fd, str_room(out, 65536), 65536);
    } while (n > 0);
    close(fd);
}

/* Fast commits are a feature of the file system, not an option of the mount: mountinfo is silent, ext4's own list is not. */
static bool ext4_says_unsafe(unsigned major, unsigned minor)
{
    char path[64], device[512], options[600];
    (void)snprintf(path, sizeof path, "/sys/dev/block/%u:%u", major, minor);
    ssize_t n = readlink(path, device, sizeof device - 1);
    if (n < 0) {
        return false;
    }
    device[n] = 0;
    const char *slash = strrchr(device, '/');
    (void)snprintf(options, sizeof options, "/proc/fs/ext4/%s/options", slash == NULL ? device : slash + 1);
    stralloc bytes = STRALLOC_ZERO;
    slurp(options, &bytes);
    bool is_unsafe = ordered_options_are_unsafe(str_text(&bytes), bytes.len);
    stralloc_free(&bytes);
    return is_unsafe;
}

bool ordered_device_is_safe(dev_t device)
{
    stralloc bytes = STRALLOC_ZERO;
    slurp("/proc/self/mountinfo", &bytes);
    bool is_safe = ordered_mount_is_safe(str_text(&bytes), bytes.len, major(device), minor(device));
    stralloc_free(&bytes);
    return is_safe && !ext4_says_unsafe(major(device), minor(device));
}
