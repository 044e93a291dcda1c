/* SPDX-License-Identifier: ISC */
/* lib/dot against a model that is too simple to be wrong, for every string over {CR, LF, '.', 'a', NUL} up to nine bytes. */
#include "lib/dot.h"
#include "tests/tap.h"

#include <stdlib.h>

enum { LONGEST = 9, ROOM = 64 };
static const char alphabet[] = {'\r', '\n', '.', 'a', '\0'};

struct text {
    size_t n;
    char bytes[ROOM];
};

static void add(struct text *t, const char *bytes, size_t n)
{
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
}

static bool equal(const struct text *a, const struct text *b)
{
    return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

/* The end by the letter of RFC 5321: CRLF "." CRLF, the CRLF before the text counts. Returns where commands begin, 0: no end. */
static size_t model_end(const char *in, size_t n)
{
    for (size_t i = 0; i + 3 <= n; i++) {
        bool at_start = i == 0 || (i >= 2 && in[i - 2] == '\r' && in[i - 1] == '\n');
        if (at_start && memcmp(in + i, ".\r\n", 3) == 0) {
            return i + 3;
        }
    }
    return 0;
}

/* What a finished text decodes to: each line loses a first dot, CRLF becomes LF. */
static void model_decode(const char *in, size_t n, struct text *out)
{
    out->n = 0;
    bool at_start = true;
    for (size_t i = 0; i < n; i++) {
        if (at_start && in[i] == '.') {
            at_start = false;
            continue;
        }
        at_start = in[i] == '\r' && i + 1 < n && in[i + 1] == '\n';
        if (at_start) {
            i++;
        }
        add(out, at_start ? "\n" : in + i, 1);
    }
}

static void model_bare(const char *in, size_t n, bool *cr, bool *lf)
{
    *cr = *lf = false;
    for (size_t i = 0; i < n; i++) {
        *cr = *cr || (in[i] == '\r' && (i + 1 == n || in[i + 1] != '\n'));
        *lf = *lf || (in[i] == '\n' && (i == 0 || in[i - 1] != '\r'));
    }
}

/* Feeds in[0..n) in two parts (cut == n: whole; cut == n + 1: byte by byte). Returns bytes consumed. */
static size_t decode(struct dot_decoder *decoder, const char *in, size_t n, size_t cut, struct text *out)
{
    size_t used = 0;
    dot_decoder_init(decoder);
    out->n = 0;
    while (used < n && decoder->state != DOT_DONE) {
        size_t part = cut > n ? 1 : used < cut ? cut - used : n - used;
        size_t len;
        used += dot_decode(decoder, in + used, part, out->bytes + out->n, &len);
        out->n += len;
    }
    return used;
}

static bool decoder_agrees(const char *in, size_t n, size_t cut)
{
    struct dot_decoder decoder;
    struct text out, want;
    size_t used = decode(&decoder, in, n, cut, &out);
    size_t end = model_end(in, n);
    if (end == 0) {
        return decoder.state != DOT_DONE && used == n;
    }
    bool cr, lf;
    size_t body = end - 3;
    model_decode(in, body, &want);
    model_bare(in, body, &cr, &lf);
    bool nul = memchr(in, '\0', body) != NULL;
    return decoder.state == DOT_DONE && used == end && equal(&out, &want) && decoder.has_bare_cr == cr &&
           decoder.has_bare_lf == lf && decoder.has_nul == nul && !decoder.has_8bit;
}

static void encode(const char *in, size_t n, size_t cut, struct text *out)
{
    struct dot_encoder encoder;
    dot_encoder_init(&encoder);
    out->n = 0;
    for (size_t used = 0; used < n;) {
        size_t part = cut > n ? 1 : used < cut ? cut - used : n - used;
        out->n += dot_encode(&encoder, in + used, part, out->bytes + out->n);
        used += part;
    }
    out->n += dot_encode_end(&encoder, out->bytes + out->n);
}

/* Stored text as the wire must show it: every CRLF, CR and LF is one line end, the last line has one too. */
static void model_lines(const char *in, size_t n, struct text *out)
{
    out->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (in[i] == '\n' && i > 0 && in[i - 1] == '\r') {
            continue;
        }
        add(out, in[i] == '\r' ? "\n" : in + i, 1);
    }
    if (out->n > 0 && out->bytes[out->n - 1] != '\n') {
        add(out, "\n", 1);
    }
}

