/* SPDX-License-Identifier: ISC */
/* qmail-queue: the message on descriptor 0, then the envelope on descriptor 1. */
#ifndef INJECT_QUEUE_H
#define INJECT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <skalibs/stralloc.h>

enum inject_envelope { INJECT_ENVELOPE_WHOLE, INJECT_ENVELOPE_CUT, INJECT_ENVELOPE_BAD };
/* Takes `F sender NUL (T recipient NUL)... NUL` apart. Addresses without @ get `@host` (empty senders stay). What stands behind
 * the last NUL is not looked at. Pure. */
enum inject_envelope inject_queue_parse(const char *bytes, size_t n, const char *host, stralloc *sender, stralloc *recipients);
/* Runs; returns when the message is queued. Reads control/envnoathost of the home folder. */
void inject_queue_run(void);

#endif
