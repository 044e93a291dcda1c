/* SPDX-License-Identifier: ISC */
/* One worker: one connection of stafet-send, any number of calls op=deliver (stafet-call(5)), one after the other. */
#ifndef LOCAL_SESSION_H
#define LOCAL_SESSION_H

#include "deliver/delivery.h"

enum {
    LOCAL_DELIVERIES_MAX = 1000, /* then the worker ends: whatever it may have gathered is given back */
    LOCAL_IDLE_SECONDS = 60,     /* without a call */
    LOCAL_KEPT_SECONDS = 1,      /* that a removed message file is kept open */
    LOCAL_CALL_SECONDS = 5,      /* from the first frame of a call to its last */
    LOCAL_RECIPIENTS_MAX = 1000  /* of one call */
};
/* Serves fd 0 and 1 until the caller closes, is idle, or breaks the protocol. `refresh` is called before each call. */
void local_session_run(struct delivery_settings *settings, struct runner *runner, void (*refresh)(void));

#endif
