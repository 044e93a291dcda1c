/* SPDX-License-Identifier: ISC */
/* lib/mime_decode: base64 and quoted-printable as RFC 2045 shows them, what mailers get wrong, and every chunking. */
#include "lib/mime_decode.h"
#include "lib/str.h"
#include "tests/tap.h"

static struct mime_decoder decoder;
static stralloc out;

static const char *decode(enum mime_encoding encoding, const char *bytes, size_t n, size_t chunk)
{
    out.len = 0;
    mime_decoder_start(&decoder, encoding);
    for (size_t at = 0; at < n; at += chunk) {
        mime_decoder_add(&decoder, bytes + at, n - at < chunk ? n - at : chunk, &out);
    }
    mime_decoder_end(&decoder, &out);
    return str_text(&out);
}

static const struct row {
    enum mime_encoding encoding;
    const char *bytes, *want, *name;
} table[] = {
#define QP MIME_QUOTED_PRINTABLE
    {QP, "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
     "Now's the time for all folk to come to the aid of their country.", "RFC 2045's own example"},
    {QP, "J=C3=B6rg=\n soft=3d", "J\xc3\xb6rg soft=", "bytes and soft line ends"},
    {QP, "a =20\nb \t\nc  \r\nd ", "a  \nb\nc\r\nd", "blanks before a line end are dropped"},
    {QP, "a= \t\r\nb=\r\nc", "abc", "blanks behind the = of a soft line end"},
    {QP, "=zz =4 =4g = x ==41", "=zz =4 =4g = x =A", "what is no code stays"},
    {QP, "=3D=3d=0A=0D=00x", "==\n\r", "small letters too, and line ends in codes stay"},
    {QP, "a=4", "a=4", "cut in a code"},
    {QP, "a=", "a", "cut in a soft line end"},
    {QP, "a= \t", "a", "or in its blanks"},
    {QP, "a= \r", "a", "or before its LF"},
    {QP, "a=\rb", "a=\rb", "a CR alone ends no line"},
    {QP, "a= b\n", "a= b\n", "blanks that no line end follows"},
    {QP, "a=== \n=41", "a==A", "an = before an ="},
    {QP, "a \r b\rc\r\r\n", "a \r b\rc\r\r\n", "bare CRs stay"},
    {QP, " \t \n\n  x\n", "\n\n  x\n", "lines of blanks"},
    {QP, "\xff=ff\x80", "\xff\xff\x80", "bytes of 8 bits stay"},
    {QP, "", "", "nothing"},
#undef QP
    {MIME_BASE64, "Zg==", "f", "RFC 4648: f"},
    {MIME_BASE64, "Zm8=", "fo", "RFC 4648: fo"},
    {MIME_BASE64, "Zm9v", "foo", "RFC 4648: foo"},
    {MIME_BASE64, "Zm9vYg==", "foob", "RFC 4648: foob"},
    {MIME_BASE64, "Zm9vYmE=", "fooba", "RFC 4648: fooba"},
    {MIME_BASE64, "Zm9vYmFy", "foobar", "RFC 4648: foobar"},
    {MIME_BASE64, "++//+/+/", "\xfb\xef\xff\xfb\xff\xbf", "the last two of the alphabet"},
    {MIME_BASE64, "dGV4\r\n dA==", "text", "line ends inside"},
    {MIME_BASE64, "dGV4dA==dGV4dA==", "text", "the padding ends it"},
    {MIME_BASE64, "d!G-V_4.dA", "text", "other bytes are skipped, padding may be missing"},
    {MIME_BASE64, "dGV4dA==\n-- \nlist footer\n", "text", "text behind it is not decoded"},
    {MIME_BASE64, "dGV4d", "tex", "a lone last character means nothing"},
    {MIME_BASE64, "=dGV4dA==", "", "padding first"},
    {MIME_BASE64, "", "", "nothing of it"},
    {MIME_IDENTITY, "=41 dA==\r\n", "=41 dA==\r\n", "others are not touched"},
};

