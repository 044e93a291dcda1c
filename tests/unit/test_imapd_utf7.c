/* SPDX-License-Identifier: ISC */
/* imapd/utf7: modified UTF-7 both ways; every name has one form only. */
#include <stdlib.h>

#include "imapd/utf7.h"
#include "lib/str.h"
#include "lib/utf8.h"
#include "tests/tap.h"

static stralloc out;

/* What comes of it, with "kept" in front so that a false that left something shows. */
static const char *to_utf8(const char *bytes, size_t n)
{
    char *exact = malloc(n + 1);
    memcpy(exact, bytes, n);
    str_copys(&out, "kept:");
    bool is_good = utf7_to_utf8(exact, n, &out);
    free(exact);
    return is_good ? str_text(&out) : strcmp(str_text(&out), "kept:") == 0 ? "no" : "no, but something was appended";
}

static const char *from_utf8(const char *bytes, size_t n)
{
    char *exact = malloc(n + 1);
    memcpy(exact, bytes, n);
    str_copys(&out, "kept:");
    bool is_good = utf7_from_utf8(exact, n, &out);
    free(exact);
    return is_good ? str_text(&out) : strcmp(str_text(&out), "kept:") == 0 ? "no" : "no, but something was appended";
}

static void both_ways(const char *utf7, const char *utf8)
{
    char want[64];
    (void)snprintf(want, sizeof want, "kept:%s", utf8);
    is(to_utf8(utf7, strlen(utf7)), want, utf7);
    (void)snprintf(want, sizeof want, "kept:%s", utf7);
    is(from_utf8(utf8, strlen(utf8)), want, utf7);
}

static void names(void)
{
    both_ways("", "");
    both_ways("INBOX", "INBOX");
    both_ways("a b~}!", "a b~}!");
    both_ways("&-", "&");
    both_ways("a&-b&-", "a&b&");
    both_ways("&-&-", "&&");
    both_ways("Entw&APw-rfe", "Entw\xc3\xbc"
                              "rfe");
    both_ways("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e");
    both_ways("&AOk-&-", "\xc3\xa9&");
    both_ways("&AOkA6Q-", "\xc3\xa9\xc3\xa9");
    both_ways("&2D3eAA-", "\xf0\x9f\x98\x80"); /* a surrogate pair */
    both_ways("&AH8-", "\x7f");
    both_ways("&AAk-", "\t");
    both_ways("&,,8-", "\xef\xbf\xbf");
    both_ways("&AOk-a&AOk-", "\xc3\xa9"
                             "a\xc3\xa9");
}

static void illegal_utf7(void)
{
    static const char *const rows[] = {"&",                /* no end */
                                       "a&",               /* */
                                       "&AOk",             /* no end */
                                       "&A-",              /* half a character */
                                       "&AO-",             /* */
                                       "&AOkA-",           /* one and a bit */
                                       "&AOl-",            /* bits over that are not zero */
                                       "&AOkAA-",          /* a zero too much */
                                       "&AOk-&AOk-",       /* two runs where one would do */
                                       "&AGE-",            /* a plain letter */
                                       "&AOkAYQ-",         /* a plain letter in a run */
                                       "&ACY-",            /* & in a run */
                                       "&AOk=-",           /* padding */
                                       "&AO/-",            /* '/' is ',' here */
                                       "&AO k-",           /* a space */
                                       "&2D0-",            /* half a surrogate pair */
                                       "&3gA-",            /* the other half */
                                       "&3gDYPQ-",         /* in the wrong order */
                                       "&2D0AYQ-",         /* one and a letter */
                                       "&2D3YPd4A-",       /* two first halves */
                                       "&AAA-",            /* NUL */
                                       "\xc3\xa9",         /* 8-bit */
                                       "a\tb",             /* a control */
                                       "a\x7f",            /* */
                                       "&\xc3\xa9-",       /* */
                                       "a&AOk-\xc3\xa9-"}; /* */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        is(to_utf8(rows[i], strlen(rows[i])), "no", rows[i]);
    }
    is(to_utf8("&AO\0k-", 6), "no", "a_nul_inside");
    is(to_utf8("a\0", 2), "no", "a_nul_behind");
}

static void illegal_utf8(void)
{
    static const char *const rows[] = {"\x80",
                                       "\xc3",
                                       "\xc3"
                                       "a",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xed\xa0\x80",
                                       "\xe0\x80\x80",
                                       "\xf4\x90\x80\x80",
                                       "\xff",
                                       "ok\xc3\xa9\xe2\x82"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        is(from_utf8(rows[i], strlen(rows[i])), "no", "broken_utf8");
    }
}

/* Each character alone and between others. */
static void every_character(void)
{
    unsigned wrong = 0;
    stralloc utf7 = STRALLOC_ZERO;
    stralloc back = STRALLOC_ZERO;
    for (uint32_t c = 1; c <= 0x10ffff; c += c < 0x3000 || c > 0xd000 ? 1 : 7) {
        char text[16] = "x";
        if (c >= 0xd800 && c <= 0xdfff) {
            continue;
        }
        size_t n = 1 + utf8_encode(c, text + 1);
        text[n++] = '&';
        for (size_t from = 0; from < 2; from++) {
            utf7.len = back.len = 0;
            bool is_good = utf7_from_utf8(text + from, n - from, &utf7) && utf7_to_utf8(utf7.s, utf7.len, &back);
            wrong += !is_good || back.len != n - from || memcmp(back.s, text + from, n - from) != 0;
            for (size_t i = 0; i < utf7.len; i++) {
                wrong += utf7.s[i] < 0x20 || utf7.s[i] > 0x7e;
            }
        }
    }
    is_number(wrong, 0, "every_character_comes_back");
    stralloc_free(&utf7);
    stralloc_free(&back);
}

/* Every string of a small alphabet: what is taken is the only form of its name. */
static void one_form_only(void)
{
    static const char alphabet[] = "&-AOkQ,x/";
    enum { LETTERS = sizeof alphabet - 1, DEEP = 6 };
    unsigned wrong = 0;
    unsigned taken = 0;
    stralloc utf8 = STRALLOC_ZERO;
    stralloc again = STRALLOC_ZERO;
    for (unsigned number = 0; number < LETTERS * LETTERS * LETTERS * LETTERS * LETTERS * LETTERS; number++) {
        char text[DEEP];
        unsigned rest = number;
        for (unsigned i = 0; i < DEEP; i++, rest /= LETTERS) {
            text[i] = alphabet[rest % LETTERS];
        }
        utf8.len = again.len = 0;
        if (!utf7_to_utf8(text, DEEP, &utf8)) {
            wrong += utf8.len != 0;
            continue;
        }
        taken++;
        wrong += !utf7_from_utf8(utf8.s, utf8.len, &again) || again.len != DEEP || memcmp(again.s, text, DEEP) != 0;
        for (size_t i = 0; i + 1 < DEEP; i++) { /* a lone & is none */
            wrong += text[i] == '&' && memchr(text + i, '-', DEEP - i) == NULL;
        }
    }
    printf("# %u of them are names\n", taken);
    ok(wrong == 0 && taken > 20000, "what_is_taken_is_the_only_form_of_its_name");
    stralloc_free(&utf8);
    stralloc_free(&again);
}

int main(void)
{
    names();
    illegal_utf7();
    illegal_utf8();
    every_character();
    one_form_only();
    return done();
}
