/* SPDX-License-Identifier: ISC */
/* The children that write bounces: forked, not exec'd, with nothing but the message, read-only. */
#ifndef SEND_BOUNCE_H
#define SEND_BOUNCE_H

#include "queue/send.h"

/* Forks one for each message that wants it, while a place is free. */
void send_bounce_pump(struct scheduler *scheduler);
/* After SIGCHLD. */
void send_bounce_reap(struct scheduler *scheduler);

#endif
