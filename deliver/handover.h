/* SPDX-License-Identifier: ISC */
/* Handing a message to another system's queue by qmail-queue(8)'s contract: message on fd 0, envelope on fd 1, the end says all.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "deliver/message.h"

struct handover {
    const char *program; /* …/qmail-queue */
    const char *sender;
    const char *addresses; /* NUL-ended, one behind the other */
    size_t addresses_len;
    const char *head; /* lines before the message */
    size_t head_len;
};
enum handover_result {
    HANDOVER_DONE,
    HANDOVER_NEVER, /* code 11-40: the queue will not take it */
    HANDOVER_LATER
};
/* *code_out: the program's exit code; -1 where it had none. */
enum handover_result handover_run(const struct handover *handover, struct message *message, int *code_out);

#endif
