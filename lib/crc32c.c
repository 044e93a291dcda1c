/* SPDX-License-Identifier: ISC */
/* CRC-32C by eight table look-ups for eight bytes; with SSE 4.2 the processor does it. */
#include "crc32c.h"
#include <stdbool.h>
#include <string.h>

static uint32_t table[8][256];

static void table_make(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
        }
        table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++) {
        for (unsigned k = 1; k < 8; k++) {
            table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
        }
    }
}

static uint32_t by_table(uint32_t crc, const unsigned char *p, size_t n)
{
    static bool is_made;
    if (!is_made) {
        table_make();
        is_made = true;
    }
    for (; n >= 8; p += 8, n -= 8) {
        crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = table[7][crc & 0xff] ^ table[6][crc >> 8 & 0xff] ^ table[5][crc >> 16 & 0xff] ^ table[4][crc >> 24] ^
              table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    }
    for (; n > 0; p++, n--) {
        crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t start, const unsigned char *p, size_t n)
{
    uint64_t crc = start;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    for (; n > 0; p++, n--) {
        crc = __builtin_ia32_crc32qi((uint32_t)crc, *p);
    }
    return (uint32_t)crc;
}

static uint32_t best(uint32_t crc, const unsigned char *p, size_t n)
{
    return __builtin_cpu_supports("sse4.2") ? by_instruction(crc, p, n) : by_table(crc, p, n);
}
#else
static uint32_t best(uint32_t crc, const unsigned char *p, size_t n)
{
    return by_table(crc, p, n);
}
#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n)
{
    return ~best(~crc, bytes, n);
}
