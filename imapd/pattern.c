/* SPDX-License-Identifier: ISC */
/* Which positions of the pattern are reached after each character of the name: no backtracking, whatever the pattern. */
#include "imapd/pattern.h"

#include "lib/str.h"

/* A wildcard may match nothing: what stands behind it is reached, too. */
static void pass_wildcards(struct slice pattern, bool *reached)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (reached[i] && (pattern.bytes[i] == '*' || pattern.bytes[i] == '%')) {
            reached[i + 1] = true;
        }
    }
}

/* From the last position to the first: each depends on itself and the one before. */
static void step(struct slice pattern, char c, char separator, bool *reached)
{
    for (size_t i = pattern.len + 1; i > 0; i--) {
        char here = i > pattern.len ? '\0' : pattern.bytes[i - 1];
        char before = i < 2 ? '\0' : pattern.bytes[i - 2];
        bool stays = i <= pattern.len && (here == '*' || (here == '%' && c != separator));
        bool comes = i >= 2 && before != '*' && before != '%' && before == c;
        reached[i - 1] = (stays && reached[i - 1]) || (comes && reached[i - 2]);
    }
}

static bool matches(struct slice pattern, struct slice name, char separator)
{
    bool reached[PATTERN_MAX + 1] = {true};
    pass_wildcards(pattern, reached);
    for (size_t i = 0; i < name.len; i++) {
        step(pattern, name.bytes[i], separator, reached);
        pass_wildcards(pattern, reached);
    }
    return reached[pattern.len];
}

bool pattern_matches(struct slice pattern, struct slice name, char separator)
{
    char upper[PATTERN_MAX];
    if (pattern.len > PATTERN_MAX) {
        return false;
    }
    if (matches(pattern, name, separator)) {
        return true;
    }
    if (!slice_is(name, "INBOX")) {
        return false;
    }
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.bytes[i];
        upper[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    return matches((struct slice){upper, pattern.len}, (struct slice){"INBOX", 5}, separator);
}
