/* SPDX-License-Identifier: ISC */
/* The workers: connections to stafet-local, kept and used again, each with one call (op=deliver) at a time. */
#ifndef SEND_LOCAL_H
#define SEND_LOCAL_H

#include <poll.h>
#include "queue/send.h"

void local_init(struct scheduler *scheduler);
/* Hands routed jobs to workers, up to concurrencylocal. */
void local_pump(struct scheduler *scheduler);
unsigned local_poll(const struct scheduler *scheduler, struct pollfd *list, int *which);
void local_ready(struct scheduler *scheduler, int worker);
/* Ends calls whose deadline is over, closes workers that are idle for long. */
void local_expire(struct scheduler *scheduler);
uint64_t local_timeout(const struct scheduler *scheduler);

#endif
