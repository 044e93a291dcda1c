/* SPDX-License-Identifier: ISC */
/* lib/quota: quota strings and the file maildirsize. */
#include "lib/quota.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"

static void try_string(const char *text, size_t n)
{
    struct quota quota, back;
    stralloc again = STRALLOC_ZERO;
    if (quota_parse(text, n, &quota)) {
        quota_format(&again, &quota);
        require(quota_parse(again.s, again.len, &back) && back.bytes == quota.bytes && back.count == quota.count);
        require(quota_is_limited(&quota) == (quota.bytes > 0 || quota.count > 0));
    }
    stralloc_free(&again);
}

static void try_file(const char *bytes, size_t n)
{
    struct quota_file file;
    if (!quota_file_parse(bytes, n, &file)) {
        return;
    }
    require(file.lines <= n);
    require(quota_percent(&file.quota, &file.usage) <= 1000);
    if (quota_is_exceeded(&file.quota, &file.usage, 0, 0)) {
        require(quota_is_exceeded(&file.quota, &file.usage, 1, 1) && quota_is_full(&file.quota, &file.usage));
    }
    if (!quota_is_limited(&file.quota)) {
        require(!quota_is_exceeded(&file.quota, &file.usage, UINT64_MAX, UINT64_MAX));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    try_string(bytes, size);
    try_file(bytes, size);
    free(bytes);
    return 0;
}
