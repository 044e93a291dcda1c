/* SPDX-License-Identifier: ISC */
/* imapd/pattern: LIST's wildcards against a slow and simple matcher, and the hard cases by name. */
#include <stdlib.h>

#include "imapd/pattern.h"
#include "tests/tap.h"

static bool matches(const char *pattern, const char *name, char separator)
{
    return pattern_matches((struct slice){pattern, strlen(pattern)}, (struct slice){name, strlen(name)}, separator);
}

static void names(void)
{
    static const struct {
        const char *pattern, *name;
        char separator;
        bool want;
    } rows[] = {{"*", "INBOX", '/', true},
                {"*", "", '/', true},
                {"%", "", '/', true},
                {"", "", '/', true},
                {"", "a", '/', false},
                {"%", "INBOX", '/', true},
                {"%", "a/b", '/', false},
                {"%", "a.b", '/', true},
                {"%", "a.b", '.', false},
                {"*", "a/b/c", '/', true},
                {"%/%", "a/b", '/', true},
                {"%/%", "a/b/c", '/', false},
                {"a/%", "a/b", '/', true},
                {"a/%", "a", '/', false},
                {"a/%", "a/", '/', true},
                {"a%", "a/b", '/', false},
                {"a*", "a/b", '/', true},
                {"*b", "a/b", '/', true},
                {"%b", "a/b", '/', false},
                {"*/b", "a/c/b", '/', true},
                {"a*c*e", "abcde", '/', true},
                {"a%c%e", "ab/cde", '/', false},
                {"**%%**", "a/b", '/', true},
                {"a", "A", '/', false},
                {"ab", "a", '/', false},
                {"a", "ab", '/', false},
                {"inbox", "INBOX", '/', true},
                {"InBoX", "INBOX", '/', true},
                {"INBOX", "inbox", '/', true},
                {"in%", "INBOX", '/', true},
                {"*x", "INBOX", '/', true},
                {"i%x", "INBOX", '/', true},
                {"inbo", "INBOX", '/', false},
                {"inbox", "INBOX2", '/', false},
                {"inbox*", "INBOX/a", '/', false},
                {"INBOX*", "INBOX/a", '/', true},
                {"\xc3\xa9*", "\xc3\xa9t\xc3\xa9", '/', true},
                {"a\\*", "a*", '/', false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char label[64];
        (void)snprintf(label, sizeof label, "%s %s %s", rows[i].pattern, rows[i].want ? "is" : "is not", rows[i].name);
        ok(matches(rows[i].pattern, rows[i].name, rows[i].separator) == rows[i].want, label);
    }
}

/* By its definition; the texts are short. */
static bool is_match(const char *pattern, const char *name)
{
    if (*pattern == '\0') {
        return *name == '\0';
    }
    if (*pattern == '*' || *pattern == '%') {
        bool may_eat = *name != '\0' && (*pattern == '*' || *name != '/');
        return is_match(pattern + 1, name) || (may_eat && is_match(pattern, name + 1));
    }
    return *name == *pattern && is_match(pattern + 1, name + 1);
}

/* The text of a number, in a small alphabet. */
static void spell(unsigned number, const char *alphabet, char *out)
{
    size_t letters = strlen(alphabet);
    for (; number > 0; number = (unsigned)((number - 1) / letters)) {
        *out++ = alphabet[(number - 1) % letters];
    }
    *out = '\0';
}

static void all_short_ones(void)
{
    enum { PATTERNS = 1 + 4 + 16 + 64 + 256 + 1024, NAMES = 1 + 3 + 9 + 27 + 81 };
    unsigned wrong = 0;
    for (unsigned p = 0; p < PATTERNS; p++) {
        char pattern[8];
        spell(p, "a/%*", pattern);
        for (unsigned n = 0; n < NAMES; n++) {
            char name[8];
            spell(n, "ab/", name);
            wrong += matches(pattern, name, '/') != is_match(pattern, name);
        }
    }
    is_number(wrong, 0, "all_short_patterns_and_names");
}

static void long_ones(void)
{
    static char pattern[PATTERN_MAX + 1];
    static char name[4096];
    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = "*a"[i % 2];
    }
    memset(name, 'a', sizeof name);
    ok(!pattern_matches((struct slice){pattern, PATTERN_MAX - 1}, (struct slice){name, 100}, '/'),
       "a_hard_pattern_without_a_match");
    ok(pattern_matches((struct slice){pattern, PATTERN_MAX}, (struct slice){name, sizeof name}, '/'), "and_with_one");
    ok(!pattern_matches((struct slice){"*************************************************b", 50},
                        (struct slice){name, sizeof name}, '/'),
       "many_wildcards_before_what_is_not_there");
    ok(!pattern_matches((struct slice){pattern, PATTERN_MAX + 1}, (struct slice){name, sizeof name}, '/'),
       "a_longer_one_is_nothing");
    memset(pattern, '%', sizeof pattern);
    ok(pattern_matches((struct slice){pattern, PATTERN_MAX}, (struct slice){"INBOX", 5}, '/'), "the_longest_for_inbox");
}

int main(void)
{
    names();
    all_short_ones();
    long_ones();
    return done();
}
