/* SPDX-License-Identifier: ISC */
/* Length on the wire: bytes + line ends of one byte. Counted without branches where no CR stands in the piece. */
#include "lib/wirelen.h"

#include <string.h>

void wirelen_init(struct wirelen *wirelen)
{
    *wirelen = (struct wirelen){.last = '\n'};
}

static size_t count_byte(const char *bytes, size_t n, char wanted)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += bytes[i] == wanted;
    }
    return count;
}

/* LFs that stand behind a CR. */
static size_t count_crlf(const char *bytes, size_t n, char last)
{
    size_t count = n > 0 && bytes[0] == '\n' && last == '\r';
    for (size_t i = 1; i < n; i++) {
        count += bytes[i] == '\n' && bytes[i - 1] == '\r';
    }
    return count;
}

void wirelen_add(struct wirelen *wirelen, const char *bytes, size_t n)
{
    if (n == 0) {
        return;
    }
    uint64_t sum = n + count_byte(bytes, n, '\n');
    if (wirelen->last == '\r' || memchr(bytes, '\r', n) != NULL) {
        /* a CR is a line end by itself; the LF behind it adds nothing, not even its own byte */
        sum += count_byte(bytes, n, '\r');
        sum -= 2 * count_crlf(bytes, n, wirelen->last);
    }
    wirelen->bytes += sum;
    wirelen->last = bytes[n - 1];
}

uint64_t wirelen_end(const struct wirelen *wirelen)
{
    return wirelen->bytes + (wirelen->last == '\n' || wirelen->last == '\r' ? 0 : 2);
}
