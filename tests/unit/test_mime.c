/* SPDX-License-Identifier: ISC */
/* The parts of a message: tables of small ones, the limits, and the same result for every chunking. */
#include "lib/crlf.h"
#include "lib/mime.h"
#include "lib/str.h"
#include "tests/tap.h"

static struct mime mime;

static void parse(const char *bytes, size_t n, size_t chunk)
{
    mime_start(&mime);
    for (size_t at = 0; at < n; at += chunk) {
        mime_feed(&mime, bytes + at, n - at < chunk ? n - at : chunk);
    }
    mime_end(&mime);
}

static void parse_in_two(const char *bytes, size_t n, size_t split)
{
    mime_start(&mime);
    mime_feed(&mime, bytes, split);
    mime_feed(&mime, bytes + split, n - split);
    mime_end(&mime);
}

/* One line a part: its section number, a letter for its kind, header and body bytes on the wire, body lines, where its body
 * begins. */
static void append_table(stralloc *out)
{
    for (uint32_t i = 0; i < mime.n; i++) {
        const struct mime_part *part = &mime.parts[i];
        str_catf(out, "%*s%u%c %llu+%llu/%llu @%llu\n", part->depth, "", part->number,
                 "lmM"[part->kind == MIME_MULTIPART ? 1 : part->kind], (unsigned long long)mime_part_header_bytes(part),
                 (unsigned long long)mime_part_body_bytes(part), (unsigned long long)mime_part_body_lines(part),
                 (unsigned long long)part -> body.offset);
    }
}

static const char *table(const char *bytes, size_t n, size_t chunk)
{
    static stralloc out = STRALLOC_ZERO;
    out.len = 0;
    parse(bytes, n, chunk);
    append_table(&out);
    return str_text(&out);
}

/* Sizes on the wire are those of the encoder, and kept headers are the stored bytes. */
static bool agrees_with_bytes(const char *bytes)
{
    static stralloc wire = STRALLOC_ZERO;
    for (uint32_t i = 0; i < mime.n; i++) {
        const struct mime_part *part = &mime.parts[i];
        char last = '\n';
        size_t header = part->body.offset - part->start.offset;
        size_t body = part->end.offset - part->body.offset;
        wire.len = 0;
        char *room = str_room(&wire, 2 * (header + body) + 1);
        size_t header_len = crlf_encode(&last, bytes + part->start.offset, header, room);
        size_t body_len = crlf_encode(&last, bytes + part->body.offset, body, room);
        if (header_len != mime_part_header_bytes(part) || body_len != mime_part_body_bytes(part) || part->kept_len < header ||
            (header > 0 && memcmp(mime.headers.s + part->kept, bytes + part->start.offset, header) != 0)) {
            return false;
        }
    }
    return true;
}

static unsigned wrong_chunkings(const char *bytes, size_t n)
{
    stralloc want = STRALLOC_ZERO;
    stralloc got = STRALLOC_ZERO;
    unsigned wrong = 0;
    parse(bytes, n, n + 1);
    append_table(&want);
    wrong += !agrees_with_bytes(bytes);
    for (size_t chunk = 1; chunk < 9; chunk++) {
        got.len = 0;
        parse(bytes, n, chunk);
        append_table(&got);
        wrong += got.len != want.len || memcmp(got.s, want.s, got.len) != 0;
    }
    for (size_t split = 0; split <= n; split++) {
        got.len = 0;
        parse_in_two(bytes, n, split);
        append_table(&got);
        wrong += got.len != want.len || memcmp(got.s, want.s, got.len) != 0;
    }
    stralloc_free(&want);
    stralloc_free(&got);
    return wrong;
}

#define MIXED    "Content-Type: multipart/mixed; boundary=x\n\n"
#define EMBEDDED "Content-Type: message/rfc822\n\n"

