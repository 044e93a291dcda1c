/* SPDX-License-Identifier: ISC */
/* Clients keep these hashes for years: known answers. */
#include "lib/md.h"
#include "tests/tap.h"

int main(void)
{
    char out[MD_HEX32 + 1];
    md_hex32("abc", 3, out);
    is(out, "ba7816bf8f01cfea414140de5dae2223", "SHA-256 of abc, first half (FIPS 180-2)");
    md_hex32("", 0, out);
    is(out, "e3b0c44298fc1c149afbf4c8996fb924", "SHA-256 of nothing");
    return done();
}
