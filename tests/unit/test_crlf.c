/* SPDX-License-Identifier: ISC */
/* The IMAP wire form: what is counted is what is encoded, for every string of up to eight bytes, split at every place. */
#include "lib/crlf.h"
#include "lib/str.h"
#include "tests/tap.h"

enum { LONGEST = 8, LETTERS = 4, LONG = 9000 };

static size_t encode_in_two(const char *bytes, size_t n, size_t split, char *out)
{
    char last = '\n';
    size_t len = crlf_encode(&last, bytes, split, out);
    return len + crlf_encode(&last, bytes + split, n - split, out + len);
}

static struct crlf count_in_two(const char *bytes, size_t n, size_t split)
{
    struct crlf crlf;
    crlf_start(&crlf);
    crlf_count(&crlf, bytes, split);
    crlf_count(&crlf, bytes + split, n - split);
    return crlf;
}

/* The rule, byte by byte. */
static size_t encode_slowly(const char *bytes, size_t n, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) {
            out[len++] = '\r';
        }
        out[len++] = bytes[i];
    }
    return len;
}

static unsigned wrong_splits(const char *bytes, size_t n)
{
    char want[2 * LONG];
    char got[2 * LONG];
    unsigned wrong = 0;
    size_t want_len = encode_slowly(bytes, n, want);
    for (size_t split = 0; split <= n; split += n > LONGEST ? 97 : 1) {
        size_t len = encode_in_two(bytes, n, split, got);
        struct crlf crlf = count_in_two(bytes, n, split);
        wrong += len != want_len || memcmp(got, want, len) != 0 || crlf_wire_bytes(&crlf) != len || crlf.bytes != n;
    }
    return wrong;
}

static void every_short_string(void)
{
    unsigned wrong = 0;
    unsigned long power = 1;
    for (size_t n = 0; n <= LONGEST; n++, power *= LETTERS) {
        for (unsigned long number = 0; number < power; number++) {
            char bytes[LONGEST + 1];
            unsigned long rest = number;
            for (size_t i = 0; i < n; i++, rest /= LETTERS) {
                bytes[i] = "\r\na\0"[rest % LETTERS];
            }
            wrong += wrong_splits(bytes, n);
        }
    }
    is_number(wrong, 0, "every string over CR, LF, a letter and NUL is counted as it is encoded, however it is split");
}

static void a_long_string(void)
{
    static char bytes[LONG];
    unsigned random = 1;
    for (size_t i = 0; i < LONG; i++) {
        random = random * 1103515245 + 12345;
        bytes[i] = "\r\n\nab"[(random >> 16) % 5];
    }
    is_number(wrong_splits(bytes, LONG), 0, "so is a long one with line ends at every place of a block");
    memset(bytes, '\n', LONG);
    struct crlf crlf = count_in_two(bytes, LONG, 0);
    is_number((long long)crlf.lines, LONG, "counts no lane over when all bytes are line ends");
}

int main(void)
{
    every_short_string();
    a_long_string();
    char text[] = "a\0b\0";
    crlf_hide_nul(text, 4);
    is_bytes(text, 4, "a\200b\200", 4, "hides NULs without a change of size");
    return done();
}
