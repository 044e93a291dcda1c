/* SPDX-License-Identifier: ISC */
/* What a session of imapd says, looked at as a client would: lines, quoted strings, literals, parentheses; no NUL. */
#ifndef FUZZ_REPLY_H
#define FUZZ_REPLY_H

#include "tests/fuzz/fuzz_folder.h"

/* {n} at the end of a line: where its bytes end; NULL: none. */
static inline const char *fuzz_behind_literal(const char *brace, const char *end)
{
    uint64_t n = 0;
    const char *at = brace + 1;
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        n = n * 10 + (uint64_t)(*at - '0');
    }
    if (at == brace + 1 || end - at < 3 || memcmp(at, "}\r\n", 3) != 0) {
        return NULL;
    }
    require(n <= (uint64_t)(end - at - 3));
    return at + 3 + n;
}

static inline const char *fuzz_behind_quoted(const char *at, const char *end)
{
    for (at++; *at != '"'; at++) {
        require(*at != '\r' && *at != '\n');
        at += *at == '\\';
        require(at + 1 < end);
    }
    return at + 1;
}

/* Data of an untagged answer: to the end of its last line. */
static inline const char *fuzz_check_data(const char *at, const char *end)
{
    size_t depth = 0;
    while (memcmp(at, "\r\n", 2) != 0) {
        const char *behind = *at == '{' ? fuzz_behind_literal(at, end) : *at == '"' ? fuzz_behind_quoted(at, end) : NULL;
        depth += *at == '(';
        require(*at != ')' || depth > 0);
        depth -= *at == ')';
        require(behind != NULL || (*at != '\r' && *at != '\n'));
        at = behind != NULL ? behind : at + 1;
        require(end - at >= 2);
    }
    require(depth == 0);
    return at + 2;
}

static inline bool fuzz_is_text(const char *at, const char *end)
{
    static const char *const words[] = {"* OK ", "* NO ", "* BAD ", "* BYE ", "* PREAUTH "};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(end - at) >= n && memcmp(at, words[i], n) == 0) {
            return true;
        }
    }
    return memcmp(at, "* ", 2) != 0;
}

static inline void fuzz_check_replies(const char *bytes, size_t n, size_t lines_in)
{
    const char *end = bytes + n;
    size_t tagged = 0;
    require(memchr(bytes, '\0', n) == NULL);
    for (const char *at = bytes; at < end;) {
        require(end - at >= 4);
        if (!fuzz_is_text(at, end)) {
            at = fuzz_check_data(at, end);
            continue;
        }
        tagged += memcmp(at, "* ", 2) != 0 && memcmp(at, "+ ", 2) != 0;
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        require(lf != NULL && lf > at && lf[-1] == '\r' && memchr(at, '\r', (size_t)(lf - at)) == lf - 1);
        at = lf + 1;
    }
    require(tagged <= lines_in);
}

#endif
