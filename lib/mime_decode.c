/* SPDX-License-Identifier: ISC */
/* quoted-printable and base64.
 *
 *                 =            hex          hex: a byte
 *   TEXT <----> EQUALS ------> HEX -------> TEXT        EQUALS -- blank, CR --> SOFT_END -- LF --> TEXT (nothing)
 *     blanks at a chunk's end: BLANKS, until it is known whether the line ends behind them
 */
#include "mime_decode.h"
#include "scan.h"
#include "str.h"

#include <stdbool.h>
#include <string.h>

enum mime_encoding mime_encoding_of(const char *token, size_t n)
{
    if (str_equal_nocase(token, n, "quoted-printable", 16)) {
        return MIME_QUOTED_PRINTABLE;
    }
    return str_equal_nocase(token, n, "base64", 6) ? MIME_BASE64 : MIME_IDENTITY;
}

void mime_decoder_start(struct mime_decoder *decoder, enum mime_encoding encoding)
{
    decoder->encoding = encoding;
    decoder->state = MIME_DECODE_TEXT;
    decoder->bits = decoder->n_bits = 0;
    decoder->held.len = 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void flush_held(struct mime_decoder *decoder, stralloc *out)
{
    str_cat(out, decoder->held.s, decoder->held.len);
    decoder->held.len = 0;
}

/* Bytes up to the next `=`, line end or the chunk's end. */
static const char *take_text(struct mime_decoder *decoder, const char *p, const char *end, stralloc *out)
{
    const char *stop = p;
    while (stop < end && *stop != '=' && *stop != '\n') {
        stop++;
    }
    const char *text = stop;
    if (stop == end || *stop == '\n') {
        const char *cr = stop > p && stop[-1] == '\r' ? stop - 1 : stop;
        text = cr;
        while (text > p && is_blank(text[-1])) {
            text--;
        }
        str_cat(out, p, (size_t)(text - p));
        if (stop == end) {
            str_cat(&decoder->held, text, (size_t)(stop - text));
            decoder->state = decoder->held.len > 0 ? MIME_DECODE_BLANKS : MIME_DECODE_TEXT;
            return stop;
        }
        str_cat(out, cr, (size_t)(stop + 1 - cr));
        return stop + 1;
    }
    str_cat(out, p, (size_t)(text - p));
    decoder->state = MIME_DECODE_EQUALS;
    return stop + 1;
}

/* Behind blanks, perhaps with a CR at their end. */
static const char *take_blanks(struct mime_decoder *decoder, const char *p, stralloc *out)
{
    stralloc *held = &decoder->held;
    bool has_cr = held->len > 0 && held->s[held->len - 1] == '\r';
    if (*p == '\n') {
        str_cats(out, has_cr ? "\r\n" : "\n");
        held->len = 0;
        decoder->state = MIME_DECODE_TEXT;
        return p + 1;
    }
    if (!has_cr && (is_blank(*p) || *p == '\r') && held->len < MIME_BLANKS_HELD) {
        str_catc(held, *p);
        return p + 1;
    }
    flush_held(decoder, out);
    decoder->state = MIME_DECODE_TEXT;
    return p;
}

static const char *take_equals(struct mime_decoder *decoder, const char *p, stralloc *out)
{
    if (*p == '\n') {
        decoder->state = MIME_DECODE_TEXT;
        return p + 1;
    }
    if (scan_hex_digit(*p) >= 0) {
        decoder->digit = *p;
        decoder->state = MIME_DECODE_HEX;
        return p + 1;
    }
    decoder->state = is_blank(*p) || *p == '\r' ? MIME_DECODE_SOFT_END : MIME_DECODE_TEXT;
    if (decoder->state == MIME_DECODE_TEXT) {
        str_catc(out, '=');
    }
    return p;
}

static const char *take_hex(struct mime_decoder *decoder, const char *p, stralloc *out)
{
    int high = scan_hex_digit(decoder->digit);
    int low = scan_hex_digit(*p);
    decoder->state = MIME_DECODE_TEXT;
    if (high >= 0 && low >= 0) {
        str_catc(out, (char)(high * 16 + low));
        return p + 1;
    }
    str_catc(out, '=');
    str_catc(out, decoder->digit);
    return p;
}

static const char *take_soft_end(struct mime_decoder *decoder, const char *p, stralloc *out)
{
    if (*p == '\n') {
        decoder->held.len = 0;
        decoder->state = MIME_DECODE_TEXT;
        return p + 1;
    }
    if ((is_blank(*p) || *p == '\r') && decoder->held.len < MIME_BLANKS_HELD) {
        str_catc(&decoder->held, *p);
        return p + 1;
    }
    str_catc(out, '=');
    flush_held(decoder, out);
    decoder->state = MIME_DECODE_TEXT;
    return p;
}

static const char *take_quoted(struct mime_decoder *decoder, const char *p, const char *end, stralloc *out)
{
    switch (decoder->state) {
    case MIME_DECODE_TEXT:
        return take_text(decoder, p, end, out);
    case MIME_DECODE_BLANKS:
        return take_blanks(decoder, p, out);
    case MIME_DECODE_EQUALS:
        return take_equals(decoder, p, out);
    case MIME_DECODE_HEX:
        return take_hex(decoder, p, out);
    case MIME_DECODE_SOFT_END:
        return take_soft_end(decoder, p, out);
    case MIME_DECODE_PADDED:
        break;
    }
    return end;
}

/* value + 1; 0: not of the alphabet */
static const unsigned char base64_values[256] = {
    0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 0,
    0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0,  0,  63, 0,  0,  0,  64, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 0,  0,  0, 0,
    0, 0, 0, 1, 2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 0, 0,
    0, 0, 0, 0, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52};

static void take_base64(struct mime_decoder *decoder, const char *p, size_t n, stralloc *out)
{
    char *start = str_room(out, n);
    char *to = start;
    for (const char *end = p + n; p < end && decoder->state != MIME_DECODE_PADDED; p++) {
        unsigned value = base64_values[(unsigned char)*p];
        if (value == 0) {
            if (*p == '=') {
                decoder->state = MIME_DECODE_PADDED;
            }
            continue;
        }
        decoder->bits = decoder->bits << 6 | (value - 1);
        decoder->n_bits += 6;
        if (decoder->n_bits >= 8) {
            decoder->n_bits -= 8;
            *to++ = (char)(decoder->bits >> decoder->n_bits);
        }
    }
    out->len += (size_t)(to - start);
}

void mime_decoder_add(struct mime_decoder *decoder, const char *bytes, size_t n, stralloc *out)
{
    const char *end = bytes + n;
    switch (decoder->encoding) {
    case MIME_IDENTITY:
        str_cat(out, bytes, n);
        break;
    case MIME_QUOTED_PRINTABLE:
        while (bytes < end) {
            bytes = take_quoted(decoder, bytes, end, out);
        }
        break;
    case MIME_BASE64:
        take_base64(decoder, bytes, n, out);
        break;
    }
}

void mime_decoder_end(struct mime_decoder *decoder, stralloc *out)
{
    if (decoder->encoding == MIME_QUOTED_PRINTABLE && decoder->state == MIME_DECODE_HEX) {
        str_catc(out, '=');
        str_catc(out, decoder->digit);
    }
    mime_decoder_start(decoder, decoder->encoding);
}
