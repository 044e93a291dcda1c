/* SPDX-License-Identifier: ISC */
/* The dots of SMTP DATA and POP3 (RFC 5321 4.5.2, RFC 1939 3): streaming, total, any chunking.
 * Decoder: wire form (CRLF, dots doubled, CRLF.CRLF ends) to stored form (LF). Encoder: any stored bytes to wire form; the wire
 * never holds CRLF.CRLF but at the end, nor a bare CR or LF. */
#ifndef DOT_H
#define DOT_H

#include <stdbool.h>
#include <stddef.h>

enum dot_state { DOT_LINE_START, DOT_IN_LINE, DOT_CR, DOT_DOT, DOT_DOT_CR, DOT_DONE };
struct dot_decoder {
    enum dot_state state;
    bool has_bare_cr, has_bare_lf, has_nul, has_8bit; /* what was seen: the caller refuses after the end */
    size_t line_len, longest_line;                    /* without CRLF */
    size_t lines;
};
void dot_decoder_init(struct dot_decoder *decoder);
/* Decodes n bytes into out (room for n + 1 bytes is always enough). Returns bytes consumed: n, or fewer when the end was found
 * (state DOT_DONE; the rest are commands). *out_len: bytes written. A bare CR or LF is written as it is and marked. */
size_t dot_decode(struct dot_decoder *decoder, const char *in, size_t n, char *out, size_t *out_len);

struct dot_encoder {
    bool at_line_start, after_cr;
};
void dot_encoder_init(struct dot_encoder *encoder);
/* Encodes n stored bytes into out (room for 3 * n + 3). LF becomes CRLF; stored CRLF stays one CRLF; a CR that no LF follows
 * becomes CRLF (POP3 and SMTP know no bare CR). Returns bytes written. */
size_t dot_encode(struct dot_encoder *encoder, const char *in, size_t n, char *out);
/* The end: CRLF where the last line has none, then ".CRLF". Room for 5. */
size_t dot_encode_end(struct dot_encoder *encoder, char *out);

#endif
