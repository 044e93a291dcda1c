/* SPDX-License-Identifier: ISC */
/* Content-Transfer-Encodings undone (RFC 2045 6): streaming, total, any chunking. What is broken is read as far as it means
 * something: base64 skips bytes that are not of its alphabet and ends at its padding; in quoted-printable a `=` that begins
 * nothing stays. */
#ifndef MIME_DECODE_H
#define MIME_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

enum { MIME_BLANKS_HELD = 1000 };
enum mime_encoding { MIME_IDENTITY /* 7bit, 8bit, binary, and what nobody knows */, MIME_QUOTED_PRINTABLE, MIME_BASE64 };
/* The encoding of a Content-Transfer-Encoding's token. */
enum mime_encoding mime_encoding_of(const char *token, size_t n);

enum mime_decode_state {
    MIME_DECODE_TEXT,
    MIME_DECODE_BLANKS,
    MIME_DECODE_EQUALS,
    MIME_DECODE_HEX,
    MIME_DECODE_SOFT_END,
    MIME_DECODE_PADDED
};
struct mime_decoder {
    enum mime_encoding encoding;
    enum mime_decode_state state;
    uint32_t bits;   /* base64: collected */
    unsigned n_bits; /* base64 */
    char digit;      /* quoted-printable: the first of a pair */
    stralloc held;   /* quoted-printable: blanks that a line end may drop, at most MIME_BLANKS_HELD */
};
/* Zero the struct before the first use. */
void mime_decoder_start(struct mime_decoder *decoder, enum mime_encoding encoding);
void mime_decoder_add(struct mime_decoder *decoder, const char *bytes, size_t n, stralloc *out);
void mime_decoder_end(struct mime_decoder *decoder, stralloc *out);

#endif
