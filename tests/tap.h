/* SPDX-License-Identifier: ISC */
/* Unit tests speak TAP: ok() and is() a check, `return done();` at the end of main(). No plan: done() prints the number.
 * Tests are sentences: ok(n == 0, "rejects_bare_lf_before_dot"). For exhaustive loops count failures and ok() once. */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
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

static inline int done(void)
{
    printf("1..%u\n", tap_count);
    return tap_failed ? 1 : 0;
}

#define ok(condition, name) tap_ok((condition), (name), __FILE__, __LINE__)
#define is(got, want, name) tap_is((got), (want), (name), __FILE__, __LINE__)

#endif
