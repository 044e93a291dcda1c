/* SPDX-License-Identifier: ISC */
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): crc32c(0, "123456789", 9) = 0xe3069283. */
#ifndef CRC32C_H
#define CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc` (0 at the start). */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
