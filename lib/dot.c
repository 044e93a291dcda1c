/* SPDX-License-Identifier: ISC */
/* The dots of SMTP and POP3 as two small machines. Only CRLF ends a line and only CRLF "." CRLF ends a message: whatever else
 * other servers take for a line end (LF, CR, CR CR LF) stays inside the line, is marked, and so can smuggle nothing.
 * Total: every byte string is taken, in any chunking, with the same result.
 *
 *            CR                LF
 *   IN_LINE ----> CR ------------------> LINE_START <--- start
 *      ^          | anything else: bare CR    | "."
 *      +----------+                           v    CR            LF
 *      +------------------------------------ DOT ----> DOT_CR ----> DONE
 */
#include "dot.h"

#include <string.h>

enum { CLASS_8BIT = 1, CLASS_NUL = 2, CLASS_STOP = 4 };

static const unsigned char class_of[256] = {
    [0] = CLASS_NUL, ['\r'] = CLASS_STOP, ['\n'] = CLASS_STOP, [0x80 ... 0xff] = CLASS_8BIT};

void dot_decoder_init(struct dot_decoder *decoder)
{
    *decoder = (struct dot_decoder){.state = DOT_LINE_START};
}

/* The bytes before the next CR or LF, all inside one line; returns how many. */
static size_t decode_run(struct dot_decoder *decoder, const char *in, size_t n, char *out)
{
    unsigned seen = 0;
    size_t i = 0;
    for (; i < n; i++) {
        unsigned class = class_of[(unsigned char)in[i]];
        if (class == CLASS_STOP) {
            break;
        }
        seen |= class;
    }
    memcpy(out, in, i);
    decoder->has_8bit = decoder->has_8bit || (seen & CLASS_8BIT);
    decoder->has_nul = decoder->has_nul || (seen & CLASS_NUL);
    decoder->line_len += i;
    return i;
}

static void end_line(struct dot_decoder *decoder)
{
    if (decoder->line_len > decoder->longest_line) {
        decoder->longest_line = decoder->line_len;
    }
    decoder->line_len = 0;
    decoder->lines++;
    decoder->state = DOT_LINE_START;
}

/* The byte behind a CR. A line end is written as LF; else the CR was a bare one: it is written, and the byte is looked at again
 * (0 consumed) as part of the line. */
static size_t decode_after_cr(struct dot_decoder *decoder, char c, char *out, size_t *out_len)
{
    if (c == '\n' && decoder->state == DOT_DOT_CR) {
        decoder->state = DOT_DONE;
        return 1;
    }
    if (c == '\n') {
        out[(*out_len)++] = '\n';
        end_line(decoder);
        return 1;
    }
    out[(*out_len)++] = '\r';
    decoder->line_len++;
    decoder->has_bare_cr = true;
    decoder->state = DOT_IN_LINE;
    return 0;
}

/* A byte at a place where no CR is open; takes a whole run where it can. */
static size_t decode_in_line(struct dot_decoder *decoder, const char *in, size_t n, char *out, size_t *out_len)
{
    if (in[0] == '.' && decoder->state == DOT_LINE_START) {
        decoder->state = DOT_DOT;
        return 1;
    }
    if (in[0] == '\r') {
        decoder->state = decoder->state == DOT_DOT ? DOT_DOT_CR : DOT_CR;
        return 1;
    }
    decoder->state = DOT_IN_LINE;
    if (in[0] == '\n') {
        out[(*out_len)++] = '\n';
        decoder->line_len++;
        decoder->has_bare_lf = true;
        return 1;
    }
    size_t run = decode_run(decoder, in, n, out + *out_len);
    *out_len += run;
    return run;
}

size_t dot_decode(struct dot_decoder *decoder, const char *in, size_t n, char *out, size_t *out_len)
{
    size_t used = 0;
    *out_len = 0;
    while (used < n && decoder->state != DOT_DONE) {
        if (decoder->state == DOT_CR || decoder->state == DOT_DOT_CR) {
            used += decode_after_cr(decoder, in[used], out, out_len);
        } else {
            used += decode_in_line(decoder, in + used, n - used, out, out_len);
        }
    }
    return used;
}

void dot_encoder_init(struct dot_encoder *encoder)
{
    *encoder = (struct dot_encoder){.at_line_start = true};
}

/* A stored CR ends the line at once; an LF behind it belongs to the same end and is dropped. */
static size_t encode_end_of_line(struct dot_encoder *encoder, char c, char *out)
{
    bool is_second_half = c == '\n' && encoder->after_cr;
    encoder->after_cr = c == '\r';
    encoder->at_line_start = true;
    if (is_second_half) {
        return 0;
    }
    memcpy(out, "\r\n", 2);
    return 2;
}

/* Bytes without any CR, and none open before them: the common case, done a line at a time. */
static size_t encode_lines(struct dot_encoder *encoder, const char *in, size_t n, char *out)
{
    const char *end = in + n;
    char *to = out;
    while (in < end) {
        const char *lf = memchr(in, '\n', (size_t)(end - in));
        size_t run = (size_t)((lf != NULL ? lf : end) - in);
        if (*in == '.' && encoder->at_line_start) {
            *to++ = '.';
        }
        memcpy(to, in, run);
        to += run;
        in += run;
        encoder->at_line_start = lf != NULL;
        if (lf != NULL) {
            memcpy(to, "\r\n", 2);
            to += 2;
            in++;
        }
    }
    return (size_t)(to - out);
}

/* Any bytes. */
static size_t encode_all(struct dot_encoder *encoder, const char *in, size_t n, char *out)
{
    size_t len = 0;
    size_t i = 0;
    while (i < n) {
        if (class_of[(unsigned char)in[i]] == CLASS_STOP) {
            len += encode_end_of_line(encoder, in[i++], out + len);
            continue;
        }
        if (in[i] == '.' && encoder->at_line_start) {
            out[len++] = '.';
        }
        size_t run = i + 1;
        while (run < n && class_of[(unsigned char)in[run]] != CLASS_STOP) {
            run++;
        }
        memcpy(out + len, in + i, run - i);
        len += run - i;
        i = run;
        encoder->at_line_start = false;
        encoder->after_cr = false;
    }
    return len;
}

size_t dot_encode(struct dot_encoder *encoder, const char *in, size_t n, char *out)
{
    bool has_cr = encoder->after_cr || memchr(in, '\r', n) != NULL;
    return has_cr ? encode_all(encoder, in, n, out) : encode_lines(encoder, in, n, out);
}

size_t dot_encode_end(struct dot_encoder *encoder, char *out)
{
    size_t len = 0;
    if (!encoder->at_line_start) {
        memcpy(out, "\r\n", 2);
        len = 2;
    }
    memcpy(out + len, ".\r\n", 3);
    dot_encoder_init(encoder);
    return len + 3;
}
