/* SPDX-License-Identifier: ISC */
/* Loaded before libc: the allocation number FAIL_MALLOC of a process (forks go on counting) fails, and says so on descriptor 2.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *old, size_t n);

static bool must_fail(void)
{
    static long count;
    static const char words[] = "allocation-failed\n";
    const char *at = getenv("FAIL_MALLOC");
    if (at == NULL || ++count != atol(at)) {
        return false;
    }
    (void)!write(2, words, sizeof words - 1);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return must_fail() ? NULL : __libc_malloc(n);
}

void *calloc(size_t count, size_t n)
{
    return must_fail() ? NULL : __libc_calloc(count, n);
}

void *realloc(void *old, size_t n)
{
    return must_fail() ? NULL : __libc_realloc(old, n);
}
