/* SPDX-License-Identifier: ISC */
/* The words of rcptd's verdicts, all in one table. The caller's reply.c makes sentences for people from why=. */
#ifndef ROUTE_REPLY_H
#define ROUTE_REPLY_H

#include "auth/route.h"
#include "lib/address.h"

enum route_reply {
    ROUTE_REPLY_NO_MAILBOX,
    ROUTE_REPLY_DISABLED,
    ROUTE_REPLY_FULL,       /* not now */
    ROUTE_REPLY_FULL_EVER,  /* control/fullpermanent */
    ROUTE_REPLY_TOO_BIG,    /* more than the whole quota */
    ROUTE_REPLY_NO_ASSIGN,  /* users/cdb is missing */
    ROUTE_REPLY_NO_VPASSWD, /* vpasswd.cdb is missing */
    ROUTE_REPLY_IO,
    ROUTE_REPLY_UNSAFE,    /* owner or mode */
    ROUTE_REPLY_BAD_QMAIL, /* first line blank, vdelivermail's arguments */
    ROUTE_REPLY_OTHER_USER,
    ROUTE_REPLY_NOT_OURS,
    ROUTE_REPLY_NO_RCPTHOSTS
};
/* Sets letter, why and text. */
void route_answer(struct route *out, enum route_reply reply);
void route_accept(struct route *out, enum route_kind kind);
/* D bad-address with the words for that fault. */
void route_answer_fault(struct route *out, enum address_fault fault);
/* What decided: FOLDER/NAME (folder NULL: NAME), line 0 for a cdb or no line. */
void route_decided_by(struct route *out, const char *folder, const char *name, unsigned line);

#endif
