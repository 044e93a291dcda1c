/* SPDX-License-Identifier: ISC */
/* One message into one Maildir, with the mailbox's quota. */
#ifndef STORE_H
#define STORE_H

#include "deliver/delivery.h"

/* `path`: a Maildir, relative to the working directory. The quota holds for HOME/Maildir and its folders. Sets delivery->outcome:
 * K delivered or already, D over quota, Z otherwise. */
void store_run(struct delivery *delivery, const char *path);
/* errno of a failed write, as a reply: a full disk, or the general one. */
const struct reply *store_write_trouble(int error);

#endif
