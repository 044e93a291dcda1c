/* SPDX-License-Identifier: ISC */
/* Message ids: 22 characters [0-9a-v], 11 for microseconds since 1970, 11 random (5 bits each, big end first). */
#ifndef MSGID_H
#define MSGID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MSGID_LEN = 22, MSGID_RANDOM_AT = 11 };
void msgid_make(uint64_t wall_us, char out[MSGID_LEN + 1]); /* randomness from getrandom(2) */
bool msgid_is_valid(const char *bytes, size_t n);
uint64_t msgid_time_us(const char *id);

#endif
