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

static void agrees_with_libc(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    unsigned wrong = 0;
    unsigned folded = 0;
    for (uint32_t c = 0; locale != (locale_t)0 && c < 0x20000; c++) {
        uint32_t got = casefold_char(c);
        /* both cases of a letter fold to the same; a letter that is only lower case folds to itself */
        wrong += casefold_char((uint32_t)towlower_l((wint_t)c, locale)) != got && c != 0x130;
        wrong += casefold_char(got) != got;
        folded += got != c;
    }
    is_number(wrong, 0, "a letter and its lower case fold to the same, and once is enough");
    is_number(folded, 1428 + 26, "so many characters fold to others");
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
    is(fold("Stra\xc3\x9f"
            "E \xc3\x84\xc3\x96 \xce\xa3\xcf\x82 \xd0\x91"),
       "stra\xc3\x9f"
       "e \xc3\xa4\xc3\xb6 \xcf\x83\xcf\x83 \xd0\xb1",
       "Latin, Greek, Cyrillic");
    is(fold("A\xff\xc3"
            "B\xe2\x82"),
       "a\xff\xc3"
       "b\xe2\x82",
       "bytes that are no UTF-8 stay");
    is(fold("\xc8\xba\xc8\xba\xc8\xba"), "\xe2\xb1\xa5\xe2\xb1\xa5\xe2\xb1\xa5", "a folding that grows");
    agrees_with_libc();
    utf8();
    return done();
}
