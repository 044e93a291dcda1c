/* SPDX-License-Identifier: ISC */
/* Looks at each byte of a message once. Only the first 13 bytes of a header line matter: the longer of the two names and its
 * colon. */
#include <string.h>

#include "lib/str.h"
#include "queue/intake_scan.h"

void intake_scan_init(struct intake_scan *scan)
{
    *scan = (struct intake_scan){0};
}

static bool has_8bit(const char *bytes, size_t n)
{
    uint64_t word, seen = 0;
    size_t i = 0;
    for (; i + sizeof word <= n; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        seen |= word;
    }
    unsigned char tail = 0;
    for (; i < n; i++) {
        tail = (unsigned char)(tail | (unsigned char)bytes[i]);
    }
    return (seen & 0x8080808080808080u) != 0 || tail >= 0x80;
}

/* The begin of a header line is known as far as it will be: is it a hop, or the end of the header? */
static void name_is_known(struct intake_scan *scan, bool at_line_end)
{
    static const char received[] = "received:", delivered[] = "delivered-to:";
    size_t n = sizeof received - 1;
    if (at_line_end && (scan->name_len == 0 || (scan->name_len == 1 && scan->name[0] == '\r'))) {
        scan->is_body = true;
    } else if ((scan->name_len >= n && str_equal_nocase(scan->name, n, received, n)) ||
               str_equal_nocase(scan->name, scan->name_len, delivered, sizeof delivered - 1)) {
        scan->hops++;
    }
}

/* Takes what belongs to the current header line from the front; bytes used. */
static size_t feed_header_line(struct intake_scan *scan, const char *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && scan->name_len < INTAKE_SCAN_NAME && bytes[i] != '\n') {
        scan->name[scan->name_len++] = bytes[i++];
        if (scan->name_len == INTAKE_SCAN_NAME) {
            name_is_known(scan, false);
        }
    }
    const char *end = i < n ? memchr(bytes + i, '\n', n - i) : NULL;
    if (end == NULL) {
        return n;
    }
    if (scan->name_len < INTAKE_SCAN_NAME) {
        name_is_known(scan, true);
    }
    scan->name_len = 0;
    scan->lines++;
    return (size_t)(end - bytes) + 1;
}

void intake_scan_feed(struct intake_scan *scan, const char *bytes, size_t n)
{
    scan->has_8bit = scan->has_8bit || has_8bit(bytes, n);
    const char *p = bytes, *end = bytes + n;
    while (!scan->is_body && p < end) {
        p += feed_header_line(scan, p, (size_t)(end - p));
    }
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        scan->lines++;
        p++;
    }
}
