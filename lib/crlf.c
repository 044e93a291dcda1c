/* SPDX-License-Identifier: ISC */
/* LF to CRLF, and how many there are: sixteen bytes a step with the compiler's vectors where only counting is asked, whole lines
 * at a time by memchr and memcpy where bytes are written. */
#include "crlf.h"

#include <string.h>

typedef unsigned char block __attribute__((vector_size(16)));
enum { BLOCK = sizeof(block), STEPS_MAX = 255 };

void crlf_start(struct crlf *crlf)
{
    *crlf = (struct crlf){.last = '\n'};
}

static block load(const char *bytes)
{
    block b;
    memcpy(&b, bytes, sizeof b);
    return b;
}

static uint64_t sum(block b)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < BLOCK; i++) {
        total += b[i];
    }
    return total;
}

static void count_one(struct crlf *crlf, char before, char byte)
{
    crlf->lines += byte == '\n';
    crlf->bare += byte == '\n' && before != '\r';
}

/* bytes[-1] may be read. At most STEPS_MAX blocks, so that no lane overflows. */
static void count_blocks(struct crlf *crlf, const char *bytes, size_t blocks)
{
    block lines = {0};
    block bare = {0};
    for (size_t i = 0; i < blocks; i++) {
        block is_lf = (block)(load(bytes + i * BLOCK) == '\n');
        block is_behind_cr = (block)(load(bytes + i * BLOCK - 1) == '\r');
        lines -= is_lf;
        bare -= is_lf & ~is_behind_cr;
    }
    crlf->lines += sum(lines);
    crlf->bare += sum(bare);
}

void crlf_count(struct crlf *crlf, const char *bytes, size_t n)
{
    if (n == 0) {
        return;
    }
    count_one(crlf, crlf->last, bytes[0]);
    size_t i = 1;
    while (n - i >= BLOCK) {
        size_t blocks = (n - i) / BLOCK;
        if (blocks > STEPS_MAX) {
            blocks = STEPS_MAX;
        }
        count_blocks(crlf, bytes + i, blocks);
        i += blocks * BLOCK;
    }
    for (; i < n; i++) {
        count_one(crlf, bytes[i - 1], bytes[i]);
    }
    crlf->bytes += n;
    crlf->last = bytes[n - 1];
}

uint64_t crlf_wire_bytes(const struct crlf *crlf)
{
    return crlf->bytes + crlf->bare;
}

size_t crlf_encode(char *last, const char *in, size_t n, char *out)
{
    const char *p = in;
    const char *end = in + n;
    char *to = out;
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        const char *stop = lf != NULL ? lf : end;
        size_t run = (size_t)(stop - p);
        memcpy(to, p, run);
        to += run;
        if (run > 0) {
            *last = stop[-1];
        }
        if (lf == NULL) {
            break;
        }
        if (*last != '\r') {
            *to++ = '\r';
        }
        *to++ = '\n';
        *last = '\n';
        p = lf + 1;
    }
    return (size_t)(to - out);
}

void crlf_hide_nul(char *bytes, size_t n)
{
    char *end = bytes + n;
    char *nul = bytes;
    while (nul < end && (nul = memchr(nul, '\0', (size_t)(end - nul))) != NULL) {
        *nul++ = (char)0x80;
    }
}
