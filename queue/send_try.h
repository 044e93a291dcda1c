/* SPDX-License-Identifier: ISC */
/* A try begins: a message comes in from new/ or later/. */
#ifndef SEND_TRY_H
#define SEND_TRY_H

#include "queue/send.h"

void try_init(struct scheduler *scheduler);
/* How many of so many places old mail may take: three quarters, and one always stays free for new mail where there are two. */
unsigned try_old_limit(unsigned limit);
/* Begins tries while there is room: new mail first, with a share for what is due. */
void try_begin_more(struct scheduler *scheduler);

#endif
