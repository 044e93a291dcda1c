/* SPDX-License-Identifier: ISC */
/* Instead of lib/log's: a line an input would be all that the target writes. */
#ifndef FUZZ_QUIET_H
#define FUZZ_QUIET_H

#include "lib/log.h"

void log_event(const char *event, const char *format, ...)
{
    (void)event;
    (void)format;
}

void log_event_rarely(uint64_t *last_ms, const char *event, const char *format, ...)
{
    (void)last_ms;
    (void)event;
    (void)format;
}

#endif
