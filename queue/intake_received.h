/* SPDX-License-Identifier: ISC */
/* Our Received: line. Pure. */
#ifndef INTAKE_RECEIVED_H
#define INTAKE_RECEIVED_H

#include <stdint.h>
#include <sys/types.h>
#include <skalibs/stralloc.h>

struct intake_origin {
    const char *proto;                   /* never NULL */
    const char *ip, *rdns, *helo, *auth; /* NULL or "": not known; ip decides between the two forms */
    uid_t uid;
    pid_t pid;
};
/* Appends, with its LF:
 *   Received: from RDNS (HELO helo) (auth@ip)           or   Received: (stafet PID invoked by uid N)
 *     by ME with PROTO id ID; DATE -0000
 * proto=bounce: "invoked for bounce". Foreign bytes that a header line or its comments cannot hold become '?'. */
void intake_received_append(stralloc *out, const struct intake_origin *origin, const char *me, const char *id, uint64_t seconds);

#endif
