/* SPDX-License-Identifier: ISC */
/* Folding: libc's own tables agree, and bytes that are no UTF-8 survive. */
#include "lib/casefold.h"
#include "lib/str.h"
#include "lib/utf8.h"
#include "tests/tap.h"

#include <locale.h>
#include <wctype.h>

static const char *fold(const char *bytes)
{
    static stralloc out = STRALLOC_ZERO;
    out.len = 0;
    casefold_append(&out, bytes, strlen(bytes));
    return str_text(&out);
}

/* Both cases of a letter fold to the same, and what is folded is not folded again. */
static void every_character(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    unsigned wrong = 0;
    unsigned grown = 0;
    for (uint32_t c = 1; locale != (locale_t)0 && c < 0x20000; c++) {
        char bytes[4];
        stralloc once = STRALLOC_ZERO;
        stralloc twice = STRALLOC_ZERO;
        if (c == 0xd800) {
            c = 0xe000;
        }
        size_t n = utf8_encode(c, bytes);
        casefold_append(&once, bytes, n);
        casefold_append(&twice, once.s, once.len);
        wrong += once.len != twice.len || memcmp(once.s, twice.s, once.len) != 0;
        wrong += casefold_char((uint32_t)towupper_l((wint_t)c, locale)) != casefold_char(c) && c != 0x345 &&
                 (c < 0x10d0 || c > 0x10ff); /* Georgian has no title case */
        grown += once.len > 3 * n;
        stralloc_free(&once);
        stralloc_free(&twice);
    }
    is_number(wrong, 0, "a letter and its upper case fold to the same, and once is enough");
    is_number(grown, 0, "nothing grows to more than three times its bytes");
    freelocale(locale);
}

static void utf8(void)
{
    unsigned wrong = 0;
    for (uint32_t c = 0; c < 0x110000; c++) {
        char bytes[4];
        uint32_t back = 0;
        if (c == 0xd800) {
            c = 0xe000;
        }
        size_t n = utf8_encode(c, bytes);
        wrong += utf8_decode(bytes, n, &back) != n || back != c || utf8_decode(bytes, n - 1, &back) != 0;
    }
    is_number(wrong, 0, "every character is written and read");
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xc3x",
                                      "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint32_t c;
        wrong += utf8_decode(bad[i], strlen(bad[i]), &c) != 0;
    }
    is_number(wrong, 0, "what is none is refused");
}

int main(void)
{
    static const char *const table[][3] = {
        {"Stra\xc3\x9f"
         "e_ \xce\xa3\xcf\x83\xcf\x82 \xd0\xb1",
         "STRA\xc3\x9f"
         "E_ \xce\xa3\xce\xa3\xce\xa3 \xd0\x91",
         "Latin, Greek, Cyrillic"},
        {"\xc3\xb6 o\xcc\x88 \xc3\x96", "O\xcc\x88 O\xcc\x88 O\xcc\x88", "the ways to write an accent"},
        {"\xe1\xba\xad", "A\xcc\xa3\xcc\x82", "a letter made of three"},
        {"\xe1\xbe\x82", "\xce\x91\xcc\x93\xcc\x80\xcd\x85", "a letter made of four"},
        {"\xe2\x84\xab", "A\xcc\x8a", "a sign that is a letter that is made of two"},
        {"\xef\xbd\x81\xef\xbc\x91", "A1", "wide ASCII"},
        {"a\xff\xc3"
         "b\xe2\x82",
         "A\xff\xc3"
         "B\xe2\x82",
         "bytes that are no UTF-8 stay"},
        {"\xe5\xaf\xbf\xed\x95\x9c", "\xe5\xaf\xbf\xed\x95\x9c", "what has no case stays"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        is(fold(table[i][0]), table[i][1], table[i][2]);
    }
    every_character();
    utf8();
    return done();
}
