/* SPDX-License-Identifier: ISC */
/* Which mailbox has an address: rcptd's answer in a house; without one (vdelivermail under another system's qmail-local) what
 * vpasswd.cdb of the domain's folder says, in the same form. */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "deliver/delivery.h"
#include "lib/call.h"

struct lookup {
    struct call call;
    stralloc answer; /* of vpasswd.cdb */
    bool is_call;
    /* K kind= home= quota= flags= dash= ext= · D why=no-mailbox|disabled · Z why=. Lives until lookup_end. */
    struct verdict verdict;
};
/* settings->rcpt_socket, or (NULL) settings->domain_folder's vpasswd.cdb: the whole name, then what stands before each '-'. */
void lookup_mailbox(struct lookup *lookup, const struct delivery *delivery, const char *address);
void lookup_end(struct lookup *lookup);

#endif
