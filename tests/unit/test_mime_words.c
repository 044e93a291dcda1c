/* SPDX-License-Identifier: ISC */
/* Charsets and encoded words: what RFC 2047 shows, what mailers get wrong, and every chunking. */
#include "lib/mime_words.h"
#include "lib/str.h"
#include "tests/tap.h"

static struct mime_words words;
static stralloc out;

static const char *convert(const char *charset, const char *bytes, size_t n, size_t chunk)
{
    struct charset_stream stream;
    out.len = 0;
    charset_start(&stream, charsets_find(&words.charsets, charset, strlen(charset)));
    for (size_t at = 0; at < n; at += chunk) {
        charset_add(&stream, bytes + at, n - at < chunk ? n - at : chunk, &out);
    }
    charset_end(&stream, &out);
    return str_text(&out);
}

static void charsets(void)
{
    static const struct {
        const char *charset, *bytes, *want;
    } table[] = {
        {"ISO-8859-1", "K\xf6ln \x80", "K\xc3\xb6ln \xe2\x82\xac"},
        {"koi8-r", "\xc2\xcf", "\xd0\xb1\xd0\xbe"},
        {"Shift_JIS", "\x8e\xf5\x8e\x69", "\xe5\xaf\xbf\xe5\x8f\xb8"},
        {"iso-2022-jp", "\x1b$B<w;J\x1b(B!", "\xe5\xaf\xbf\xe5\x8f\xb8!"},
        {"gb2312", "\xca\xd9\xcb\xbe", "\xe5\xaf\xbf\xe5\x8f\xb8"},
        {"utf-7", "+AOQ-x", "\xc3\xa4x"},
        {"us-ascii", "\xc3\xa4\xff", "\xc3\xa4\xff"},
        {"utf-8", "\xc3\xa4\xff", "\xc3\xa4\xff"},
        {"", "\xc3\xa4", "\xc3\xa4"},
        {"no-such-charset", "\xe4", "\xe4"},
        {"../../tmp/evil", "\xe4", "\xe4"},
        {"utf-8//TRANSLIT", "\xe4", "\xe4"},
        {"euc-jp", "a\xb0", "a\xef\xbf\xbd"},
        {"windows-1252",
         "\x81"
         "b",
         "\xef\xbf\xbd"
         "b"},
    };
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t n = strlen(table[i].bytes);
        is(convert(table[i].charset, table[i].bytes, n, n), table[i].want, table[i].charset);
        wrong += strcmp(convert(table[i].charset, table[i].bytes, n, 1), table[i].want) != 0;
    }
    is_number(wrong, 0, "byte by byte too");
    for (unsigned i = 0; i < 3 * CHARSETS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "x-%u", i);
        (void)charsets_find(&words.charsets, name, strlen(name));
    }
    is(convert("iso-8859-15", "\xa4", 1, 1), "\xe2\x82\xac", "and still when many others were asked for");
}

static void encoded_words(void)
{
    static const char *const table[][2] = {
        {"a b", "a b"},
        {"=?utf-8?q?J=C3=B6rg?=", "J\xc3\xb6rg"},
        {"=?UTF-8?B?SsO2cmc=?= M", "J\xc3\xb6rg M"},
        {"x =?iso-8859-1*de?Q?=E4_b?= y", "x \xc3\xa4 b y"},
        {"=?utf-8?q?a?= \t =?utf-8?q?b?=", "ab"},
        {"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"},
        {"=?utf-8?b?w4Q=?==?utf-8?b?w7Y=?=", "\xc3\x84\xc3\xb6"},
        {"=?utf-8?q?=C3?= =?utf-8?q?=B6?=", "\xc3\xb6"},
        {"=?euc-jp?q?=BC?= =?euc-jp?q?=F7?=", "\xe5\xaf\xbf"},
        {"=?euc-jp?q?=BC?= =?utf-8?q?x?=", "\xef\xbf\xbdx"},
        {"=?iso-8859-1?q?=E4?= =?koi8-r?q?=C2?=", "\xc3\xa4\xd0\xb1"},
        {"=?utf-8?q?\?=", ""},
        {"=?utf-8?q?a b?=", "a b"},
        {"=?no-such?q?=E4?=", "\xe4"},
        {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
        {"=?utf-8?q?a", "=?utf-8?q?a"},
        {"=?utf-8?q?a =?utf-8?q?b?=", "a =?utf-8?q?b"},
        {"=?\?q?a?=", "=?\?q?a?="},
        {"=?u t?q?a?=", "=?u t?q?a?="},
        {"=?=?=?", "=?=?=?"},
        {"\xc3\xb6 =?utf-8?q?=zz=?=", "\xc3\xb6 =zz="},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        out.len = 0;
        mime_words_append(&out, &words, table[i][0], strlen(table[i][0]));
        is(str_text(&out), table[i][1], table[i][0]);
    }
    out.len = 0;
    mime_words_append(&out, &words, NULL, 0);
    is_number((long long)out.len, 0, "of_nothing_nothing_is_made");
    stralloc many = STRALLOC_ZERO;
    for (unsigned i = 0; i < 300000; i++) {
        str_cats(&many, "=?a?q?");
    }
    out.len = 0;
    mime_words_append(&out, &words, many.s, many.len);
    ok(out.len > 0 && out.len <= many.len, "300,000 beginnings of words end in time");
    stralloc_free(&many);
}

int main(void)
{
    charsets();
    encoded_words();
    return done();
}
