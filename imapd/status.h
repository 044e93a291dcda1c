/* SPDX-License-Identifier: ISC */
/* STATUS of a folder, for STATUS and LIST … RETURN (STATUS …). */
#ifndef IMAPD_STATUS_H
#define IMAPD_STATUS_H

#include "imapd/session.h"

enum {
    STATUS_MESSAGES = 1,
    STATUS_RECENT = 2,
    STATUS_UIDNEXT = 4,
    STATUS_UIDVALIDITY = 8,
    STATUS_UNSEEN = 16,
    STATUS_SIZE = 32,
    STATUS_HIGHESTMODSEQ = 64,
    STATUS_DELETED = 128
};
/* (MESSAGES UNSEEN …) */
bool status_parse(struct parser *parser, unsigned *items_out);
/* `* STATUS name (…)`. NULL, or the reply that refuses; nothing is said then. */
const struct reply *status_put(struct session *session, const char *folder, unsigned items);

#endif
