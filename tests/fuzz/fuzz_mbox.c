/* SPDX-License-Identifier: ISC */
/* deliver/mbox and deliver/program: quoting that can be taken back, and values that no shell takes for more. */
#include "deliver/mbox.h"
#include "deliver/program.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"

static void quote(const char *bytes, size_t n, size_t cut, stralloc *out)
{
    struct mbox_quoter quoter = {.is_at_start = true, .ends_with_lf = true};
    mbox_quote(&quoter, bytes, cut, out);
    mbox_quote(&quoter, bytes + cut, n - cut, out);
    mbox_quote_end(&quoter, out);
}

/* No line begins with `From `; one '>' taken off each `>*From ` line gives the message back. */
static void take_back(const stralloc *quoted, stralloc *out)
{
    for (size_t at = 0; at < quoted->len;) {
        const char *line = quoted->s + at;
        const char *lf = memchr(line, '\n', quoted->len - at);
        require(lf != NULL);
        size_t n = (size_t)(lf - line) + 1;
        size_t marks = 0;
        while (marks < n && line[marks] == '>') {
            marks++;
        }
        bool is_from = n - marks > 5 && memcmp(line + marks, "From ", 5) == 0;
        require(!is_from || marks > 0);
        str_cat(out, line + is_from, n - is_from);
        at += n;
    }
}

static void try_quoting(const char *bytes, size_t n, size_t cut)
{
    stralloc whole = STRALLOC_ZERO, parts = STRALLOC_ZERO, back = STRALLOC_ZERO;
    quote(bytes, n, n, &whole);
    quote(bytes, n, cut, &parts);
    require(fuzz_equal(whole.s, whole.len, parts.s, parts.len));
    take_back(&whole, &back);
    bool has_end = n == 0 || bytes[n - 1] == '\n';
    require(back.len == n + 1 + !has_end && (n == 0 || memcmp(back.s, bytes, n) == 0) && back.s[back.len - 1] == '\n');
    stralloc_free(&whole);
    stralloc_free(&parts);
    stralloc_free(&back);
}

static void try_variable(const char *bytes, size_t n)
{
    stralloc out = STRALLOC_ZERO;
    program_append_variable(&out, "EXT", bytes, n);
    require(out.len >= 5 && out.s[out.len - 1] == '\0' && strlen(out.s) == out.len - 1);
    for (size_t i = 0; i + 1 < out.len; i++) {
        require((out.s[i] >= 0x20 && out.s[i] < 0x7f) || (out.s[i] == '\n' && i + 2 == out.len));
    }
    require(strncmp(out.s + 4, "() ", 2) != 0);
    stralloc_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        char *bytes = fuzz_copy(data + 1, size - 1);
        try_quoting(bytes, size - 1, data[0] % size);
        try_variable(bytes, size - 1);
        free(bytes);
    }
    return 0;
}
