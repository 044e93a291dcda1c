/* SPDX-License-Identifier: ISC */
/* Put in front of every source of a sanitized build: the options of the runtimes. In the program itself, since some clients start
 * ours with an environment of their own. 86 is no exit code of ours. */
#ifndef SANITIZER_H
#define SANITIZER_H

__attribute__((weak, no_sanitize("address", "undefined"))) const char *__asan_default_options(void);
__attribute__((weak, no_sanitize("address", "undefined"))) const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
    return "exitcode=86:detect_leaks=0:abort_on_error=0";
}

const char *__ubsan_default_options(void)
{
    return "exitcode=86:print_stacktrace=1";
}

#endif