static const struct {
    const char *bytes, *table, *name;
} messages[] = {
    {"", "1l 0+0/0 @0\n", "an empty message has one empty part"},
    {"Subject: a\n\nb\n", "1l 14+3/1 @12\n", "header and body"},
    {"Subject: a\r\n\r\nb\r\n", "1l 14+3/1 @14\n", "stored CRLF counts as it is"},
    {"Subject: a\nb\n", "1l 15+0/0 @13\n", "without an empty line all is header"},
    {"\nb", "1l 2+1/0 @1\n", "an empty header"},
    {"\r\nb\rc\n\r\rd", "1l 2+8/1 @2\n", "bare CRs stay"},
    {"a: b\n\rc: d\n\ne", "1l 15+1/0 @12\n", "a CR ends no header"},
    {MIXED "pre\n--x\n\na\n--x\nA: b\n\nb\n\n--x--\nepi\n", "1m 45+45/11 @43\n 1l 2+1/0 @52\n 2l 8+3/1 @64\n",
     "preamble, parts, epilogue; the line end before a boundary is its own"},
    {MIXED "--x\n\na\n", "1m 45+10/3 @43\n 1l 2+3/1 @48\n", "a part that nothing ends goes to the end"},
    {MIXED "a\n", "1m 45+3/1 @43\n", "the boundary never comes"},
    {MIXED "--x--\n--x\n\na", "1m 45+15/3 @43\n", "nothing follows the last boundary"},
    {MIXED "--x\n--x\nA: b\n--x\n\n--x\n\n\n--x--",
     "1m 45+37/8 @43\n 1l 0+0/0 @47\n 2l 4+0/0 @55\n 3l 2+0/0 @61\n 4l 2+0/0 @66\n", "a boundary inside of a header ends it"},
    {"Content-Type: multipart/mixed\n\n--x\n\na\n--x--", "1m 33+15/3 @31\n", "no boundary at all"},
    {MIXED "--x\nContent-Type: multipart/alternative; boundary=xy\n\n--xy\n\na\n--xy--\n--x\n\nb\n--x--\n",
     "1m 45+93/11 @43\n 1m 52+17/3 @97\n  1l 2+1/0 @103\n 2l 2+1/0 @117\n", "a boundary that is another's prefix"},
    {MIXED "--x\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--x--\n--x\n\nb\n--x--\n",
     "1m 45+84/11 @43\n 1m 45+15/3 @90\n  1l 2+1/0 @95\n 2l 2+1/0 @108\n", "equal boundaries are the inner one's"},
    {MIXED "--x\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\na\n--x\n\nb\n--x--\n",
     "1m 45+77/10 @43\n 1m 45+8/2 @90\n  1l 2+1/0 @95\n 2l 2+1/0 @102\n", "an outer boundary ends an inner multipart"},
    {EMBEDDED "Subject: a\n\nb\n", "1M 32+17/3 @30\n 1l 14+3/1 @42\n", "an embedded message"},
    {MIXED "--x\nContent-Type: message/rfc822\n--x\nContent-Type: message/rfc822\n\nSubject: i\n--x--\n",
     "1m 45+91/7 @43\n 1M 28+0/0 @75\n  1l 0+0/0 @75\n 2M 32+10/0 @110\n  1l 10+0/0 @120\n",
     "embedded messages that boundaries cut"},
    {EMBEDDED, "1M 32+0/0 @30\n 1l 0+0/0 @30\n", "an embedded message of no bytes"},
    {"Content-Type: multipart/digest; boundary=x\n\n--x\n\nA: b\n\nc\n--x\nContent-Type: text/plain\n\nd\n--x--",
     "1m 46+59/9 @44\n 1M 2+9/2 @49\n  1l 8+1/0 @55\n 2l 28+1/0 @87\n",
     "parts of a digest are messages unless they say otherwise"},
    {"content-TYPE : Multipart/Mixed;\n boundary*0=\"a\"; boundary*1=b\n\n--ab\n\nc\n--ab--\n", "1m 66+19/4 @63\n 1l 2+1/0 @69\n",
     "a folded field in any case, its boundary in pieces"},
    {"Content-Type: multipart/mixed boundary=x\n\n--x\n\na\n--x--\n", "1m 44+17/4 @42\n 1l 2+1/0 @47\n",
     "a forgotten semicolon before the boundary"},
    {"Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\na\n----\n", "1m 46+15/4 @44\n 1l 2+1/0 @48\n", "an empty boundary"},
    {"A: b\0c\n\n\0\n", "1l 8+0/0 @7\n", "NUL"},
};

static void small_messages(void)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof messages / sizeof *messages - 1; i++) {
        size_t n = strlen(messages[i].bytes);
        is(table(messages[i].bytes, n, n + 1), messages[i].table, messages[i].name);
        wrong += wrong_chunkings(messages[i].bytes, n);
    }
    wrong += wrong_chunkings("A: b\0c\n\n\0\nd", 12);
    is_number(wrong, 0, "the same for every chunking, and the sizes are those of the bytes");
}

/* Random bytes of the alphabet that matters. */
static void random_messages(void)
{
    static const char *words[] = {"\n",
                                  "\r\n",
                                  "\r",
                                  "--x",
                                  "--xy",
                                  "--",
                                  "\n\n",
                                  "a",
                                  " ",
                                  "Content-Type: ",
                                  "multipart/mixed;boundary=x\n\n",
                                  "multipart/digest;boundary=xy\n\n",
                                  "message/rfc822\n\n",
                                  "text/plain\n\n",
                                  ":",
                                  "\n--x\n",
                                  "\n--x--\n"};
    stralloc bytes = STRALLOC_ZERO;
    unsigned random = 7;
    unsigned wrong = 0;
    for (unsigned round = 0; round < 3000; round++) {
        bytes.len = 0;
        str_cats(&bytes, round % 4 ? MIXED : "");
        for (unsigned i = 0; i < 24; i++) {
            random = random * 1103515245 + 12345;
            str_cats(&bytes, words[(random >> 16) % (sizeof words / sizeof *words)]);
        }
        wrong += wrong_chunkings(bytes.s, bytes.len);
    }
    is_number(wrong, 0, "3000 random messages come out the same in every chunking");
}

