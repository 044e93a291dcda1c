/* SPDX-License-Identifier: ISC */
/* How many sessions one user has: so that nobody takes all those that there are. */
#ifndef IMAPD_PLACE_H
#define IMAPD_PLACE_H

#include <stdint.h>

/* One of `most` places in the user's Maildir, held until this process ends, however it ends. 1 it has one (or most is 0: no
 * limit), 0 all are taken; -1 errno: nobody can tell. */
int place_take(int root, uint64_t most) __attribute__((warn_unused_result));

#endif
