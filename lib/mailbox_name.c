/* SPDX-License-Identifier: ISC */
/* What a Maildir file name says: a pure parser, total over all bytes. A number that makes no sense is as good as none. */
#include "lib/mailbox.h"

#include <string.h>

#include "lib/scan.h"

enum { SECONDS_MAX_DIGITS = 12, MICROSECONDS = 1000000 };

static size_t count_digits(const char *bytes, size_t n)
{
    size_t digits = 0;
    while (digits < n && bytes[digits] >= '0' && bytes[digits] <= '9') {
        digits++;
    }
    return digits;
}

/* SECONDS '.' and perhaps 'M' MICROSECONDS. */
static uint64_t parse_order(const char *base, size_t n)
{
    uint64_t seconds;
    uint64_t micros = 0;
    size_t digits = count_digits(base, n);
    if (digits > SECONDS_MAX_DIGITS || digits == n || base[digits] != '.' || !scan_decimal(base, digits, UINT64_MAX, &seconds)) {
        return MAILBOX_UNKNOWN;
    }
    size_t at = digits + 1;
    if (at < n && base[at] == 'M') {
        at++;
        if (!scan_decimal(base + at, count_digits(base + at, n - at), MICROSECONDS - 1, &micros)) {
            micros = 0;
        }
    }
    return seconds * MICROSECONDS + micros;
}

/* `,K=NUMBER` that ends at a comma or at the end of the base name; the last one counts. */
static uint64_t parse_field(const char *base, size_t n, char key)
{
    uint64_t found = MAILBOX_UNKNOWN;
    for (size_t i = 0; i + 3 < n; i++) {
        if (base[i] != ',' || base[i + 1] != key || base[i + 2] != '=') {
            continue;
        }
        uint64_t number;
        size_t digits = count_digits(base + i + 3, n - i - 3);
        bool is_whole = i + 3 + digits == n || base[i + 3 + digits] == ',';
        if (is_whole && scan_decimal(base + i + 3, digits, INT64_MAX / 4, &number)) {
            found = number;
        }
    }
    return found;
}

static uint8_t flag_of(char letter)
{
    static const char letters[] = "DFPRST"; /* in the order of the enum's bits */
    const char *at = letter == '\0' ? NULL : strchr(letters, letter);
    return (uint8_t)(at == NULL ? 0 : 1U << (unsigned)(at - letters));
}

static uint8_t parse_flags(const char *info, size_t n)
{
    uint8_t flags = 0;
    if (n < 3 || memcmp(info, ":2,", 3) != 0) {
        return 0;
    }
    for (size_t i = 3; i < n; i++) {
        flags |= flag_of(info[i]);
    }
    return flags;
}

bool mailbox_name_parse(const char *name, size_t n, struct mailbox_name *out)
{
    if (n == 0 || n > MAILBOX_NAME_MAX || name[0] == '.' || name[0] == ':' || memchr(name, '/', n) != NULL ||
        memchr(name, '\0', n) != NULL) {
        return false;
    }
    const char *colon = memchr(name, ':', n);
    out->base_len = colon == NULL ? n : (size_t)(colon - name);
    out->flags = parse_flags(name + out->base_len, n - out->base_len);
    out->size = parse_field(name, out->base_len, 'S');
    out->wire_size = parse_field(name, out->base_len, 'W');
    out->order_us = parse_order(name, out->base_len);
    if (out->size == MAILBOX_UNKNOWN || out->wire_size < out->size || out->wire_size > 2 * out->size + 2) {
        out->wire_size = MAILBOX_UNKNOWN;
    }
    return true;
}
