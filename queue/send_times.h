/* SPDX-License-Identifier: ISC */
/* When the next try is: qmail's quadratic schedule. Pure; seconds since 1970. */
#ifndef SEND_TIMES_H
#define SEND_TIMES_H

#include <stdbool.h>
#include <stdint.h>

enum { STEP_LOCAL = 10, STEP_REMOTE = 20 };
/* birth + (floor(sqrt(age)) + step)^2, but not beyond the end of life as long as that lies ahead; rounded up to a slot of 60 s
 * and later than now. An age below 0 counts as 0. */
uint64_t times_next_slot(uint64_t birth, uint64_t now, uint64_t lifetime, unsigned step);
/* No delay of a message that lives so long is longer. */
uint64_t times_longest_delay(uint64_t lifetime);
/* A try that begins now is the last one. */
bool times_is_last_try(uint64_t birth, uint64_t now, uint64_t lifetime);

#endif
