/* SPDX-License-Identifier: ISC */
/* The clocks. Deadlines use the monotonic one, names and ages the wall clock; mtimes are compared with the one they come from. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_ms(void);
uint64_t clock_wall_us(void);      /* microseconds since 1970 */
uint64_t clock_file_us(void);      /* the same, as the kernel notes it in files: some ticks late */
uint64_t clock_processor_ms(void); /* that this process has used */
/* Milliseconds from now to `deadline_ms`, 0 when it is over, capped to INT_MAX: poll's timeout. 0 as deadline = none (-1). */
int clock_poll_timeout(uint64_t deadline_ms);

#endif
