/* SPDX-License-Identifier: ISC */
/* Forwards of one .qmail file: collected, then given to the queue in one call. */
#ifndef FORWARD_H
#define FORWARD_H

#include "deliver/delivery.h"

struct forward {
    unsigned n;
    stralloc addresses; /* NUL-ended, one behind the other */
    stralloc sender;    /* envelope sender of what is forwarded (NEWSENDER) */
    bool is_verp;       /* sender is LOCAL-owner-@HOST-@[]: an envelope of its own for each recipient */
};
/* Finds the sender: the message's own; with a file .qmail-EXT-owner LOCAL-owner@HOST, with .qmail-EXT-owner-default too a VERP.
 */
void forward_start(struct forward *forward, const struct delivery *delivery);
/* Takes an address; without @ it gets settings->default_host. False: no address. */
bool forward_add(struct forward *forward, const struct delivery *delivery, const char *address, size_t n);
/* Queues `Delivered-To: orig` and the message. K leaves delivery->outcome alone; else the verdict is set there. */
void forward_send(struct forward *forward, struct delivery *delivery);
void forward_free(struct forward *forward);
/* Pure: the sender of one VERP copy, LOCAL-owner-RUSER=RHOST@HOST, from prefix `LOCAL-owner-`, `host` and the recipient. */
void forward_verp_sender(stralloc *out, const char *prefix, const char *host, const char *recipient);

#endif
