/* SPDX-License-Identifier: ISC */
/* A line `| …/vdelivermail '' ACTION`, done here instead of by a program: the mailbox named by the address, else the ACTION. */
#ifndef VDELIVER_H
#define VDELIVER_H

#include "deliver/delivery.h"
#include "lib/dotqmail.h"

/* Sets delivery->outcome. */
void vdeliver_run(struct delivery *delivery, const struct vdelivermail *action);
/* ACTION alone: the name is known to have no mailbox. */
void vdeliver_unknown(struct delivery *delivery, const struct vdelivermail *action);

#endif
