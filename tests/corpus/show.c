/* SPDX-License-Identifier: ISC */
/* show FILE…: what lib's MIME modules make of each message: one line each of wire size, ENVELOPE, BODY and BODYSTRUCTURE, as
 * FETCH sends them, behind the text's length ("N TEXT"). For tests/corpus/compare. */
#include "lib/mime_text.h"
#include "lib/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct mime mime;
static struct mime_text text;

static void put(const stralloc *s)
{
    printf("%zu ", s->len);
    fwrite(s->s, 1, s->len, stdout);
    putchar('\n');
}

static int show(const char *path)
{
    static stralloc out = STRALLOC_ZERO;
    static stralloc plain = STRALLOC_ZERO;
    char chunk[65536];
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        perror(path);
        return 1;
    }
    mime_start(&mime);
    while ((got = read(fd, chunk, sizeof chunk)) > 0) {
        mime_feed(&mime, chunk, (size_t)got);
    }
    mime_end(&mime);
    close(fd);
    const struct mime_part *root = &mime.parts[0];
    printf("%llu\n", (unsigned long long)(mime_part_header_bytes(root) + mime_part_body_bytes(root)));
    out.len = 0;
    mime_envelope_append(&out, &text, &mime, 0);
    put(&out);
    out.len = plain.len = 0;
    mime_structures_append(&out, &plain, &text, &mime);
    put(&plain);
    put(&out);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        failed |= show(argv[i]);
    }
    return failed;
}
