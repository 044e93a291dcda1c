/* SPDX-License-Identifier: ISC */
/* The session's end of a login: op=session of stafet-call(5) on descriptor 0, with the client's connection and authd's end of the
 * front's call on its first byte. */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include <stdbool.h>

#include "lib/channel.h"
#include "lib/why.h"

struct takeover {
    const char *service;
    struct channel call;  /* authd's, on 0 and 1; it holds the bytes of the question */
    int client, front;    /* -1: not received */
    stralloc question;    /* what `fields` points into */
    stralloc early;       /* what the client sent behind its password */
    struct fields fields; /* sid user home quota ip: all there */
};

/* True: a whole question with both descriptors. Else the caller was told (where it could be), and the log. */
bool takeover_receive(struct takeover *takeover, const char *service);
/* Answers the front, which from K on leaves the client to us, and closes that call. False: nobody waits for us any more; the
 * client is not ours. */
bool takeover_welcome(struct takeover *takeover);
void takeover_refuse(struct takeover *takeover, const char *text, enum why why);
/* Moves the client to 0 and 1, in the place of authd's call. */
void takeover_take_client(struct takeover *takeover);

#endif
