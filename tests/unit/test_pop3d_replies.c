/* SPDX-License-Identifier: ISC */
/* pop3d/reply: the form of each reply, and that each one is spoken in a dialogue script (run from the root of the tree). */
#include "pop3d/reply.h"
#include "lib/str.h"
#include "tests/scripts.h"
#include "tests/tap.h"

enum { REPLY_LINE_MAX = 512 };

/* The reply as the scripts have it: its first line, and where there are more the last one before the final dot. */
static bool is_spoken(const stralloc *scripts, const char *text)
{
    const char *dot = strstr(text, "\n.");
    const char *end = strchr(text, '\n');
    size_t first = end != NULL ? (size_t)(end - text) : strlen(text);
    if (dot == NULL) {
        return scripts_speak(scripts, text, first);
    }
    const char *line = dot;
    while (line[-1] != '\n') {
        line--;
    }
    return scripts_speak(scripts, text, first) && scripts_speak(scripts, line, (size_t)(dot - line));
}

/* Response codes of RFC 2449 and 3206; where there is none for it the words must do. */
static bool has_known_code(const char *text)
{
    static const char *const codes[] = {"[AUTH] ", "[IN-USE] ", "[LOGIN-DELAY] ", "[SYS/TEMP] ", "[SYS/PERM] "};
    if (text[0] != '[') {
        return true;
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strncmp(text, codes[i], strlen(codes[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool stays_under_512_bytes(const struct reply *reply)
{
    static char long_detail[900];
    memset(long_detail, 0xff, sizeof long_detail);
    const struct reply_detail detail = {long_detail, sizeof long_detail, UINT64_MAX, "4.3.0 the mail system is out of order"};
    stralloc line = STRALLOC_ZERO;
    reply_append(&line, reply, &detail);
    const char *at = line.s;
    bool fits = true;
    for (size_t left = line.len; left > 0;) {
        size_t n = (size_t)((const char *)memchr(at, '\n', left) - at) + 1;
        fits = fits && n <= REPLY_LINE_MAX;
        at += n;
        left -= n;
    }
    stralloc_free(&line);
    return fits;
}

int main(void)
{
    stralloc scripts = STRALLOC_ZERO;
    scripts_read("tests/dialog/stafet-pop3*/*.talk", &scripts);
    ok(scripts.len > 0, "there are scripts in tests/dialog/stafet-pop3-login and stafet-pop3d");
    for (int i = 0; i < REPLY_COUNT; i++) {
        const char *text = replies[i].text;
        bool is_refusal = strncmp(text, "-ERR ", 5) == 0;
        ok(is_refusal || strncmp(text, "+OK", 3) == 0, "begins with +OK or -ERR");
        ok(is_refusal == (replies[i].cause != NULL), "a refusal has a cause, and nothing else has");
        ok(!is_refusal || has_known_code(text + 5), "has a response code that is registered, or none");
        ok(stays_under_512_bytes(&replies[i]), "stays under 512 bytes a line");
        if (!ok(is_spoken(&scripts, text), "is spoken in a dialogue")) {
            printf("# %s\n", text);
        }
    }
    return done();
}
