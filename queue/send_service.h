/* SPDX-License-Identifier: ISC */
/* A service of the house that may be down for a moment: connecting never waits, and tries are 100 ms apart. */
#ifndef SEND_SERVICE_H
#define SEND_SERVICE_H

#include "queue/send.h"

enum { SERVICE_PATIENCE_MS = 5000 };
/* A connected, non-blocking socket; -1: not now. */
int service_connect(struct service *service, uint64_t now_ms);
/* Milliseconds until it may be tried again; UINT64_MAX: nothing stands in the way. */
uint64_t service_wait_ms(const struct service *service, uint64_t now_ms);
/* It is down, and jobs that have waited since this time have waited long enough; 0: it is up. */
uint64_t service_stale_before(const struct service *service, uint64_t now_ms);
/* Ends the connection and empties the buffers for the next one. */
void service_disconnect(struct channel *channel);
void service_use(struct channel *channel, int fd);

#endif
