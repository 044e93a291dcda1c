/* SPDX-License-Identifier: ISC */
/* One line an event on fd 2: `event key=value key="a value with spaces"`.
 *
 *   log_event("accepted", "id=%s from=%s bytes=%zu", id, sender, n);
 *
 * Known conversions: %s %d %i %u %x %c with l, ll, z. Every %s is foreign: bytes outside 0x21-0x7e,
 * `"`, `\` and `=` make it quoted, control and 8-bit bytes become \xHH; an empty or NULL value is "".
 * A line is at most 1000 bytes with its LF (a longer value is cut, marked with ...), and one write(2). errno is kept. */
#ifndef LOG_H
#define LOG_H

void log_event(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same line behind those that wait in `lines`; log_lines writes them at once. What happens in one moment wakes the log's
 * reader once. */
#include <skalibs/stralloc.h>
void log_event_add(stralloc *lines, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));
void log_lines(stralloc *lines);

/* A warning of which only one a minute and place is written. `last` belongs to the place (static). */
#include <stdint.h>
void log_event_rarely(uint64_t *last_ms, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
