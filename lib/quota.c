/* SPDX-License-Identifier: ISC */
/* Quota strings and the questions asked of a quota: pure. The file maildirsize is quota_file.c's. */
#include "lib/quota.h"

#include <string.h>

#include "lib/scan.h"
#include "lib/str.h"

enum { FULL_ROOM_MAX = 16384, FULL_SHARE = 20 };
#define QUOTA_NUMBER_MAX ((uint64_t)1 << 62)

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool unit_factor(char unit, uint64_t *out)
{
    static const char units[] = "KMGT";
    const char *at = unit == '\0' ? NULL : strchr(units, upper(unit));
    if (at == NULL) {
        return false;
    }
    *out = (uint64_t)1 << (10 * (at - units + 1));
    return true;
}

/* Behind the digits of a size: [KMGT][B][S]. */
static bool parse_size_tail(const char *tail, size_t n, uint64_t *factor)
{
    size_t i = 0;
    *factor = 1;
    if (i < n && unit_factor(tail[i], factor)) {
        i++;
    }
    if (i < n && upper(tail[i]) == 'B') {
        i++;
    }
    if (i < n && upper(tail[i]) == 'S') {
        i++;
    }
    return i == n;
}

/* One of the two parts; each may stand once. */
static bool parse_part(const char *text, size_t n, struct quota *quota, unsigned *seen)
{
    enum { SEEN_SIZE = 1, SEEN_COUNT = 2 };
    size_t digits = 0;
    uint64_t number;
    uint64_t factor = 1;
    while (digits < n && text[digits] >= '0' && text[digits] <= '9') {
        digits++;
    }
    if (!scan_decimal(text, digits, QUOTA_NUMBER_MAX, &number)) {
        return false;
    }
    bool is_count = n == digits + 1 && text[digits] == 'C';
    unsigned bit = is_count ? SEEN_COUNT : SEEN_SIZE;
    if ((*seen & bit) != 0 || (!is_count && !parse_size_tail(text + digits, n - digits, &factor))) {
        return false;
    }
    if (__builtin_mul_overflow(number, factor, &number) || number > QUOTA_NUMBER_MAX) {
        return false;
    }
    *seen |= bit;
    *(is_count ? &quota->count : &quota->bytes) = number;
    return true;
}

bool quota_parse(const char *text, size_t n, struct quota *out)
{
    struct quota quota = {0, 0};
    unsigned seen = 0;
    if (n == 0 || str_equal_nocase(text, n, "NOQUOTA", 7)) {
        *out = quota;
        return true;
    }
    for (size_t start = 0; start <= n;) {
        const char *comma = memchr(text + start, ',', n - start);
        size_t end = comma == NULL ? n : (size_t)(comma - text);
        if (!parse_part(text + start, end - start, &quota, &seen)) {
            return false;
        }
        start = end + 1;
    }
    *out = quota;
    return true;
}

void quota_format(stralloc *out, const struct quota *quota)
{
    if (!quota_is_limited(quota)) {
        str_cats(out, "NOQUOTA");
        return;
    }
    if (quota->bytes > 0) {
        str_catn(out, quota->bytes);
        str_catc(out, 'S');
    }
    if (quota->count > 0) {
        str_cats(out, quota->bytes > 0 ? "," : "");
        str_catn(out, quota->count);
        str_catc(out, 'C');
    }
}

bool quota_is_limited(const struct quota *quota)
{
    return quota->bytes > 0 || quota->count > 0;
}

static uint64_t not_negative(int64_t n)
{
    return n < 0 ? 0 : (uint64_t)n;
}

static bool is_beyond(uint64_t limit, int64_t used, uint64_t more)
{
    uint64_t have = not_negative(used);
    return limit > 0 && (have > limit || more > limit - have);
}

bool quota_is_exceeded(const struct quota *quota, const struct quota_usage *usage, uint64_t bytes, uint64_t count)
{
    return is_beyond(quota->bytes, usage->bytes, bytes) || is_beyond(quota->count, usage->count, count);
}

bool quota_is_full(const struct quota *quota, const struct quota_usage *usage)
{
    uint64_t room = quota->bytes / FULL_SHARE;
    if (room > FULL_ROOM_MAX) {
        room = FULL_ROOM_MAX;
    }
    return quota_is_exceeded(quota, usage, room > 0 ? room : 1, 1);
}

static unsigned percent_of(uint64_t limit, int64_t used)
{
    enum { PERCENT_MAX = 1000 };
    uint64_t have = not_negative(used);
    if (limit == 0 || have == 0) {
        return 0;
    }
    if (have / limit >= PERCENT_MAX / 100) {
        return PERCENT_MAX;
    }
    return (unsigned)((double)have * 100.0 / (double)limit);
}

unsigned quota_percent(const struct quota *quota, const struct quota_usage *usage)
{
    unsigned bytes = percent_of(quota->bytes, usage->bytes);
    unsigned count = percent_of(quota->count, usage->count);
    return bytes > count ? bytes : count;
}