static bool wire_is_safe(const struct text *wire)
{
    bool cr, lf;
    model_bare(wire->bytes, wire->n, &cr, &lf);
    return !cr && !lf && model_end(wire->bytes, wire->n) == wire->n;
}

static bool encoder_agrees(const char *in, size_t n, size_t cut)
{
    struct text wire, want, back;
    struct dot_decoder decoder;
    encode(in, n, cut, &wire);
    model_lines(in, n, &want);
    decode(&decoder, wire.bytes, wire.n, wire.n, &back);
    return wire_is_safe(&wire) && decoder.state == DOT_DONE && equal(&back, &want) && !decoder.has_bare_cr &&
           !decoder.has_bare_lf;
}

/* Calls agrees() for every string and every way to cut it; returns the number of disagreements. */
static unsigned long exhaust(bool (*agrees)(const char *in, size_t n, size_t cut))
{
    unsigned long wrong = 0;
    for (size_t n = 0; n <= LONGEST; n++) {
        char in[LONGEST + 1] = {0};
        unsigned digit[LONGEST] = {0};
        for (bool more = true; more;) {
            for (size_t i = 0; i < n; i++) {
                in[i] = alphabet[digit[i]];
            }
            /* Every cut up to eight bytes; at nine whole and byte by byte, for time. */
            for (size_t cut = n > 8 ? n : 1; cut <= n + 1; cut++) {
                wrong += !agrees(in, n, cut);
            }
            more = false;
            for (size_t i = 0; i < n && !more; i++) {
                digit[i] = (digit[i] + 1) % sizeof alphabet;
                more = digit[i] != 0;
            }
        }
    }
    return wrong;
}

static void decodes_text_of_any_length(void)
{
    static const char in[] = "Subject: x\r\n\r\n..dot\r\n\xc3\xa9\r\n.\r\nQUIT\r\n";
    struct dot_decoder decoder;
    struct text out;
    size_t used = decode(&decoder, in, sizeof in - 1, sizeof in - 1, &out);
    ok(used == sizeof in - 1 - 6, "leaves_the_commands_behind_the_end");
    out.bytes[out.n] = '\0';
    is(out.bytes, "Subject: x\n\n.dot\n\xc3\xa9\n", "decodes_to_lf_lines");
    ok(decoder.lines == 4 && decoder.longest_line == 10, "counts_lines_and_the_longest");
    ok(decoder.has_8bit && !decoder.has_nul, "sees_8bit");
}

static void needs_no_more_room_than_promised(void)
{
    enum { N = 4096 };
    char *in = malloc(N);
    char *out = malloc(3 * N + 3);
    size_t len;
    struct dot_decoder decoder;
    struct dot_encoder encoder;
    dot_decoder_init(&decoder);
    dot_encoder_init(&encoder);
    memset(in, '\r', N);
    dot_decode(&decoder, in, 1, out, &len);
    dot_decode(&decoder, in, N, out, &len);
    ok(len <= N + 1, "decoder_stays_in_its_room");
    len = dot_encode(&encoder, in, N, out);
    ok(len <= 3 * N, "encoder_stays_in_its_room");
    free(in);
    free(out);
}

int main(void)
{
    decodes_text_of_any_length();
    needs_no_more_room_than_promised();
    ok(exhaust(decoder_agrees) == 0, "only_crlf_dot_crlf_ends_in_any_chunking");
    ok(exhaust(encoder_agrees) == 0, "wire_ends_exactly_once_and_has_no_bare_cr_or_lf");
    return done();
}
