/* SPDX-License-Identifier: ISC */
/* Inside of lib/mailbox: the order of messages, and finding one again after somebody renamed it. */
#ifndef MAILBOX_FIND_H
#define MAILBOX_FIND_H

#include "lib/mailbox.h"

/* By arrival, then base name; 0 only for the same message. */
int mailbox_compare(const struct mailbox *a_box, const struct mailbox_message *a, const struct mailbox *b_box,
                    const struct mailbox_message *b);
/* Sorts; where two are the same message, that of new/ comes first. */
void mailbox_sort(struct mailbox *box);
/* Scans again and gives every message of `box` its name of now; those that are not there any more become MAILBOX_IS_GONE. New
 * ones are not taken in. 0; -1 errno. */
int mailbox_refresh(struct mailbox *box);

#endif
