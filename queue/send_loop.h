/* SPDX-License-Identifier: ISC */
/* The poll loop of stafet-send. */
#ifndef SEND_LOOP_H
#define SEND_LOOP_H

#include "queue/send.h"

/* Blocks the signals; they are let in only while the loop waits. */
void loop_catch_signals(void);
/* Runs until SIGTERM and the last delivery. `refresh` reads the control files again: at once or, when !now, at most once a
 * second. */
void loop_run(struct scheduler *scheduler, void (*refresh)(struct scheduler *scheduler, bool now));

#endif
