/* SPDX-License-Identifier: ISC */
/* The AUTHORIZATION state (RFC 1939 4): from the greeting to the password. */
#ifndef FRONT_H
#define FRONT_H

#include "lib/serve.h"
#include "pop3d/settings.h"
#include "pop3d/talk.h"

struct front {
    struct talk talk;
    const struct settings *settings;
    const struct serve_peer *peer;
    stralloc user; /* of USER; len 0: none yet */
    stralloc told; /* what authd said */
    uint64_t logins;
};

/* Serves the client on descriptors 0 and 1 until a session has it, or it goes. */
void front_run(struct front *front, const struct serve_peer *peer, const char *ip);

#endif
