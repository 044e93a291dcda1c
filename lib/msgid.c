/* SPDX-License-Identifier: ISC */
/* Ids sort by time and cannot be guessed: 55 bits of clock, 55 bits of getrandom. */
#include "msgid.h"
#include <sys/random.h>
#include "die.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

static void encode(uint64_t value, char *out)
{
    for (int i = MSGID_RANDOM_AT - 1; i >= 0; i--) {
        out[i] = digits[value & 31];
        value >>= 5;
    }
}

void msgid_make(uint64_t wall_us, char out[MSGID_LEN + 1])
{
    uint64_t noise;
    if (getrandom(&noise, sizeof noise, 0) != (ssize_t)sizeof noise) {
        die_temporary("getrandom");
    }
    encode(wall_us, out);
    encode(noise, out + MSGID_RANDOM_AT);
    out[MSGID_LEN] = '\0';
}

static int value_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'v' ? c - 'a' + 10 : -1;
}

bool msgid_is_valid(const char *bytes, size_t n)
{
    if (n != MSGID_LEN) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (value_of(bytes[i]) < 0) {
            return false;
        }
    }
    return true;
}

uint64_t msgid_time_us(const char *id)
{
    uint64_t value = 0;
    for (int i = 0; i < MSGID_RANDOM_AT; i++) {
        value = value << 5 | (uint64_t)value_of(id[i]);
    }
    return value;
}