static void repeat(stralloc *out, const char *text, unsigned n)
{
    while (n-- > 0) {
        str_cats(out, text);
    }
}

static void limits(void)
{
    stralloc bytes = STRALLOC_ZERO;
    repeat(&bytes, EMBEDDED, 300);
    parse(bytes.s, bytes.len, 4096);
    is_number(mime.n, MIME_DEPTH_MAX, "messages nest to the limit");
    ok(mime.parts[mime.n - 1].is_overflow, "and the last one is left closed");
    bytes.len = 0;
    for (unsigned i = 0; i < 300; i++) {
        str_catf(&bytes, "Content-Type: multipart/mixed; boundary=b%03u\n\n--b%03u\n", i, i);
    }
    parse(bytes.s, bytes.len, 4096);
    is_number(mime.n, MIME_DEPTH_MAX, "multiparts nest to the limit");
    bytes.len = 0;
    str_cats(&bytes, MIXED);
    repeat(&bytes, "--x\n\na\n", 20000);
    str_cats(&bytes, "--x--\n");
    parse(bytes.s, bytes.len, 4096);
    is_number(mime.n, MIME_PARTS_MAX, "there are 10,000 parts at most");
    is_number((long long)mime.parts[MIME_PARTS_MAX - 1].end.offset, (long long)bytes.len, "and the last one takes the rest");
    bytes.len = 0;
    repeat(&bytes, "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 100000);
    str_cats(&bytes, "\nbody\n");
    parse(bytes.s, bytes.len, 65536);
    is_number((long long)mime.headers.len, MIME_KEPT_MAX, "kept bytes are bounded");
    is_number((long long)mime_part_body_bytes(&mime.parts[0]), 6, "what is not kept is counted");
    bytes.len = 0;
    str_cats(&bytes, MIXED "--x\n\n");
    repeat(&bytes, "0123456789", 200000);
    str_cats(&bytes, "\n--x--\n");
    parse(bytes.s, bytes.len, 1000);
    is_number((long long)mime_part_body_bytes(&mime.parts[1]), 2000000, "a line of two megabytes");
    stralloc_free(&bytes);
}

static void long_boundaries(void)
{
    stralloc bytes = STRALLOC_ZERO;
    char boundary[301];
    memset(boundary, 'b', 300);
    boundary[300] = '\0';
    str_catf(&bytes, "Content-Type: multipart/mixed; boundary=%.200s\n\n--%.200s\n\na\n--%.200s--\n", boundary, boundary,
             boundary);
    is_number(wrong_chunkings(bytes.s, bytes.len), 0, "a boundary of 200 bytes");
    is_number((long long)mime_part_body_bytes(&mime.parts[1]), 1, "that ends its part");
    bytes.len = 0;
    str_catf(&bytes, "Content-Type: multipart/mixed; boundary=%s\n\n--%s\n\na\n--%s--\n", boundary, boundary, boundary);
    is_number(wrong_chunkings(bytes.s, bytes.len), 0, "of one of 300 bytes the first 255 count");
    stralloc_free(&bytes);
}

static void section(const char *numbers, long long want, const char *name)
{
    uint32_t list[8];
    size_t n = 0;
    for (const char *p = numbers; *p != '\0'; p++) {
        list[n++] = (uint32_t)(*p - '0');
    }
    uint32_t found = mime_find(mime.parts, list, n);
    is_number(found == MIME_NONE ? -1 : (long long)found, want, name);
}

static void sections(void)
{
    /* 0 multipart: 1 text, 2 message: 3 multipart: 4 text, 5 text; 6 message: 7 text */
    const char *bytes =
        MIXED "--x\n\na\n--x\n" EMBEDDED "Content-Type: multipart/mixed; boundary=y\n\n--y\n\nb\n--y\n\nc\n--y--\n--x\n" EMBEDDED
              "A: b\n\nc\n--x--\n";
    parse(bytes, strlen(bytes), 4096);
    section("", 0, "no number is the message");
    section("1", 1, "1 is the first part");
    section("11", -1, "a text has no parts");
    section("2", 2, "2 is the embedded message as a part");
    section("22", 5, "2.2 is the second part of the embedded message");
    section("23", -1, "it has no third one");
    section("31", 7, "3.1 is the text of the embedded message");
    section("32", -1, "it has no second part");
    section("0", -1, "there is no part 0");
    parse("A: b\n\nc", 7, 7);
    section("1", 0, "1 of a plain message is the message");
    section("2", -1, "it has no part 2");
    parse(EMBEDDED "A: b\n\nc", strlen(EMBEDDED) + 7, 7);
    section("1", 0, "1 of a message that is a message is itself");
    section("11", 1, "1.1 is what it holds");
}

int main(void)
{
    small_messages();
    random_messages();
    limits();
    long_boundaries();
    sections();
    return done();
}
