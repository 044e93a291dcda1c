/* SPDX-License-Identifier: ISC */
/* What rcptd says of an address, in words for the sender: he reads them in his bounce. */
#ifndef SEND_REFUSAL_H
#define SEND_REFUSAL_H

#include <skalibs/stralloc.h>
#include "lib/why.h"

/* Appends `STATUS Cause. (#STATUS) Who can do what.` The status is that of `text`, the cause that of `why`, or else the text. */
void send_refusal_append(stralloc *out, enum why why, const char *text);

#endif
