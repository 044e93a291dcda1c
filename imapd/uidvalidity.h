/* SPDX-License-Identifier: ISC */
/* A UIDVALIDITY that no mailbox of this Maildir had before, also where one is deleted and made again within a second. */
#ifndef IMAPD_UIDVALIDITY_H
#define IMAPD_UIDVALIDITY_H

#include <stdint.h>

/* root: descriptor of the root Maildir. now: seconds since 1970. 0: errno; a number that nobody keeps may come again. */
uint32_t uidvalidity_next(int root, uint32_t now);

#endif
