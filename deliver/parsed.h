/* SPDX-License-Identifier: ISC */
/* After a delivery into a Maildir that IMAP sessions use: what they would parse is left for them, and those that wait are woken.
 */
#ifndef PARSED_H
#define PARSED_H

#include "deliver/delivery.h"

/* name: of the new file in new/. Never fails: it only saves time. */
void parsed_leave(struct delivery *delivery, int maildir, const char *name, size_t n);
/* Before the sandbox, which must leave the folder of the charsets' converters ("": there is none) for reading. */
void parsed_prepare(stralloc *folder_out);

#endif
