/* SPDX-License-Identifier: ISC */
/* One form only: a name that could be written in two ways would be two mailboxes. */
#include "imapd/utf7.h"

#include <stdint.h>
#include <string.h>

#include "lib/str.h"
#include "lib/utf8.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool is_plain(uint32_t c)
{
    return c >= 0x20 && c <= 0x7e;
}

struct bits {
    uint32_t held;
    unsigned n;
};

static void put_unit(struct bits *bits, uint32_t unit, stralloc *out)
{
    bits->held = bits->held << 16 | unit;
    bits->n += 16;
    while (bits->n >= 6) {
        bits->n -= 6;
        str_catc(out, alphabet[bits->held >> bits->n & 0x3f]);
    }
}

/* What is not plain up to the next plain character: &…- */
static size_t put_run(const char *bytes, size_t n, stralloc *out)
{
    struct bits bits = {0};
    size_t at = 0;
    uint32_t c;
    str_catc(out, '&');
    for (size_t len; at < n && (len = utf8_decode(bytes + at, n - at, &c)) > 0 && !is_plain(c); at += len) {
        if (c > 0xffff) {
            put_unit(&bits, 0xd800 + ((c - 0x10000) >> 10), out);
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        put_unit(&bits, c, out);
    }
    if (bits.n > 0) {
        str_catc(out, alphabet[bits.held << (6 - bits.n) & 0x3f]);
    }
    str_catc(out, '-');
    return at;
}

bool utf7_from_utf8(const char *bytes, size_t n, stralloc *out)
{
    size_t before = out->len;
    uint32_t c;
    for (size_t at = 0; at < n;) {
        if (utf8_decode(bytes + at, n - at, &c) == 0) {
            out->len = before;
            return false;
        }
        if (!is_plain(c)) {
            at += put_run(bytes + at, n - at, out);
            continue;
        }
        str_catc(out, bytes[at++]);
        if (c == '&') {
            str_catc(out, '-');
        }
    }
    return true;
}

/* Characters of &…-, and how many bytes there were; 0: not such a thing. The way back checks what was written oddly. */
static size_t take_run(const char *bytes, size_t n, stralloc *out)
{
    uint32_t held = 0;
    uint32_t high = 0;
    unsigned n_bits = 0;
    char text[4];
    size_t at = 1;
    for (; at < n && bytes[at] != '-'; at++) {
        const char *digit = bytes[at] == '\0' ? NULL : strchr(alphabet, bytes[at]);
        if (digit == NULL) {
            return 0;
        }
        held = held << 6 | (uint32_t)(digit - alphabet);
        n_bits += 6;
        if (n_bits < 16) {
            continue;
        }
        n_bits -= 16;
        uint32_t unit = held >> n_bits & 0xffff;
        bool is_low = unit >= 0xdc00 && unit <= 0xdfff;
        if (is_low != (high != 0) || unit == 0) {
            return 0;
        }
        if (unit >= 0xd800 && unit <= 0xdbff) {
            high = unit;
            continue;
        }
        uint32_t c = high == 0 ? unit : 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
        high = 0;
        str_cat(out, text, utf8_encode(c, text));
    }
    return at < n && high == 0 ? at + 1 : 0;
}

bool utf7_to_utf8(const char *bytes, size_t n, stralloc *out)
{
    size_t before = out->len;
    stralloc again = STRALLOC_ZERO;
    bool is_good = true;
    for (size_t at = 0; at < n && is_good;) {
        if (bytes[at] != '&') {
            str_catc(out, bytes[at++]);
        } else if (at + 1 < n && bytes[at + 1] == '-') {
            str_catc(out, '&');
            at += 2;
        } else {
            size_t len = take_run(bytes + at, n - at, out);
            is_good = len > 0;
            at += len;
        }
    }
    is_good = is_good && utf7_from_utf8(str_text(out) + before, out->len - before, &again) && again.len == n &&
              memcmp(str_text(&again), bytes, n) == 0;
    stralloc_free(&again);
    if (!is_good) {
        out->len = before;
    }
    return is_good;
}
