/* SPDX-License-Identifier: ISC */
/* pop3d/command: the grammar, and that any bytes are taken without harm. */
#include "pop3d/command.h"
#include "lib/str.h"
#include "tests/tap.h"

#include <stdlib.h>

/* What was parsed, as words: `good LIST 7`, `malformed form`, `unknown WORD`. */
static void describe(const char *line, size_t n, stralloc *out)
{
    struct command command;
    out->len = 0;
    switch (command_parse(line, n, &command)) {
    case COMMAND_UNKNOWN:
        str_cats(out, "unknown ");
        str_cat_printable(out, command.word, command.word_len);
        break;
    case COMMAND_MALFORMED:
        str_cats(out, "malformed ");
        str_cats(out, command_form(command.verb));
        break;
    case COMMAND_GOOD:
        str_cats(out, command.verb == COMMAND_NOT_OFFERED ? "not-offered" : command.verb == COMMAND_HTTP ? "http" : "good ");
        str_cats(out, command_form(command.verb));
        for (unsigned i = 0; i < command.n_numbers; i++) {
            str_catf(out, " %llu", (unsigned long long)command.number[i]);
        }
        if (command.text != NULL) {
            str_catc(out, '[');
            str_cat_printable(out, command.text, command.text_len);
            str_catc(out, ']');
        }
    }
    (void)str_text(out);
}

static void parses(const char *line, const char *want)
{
    stralloc got = STRALLOC_ZERO;
    describe(line, strlen(line), &got);
    is(got.s, want, line);
    stralloc_free(&got);
}

/* Every slice that comes out lies inside the line, for every string of a small alphabet. */
static void slices_stay_inside(void)
{
    static const char *const words[] = {"USER", "PASS", "TOP", "1", " ", "\t", "x", "LIST", "18446744073709551616"};
    enum { WORDS = sizeof words / sizeof words[0], DEEP = 5 };
    unsigned wrong = 0;
    for (unsigned long code = 0; code < WORDS * WORDS * WORDS * WORDS * WORDS; code++) {
        char line[160];
        size_t n = 0;
        unsigned long rest = code;
        for (unsigned i = 0; i < DEEP; i++) {
            size_t len = strlen(words[rest % WORDS]);
            memcpy(line + n, words[rest % WORDS], len);
            n += len;
            rest /= WORDS;
        }
        char *exact = malloc(n); /* so that a sanitizer sees a byte too far */
        struct command command;
        memcpy(exact, line, n);
        (void)command_parse(exact, n, &command);
        bool is_inside = command.text == NULL || command.text_len == 0 || command.text + command.text_len <= exact + n;
        wrong += !is_inside || command.word_len > n || command.n_numbers > 2;
        free(exact);
    }
    is_number(wrong, 0, "slices_stay_inside_the_line");
}

int main(void)
{
    parses("STAT", "good STAT");
    parses("stat", "good STAT");
    parses("STAT \t", "good STAT");
    parses("STAT 1", "malformed STAT");
    parses("LIST", "good LIST, or LIST message-number");
    parses("LIST 7", "good LIST, or LIST message-number 7");
    parses("LIST 7 8", "malformed LIST, or LIST message-number");
    parses("UIDL 00007", "good UIDL, or UIDL message-number 7");
    parses("RETR 18446744073709551615", "good RETR message-number 18446744073709551615");
    parses("RETR 18446744073709551616", "malformed RETR message-number");
    parses("RETR", "malformed RETR message-number");
    parses("RETR  7", "malformed RETR message-number");
    parses("RETR\t7", "unknown RETR\\x097");
    parses("RETR 7x", "malformed RETR message-number");
    parses("RETR +7", "malformed RETR message-number");
    parses("TOP 1 0", "good TOP message-number lines 1 0");
    parses("TOP 1 0 ", "good TOP message-number lines 1 0");
    parses("TOP 1", "malformed TOP message-number lines");
    parses("TOP 1 2 3", "malformed TOP message-number lines");
    parses("USER joe@example.test  ", "good USER name[joe@example.test]");
    parses("USER  joe", "good USER name[ joe]");
    parses("USER ", "malformed USER name");
    parses("PASS a b ", "good PASS password[a b ]");
    parses("PASS  ", "good PASS password[ ]");
    parses("PASS ", "malformed PASS password");
    parses("PASS", "malformed PASS password");
    parses("PASSx", "unknown PASSx");
    parses("AUTH ", "not-offered");
    parses("APOP joe c4c9", "not-offered");
    parses("GET / HTTP/1.1", "http");
    parses("", "unknown ");
    parses(" STAT", "unknown ");
    parses("\xff\x01", "unknown \\xff\\x01");
    slices_stay_inside();
    return done();
}
