/* SPDX-License-Identifier: ISC */
/* Short names for long bytes. */
#include "lib/md.h"

#include <skalibs/sha256.h>

enum { DIGEST = 32 };

void md_hex32(const char *bytes, size_t n, char out[MD_HEX32 + 1])
{
    static const char hex[] = "0123456789abcdef";
    SHA256Schedule sha = SHA256_INIT();
    char digest[DIGEST];
    sha256_update(&sha, bytes, n);
    sha256_final(&sha, digest);
    for (size_t i = 0; i < MD_HEX32 / 2; i++) {
        unsigned char c = (unsigned char)digest[i];
        out[2 * i] = hex[c >> 4];
        out[2 * i + 1] = hex[c & 15];
    }
    out[MD_HEX32] = '\0';
}
