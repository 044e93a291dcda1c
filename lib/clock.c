/* SPDX-License-Identifier: ISC */
/* clock_gettime, in the units that the house uses. */
#include "clock.h"
#include <limits.h>
#include <time.h>

uint64_t clock_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t us_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_wall_us(void)
{
    return us_of(CLOCK_REALTIME);
}

uint64_t clock_file_us(void)
{
    return us_of(CLOCK_REALTIME_COARSE);
}

uint64_t clock_processor_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

int clock_poll_timeout(uint64_t deadline_ms)
{
    if (deadline_ms == 0) {
        return -1;
    }
    uint64_t now = clock_monotonic_ms();
    if (now >= deadline_ms) {
        return 0;
    }
    return deadline_ms - now > INT_MAX ? INT_MAX : (int)(deadline_ms - now);
}
