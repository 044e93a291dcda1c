/* SPDX-License-Identifier: ISC */
/* Where a recipient's mail goes: one question to rcptd each (op=rcpt for=deliver), several under way at once. */
#ifndef SEND_ROUTE_H
#define SEND_ROUTE_H

#include <poll.h>
#include "queue/send.h"

void route_init(struct scheduler *scheduler);
/* Asks for those in line while a place is free; gives up those that waited too long for a service that is down. */
void route_pump(struct scheduler *scheduler);
/* Adds what it waits for to the poll list; returns how many. `which` gets the call's number at the same place. */
unsigned route_poll(const struct scheduler *scheduler, struct pollfd *list, int *which);
void route_ready(struct scheduler *scheduler, int call);
/* Ends questions whose deadline is over. */
void route_expire(struct scheduler *scheduler);
/* Milliseconds to the next thing to do without any news; UINT64_MAX: none. */
uint64_t route_timeout(const struct scheduler *scheduler);

#endif