static void encodings(void)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t n = strlen(table[i].bytes);
        is(decode(table[i].encoding, table[i].bytes, n, n + 1), table[i].want, table[i].name);
        for (size_t chunk = 1; chunk < n; chunk++) {
            wrong += strcmp(decode(table[i].encoding, table[i].bytes, n, chunk), table[i].want) != 0;
        }
    }
    is_number(wrong, 0, "in every chunking");
    (void)decode(MIME_QUOTED_PRINTABLE, "a\0=00b", 6, 6);
    is_bytes(out.s, out.len, "a\0\0b", 4, "NUL is a byte as others");
    (void)decode(MIME_BASE64, "AA\0AA\xff", 6, 6);
    is_bytes(out.s, out.len, "\0\0\0", 3, "in base64 it is none of the alphabet");
}

/* Every byte there and back, coded by the simplest rule. */
static void round_trips(void)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    stralloc coded = STRALLOC_ZERO;
    unsigned wrong = 0;
    for (unsigned c = 0; c < 256; c++) {
        const char want[3] = {(char)c, (char)(255 - c), (char)(c * 7)};
        coded.len = 0;
        for (unsigned i = 0; i < 3; i++) {
            str_catf(&coded, "=%02X", (unsigned char)want[i]);
        }
        (void)decode(MIME_QUOTED_PRINTABLE, coded.s, coded.len, 2);
        wrong += out.len != 3 || memcmp(out.s, want, 3) != 0;
        unsigned bits = (unsigned)(unsigned char)want[0] << 16 | (unsigned)(unsigned char)want[1] << 8 | (unsigned char)want[2];
        coded.len = 0;
        for (unsigned i = 0; i < 4; i++) {
            str_catc(&coded, letters[bits >> (18 - 6 * i) & 63]);
        }
        (void)decode(MIME_BASE64, coded.s, coded.len, 3);
        wrong += out.len != 3 || memcmp(out.s, want, 3) != 0;
    }
    is_number(wrong, 0, "every byte comes back");
    stralloc_free(&coded);
}

static void blanks_without_end(void)
{
    stralloc blanks = STRALLOC_ZERO;
    char *room = str_room(&blanks, 5001);
    memset(room, ' ', 5001);
    blanks.len = 5000;
    (void)decode(MIME_QUOTED_PRINTABLE, blanks.s, blanks.len, 7);
    ok(out.len >= 5000 - 2 * MIME_BLANKS_HELD, "blanks without end are not held without end");
    blanks.s[0] = '=';
    (void)decode(MIME_QUOTED_PRINTABLE, blanks.s, blanks.len, 7);
    ok(out.len >= 5000 - 2 * MIME_BLANKS_HELD && out.s[0] == '=', "nor behind an =");
    ok(decoder.held.a < 4 * MIME_BLANKS_HELD, "and take no room");
    stralloc_free(&blanks);
}

/* What the last text left changes nothing in the next. */
static void one_after_another(void)
{
    static const char *const ends[] = {"a=4", "a=", "a = \t", "a \t\r"};
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        (void)decode(MIME_QUOTED_PRINTABLE, ends[i], strlen(ends[i]), 1);
        wrong += strcmp(decode(MIME_QUOTED_PRINTABLE, "1\nb", 3, 1), "1\nb") != 0;
    }
    (void)decode(MIME_BASE64, "dGV4d", 5, 5);
    wrong += strcmp(decode(MIME_BASE64, "Zm9v", 4, 4), "foo") != 0;
    is_number(wrong, 0, "a text that was cut spoils no other");
}

static void names(void)
{
    static const struct {
        const char *token;
        enum mime_encoding want;
    } words[] = {{"Base64", MIME_BASE64},
                 {"QUOTED-printable", MIME_QUOTED_PRINTABLE},
                 {"8bit", MIME_IDENTITY},
                 {"7BIT", MIME_IDENTITY},
                 {"binary", MIME_IDENTITY},
                 {"", MIME_IDENTITY},
                 {"base64 ", MIME_IDENTITY},
                 {"base6", MIME_IDENTITY},
                 {"quoted-printable2", MIME_IDENTITY},
                 {"x-uuencode", MIME_IDENTITY}};
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        wrong += mime_encoding_of(words[i].token, strlen(words[i].token)) != words[i].want;
    }
    is_number(wrong, 0, "encodings by name");
}

int main(void)
{
    encodings();
    round_trips();
    blanks_without_end();
    one_after_another();
    names();
    return done();
}
