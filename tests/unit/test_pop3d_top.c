/* SPDX-License-Identifier: ISC */
/* pop3d/top against a model that is too simple to be wrong: every string over {CR, LF, 'a'} up to nine bytes, every number of
 * lines, every cut. */
#include "pop3d/top.h"
#include "tests/tap.h"

enum { LONGEST = 9 };

/* The first bytes that no later line end can belong to: behind the header, the empty line and `lines` lines. */
static size_t model(const char *in, size_t n, uint64_t lines)
{
    bool in_body = false;
    size_t start = 0;
    for (size_t i = 0; i < n; i++) {
        if (in[i] != '\r' && in[i] != '\n') {
            continue;
        }
        bool is_empty = i == start;
        if (in_body) {
            lines--;
        } else {
            in_body = is_empty;
        }
        if (in_body && lines == 0) {
            return i + 1; /* the LF behind a CR is left out: the encoder drops it anyhow */
        }
        i += in[i] == '\r' && i + 1 < n && in[i + 1] == '\n';
        start = i + 1;
    }
    return n;
}

static size_t take(const char *in, size_t n, uint64_t lines, size_t cut)
{
    struct top top;
    top_init(&top, lines);
    size_t used = top_take(&top, in, cut);
    return used < cut || top.is_done ? used : used + top_take(&top, in + cut, n - cut);
}

static unsigned check(const char *in, size_t n)
{
    unsigned wrong = 0;
    for (uint64_t lines = 0; lines < 4; lines++) {
        size_t want = model(in, n, lines);
        for (size_t cut = 0; cut <= n; cut++) {
            wrong += take(in, n, lines, cut) != want;
        }
    }
    return wrong;
}

int main(void)
{
    static const char letters[] = {'\r', '\n', 'a'};
    unsigned wrong = 0;
    for (size_t n = 0; n <= LONGEST; n++) {
        unsigned long all = 1;
        for (size_t i = 0; i < n; i++) {
            all *= sizeof letters;
        }
        for (unsigned long code = 0; code < all; code++) {
            char in[LONGEST];
            unsigned long rest = code;
            for (size_t i = 0; i < n; i++) {
                in[i] = letters[rest % sizeof letters];
                rest /= sizeof letters;
            }
            wrong += check(in, n);
        }
    }
    is_number(wrong, 0, "top_ends_behind_header_empty_line_and_lines_in_any_chunking");
    return done();
}
