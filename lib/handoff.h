/* SPDX-License-Identifier: ISC */
/* The front's question to authd, with the client's connection attached (auth/README, "How a login becomes a session"). */
#ifndef HANDOFF_H
#define HANDOFF_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/call.h"

enum { HANDOFF_SECONDS = 60 };

/* Before the client's first byte: descriptors 0 and 1 are one connection (what is handed over is one descriptor, a pair of pipes
 * could not go; else death, 100), no file can be opened, no process started. A filter of system calls of its own would cost a
 * client more than its fork: the parent's holds (lib/sandbox.c). */
void handoff_confine(void);

struct handoff {
    const char *service; /* pop3, imap: sockets/SERVICE is where the session waits */
    const char *sid, *ip, *local_ip;
    const char *tag; /* imap: of the command that logs in; NULL */
    unsigned local_port;
    const char *user, *password; /* NUL-ended */
    int connection;
    const char *early; /* what the client sent behind its password, at most 65534 bytes */
    size_t early_len;
};
/* Asks, and waits for the verdict, which lives until call_close. K: a session speaks with the client now, and we must not.
 * The password's copies here are wiped. */
void handoff_ask(const struct handoff *handoff, struct call *call, struct verdict *out);
/* We gave up waiting. A session that answered meanwhile counts, and one that has not yet never will: two must not speak to one
 * client. */
void handoff_look_again(struct call *call, struct verdict *verdict);

#endif
