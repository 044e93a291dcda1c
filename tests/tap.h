/* SPDX-License-Identifier: ISC */
/* Unit tests speak TAP: ok() and is() a check, `return done();` at the end of main(). No plan: done() prints the number.
 * Tests are sentences: ok(n == 0, "rejects_bare_lf_before_dot"). For exhaustive loops count failures and ok() once. */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static unsigned tap_count, tap_failed;

static inline bool tap_ok(bool good, const char *name, const char *file, int line)
{
    tap_count++;
    printf("%s %u - %s\n", good ? "ok" : "not ok", tap_count, name);
    if (!good) {
        tap_failed++;
        printf("# at %s:%d\n", file, line);
    }
    fflush(stdout);
    return good;
}

static inline bool tap_is(const char *got, const char *want, const char *name, const char *file, int line)
{
    bool good = got && want ? strcmp(got, want) == 0 : got == want;
    tap_ok(good, name, file, line);
    if (!good) {
        printf("#   got:  %s\n#   want: %s\n", got ? got : "(null)", want ? want : "(null)");
    }
    return good;
}

static inline void tap_show(const char *label, const char *bytes, size_t n)
{
    printf("#   %s %zu bytes: ", label, n);
    for (size_t i = 0; bytes && i < n && i < 300; i++) {
        unsigned char c = (unsigned char)bytes[i];
        printf(c >= 0x20 && c < 0x7f && c != '\\' ? "%c" : "\\x%02x", c);
    }
    printf("\n");
}

/* Two byte strings. */
static inline bool tap_is_bytes(const char *got, size_t got_len, const char *want, size_t want_len, const char *name)
{
    bool good = got && got_len == want_len && memcmp(got, want, want_len) == 0;
    tap_ok(good, name, "a byte string", 0);
    if (!good) {
        tap_show("got: ", got, got_len);
        tap_show("want:", want, want_len);
    }
    return good;
}

static inline bool tap_is_number(long long got, long long want, const char *name, const char *file, int line)
{
    bool good = got == want;
    tap_ok(good, name, file, line);
    if (!good) {
        printf("#   got:  %lld\n#   want: %lld\n", got, want);
    }
    return good;
}

static inline int done(void)
{
    printf("1..%u\n", tap_count);
    return tap_failed ? 1 : 0;
}

#define ok(condition, name)                          tap_ok((condition), (name), __FILE__, __LINE__)
#define is_number(got, want, name)                   tap_is_number((got), (want), (name), __FILE__, __LINE__)
#define is_bytes(got, got_len, want, want_len, name) tap_is_bytes((got), (got_len), (want), (want_len), (name))
/* Texts. */
#define is(got, want, name) tap_is((got), (want), (name), __FILE__, __LINE__)

#endif
