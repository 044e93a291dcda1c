/* SPDX-License-Identifier: ISC */
/* What both halves of POP3 share: lines in, replies out, limits, log. */
#ifndef TALK_H
#define TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/serve.h"
#include "lib/wire.h"
#include "pop3d/command.h"
#include "pop3d/reply.h"

enum { TALK_LINE_MAX = 512 }; /* with its end; RFC 2449 asks for 255 */

struct talk {
    char sid[SERVE_SID_LEN + 1];
    const char *ip, *user;            /* for the log; "" where unknown */
    uint64_t max_errors, max_unknown; /* 0: no limit of its own */
    uint64_t errors, unknown, refused;
    struct reply_detail detail; /* of the reply that is returned next */
    stralloc line;              /* the reply as it is written */
    uint64_t start_ms;
    bool is_over;
    const char *how;  /* it ended */
    struct wire wire; /* last: what a short session writes lies on one page with the buffer's first lines */
};

/* A wire on in and out, counters at zero. sid, ip, user and the limits are the caller's to set. */
void talk_init(struct talk *talk, int in, int out, unsigned idle_seconds);
/* Writes a reply. Logs it when it refuses, counts it, ends the conversation when it closes. */
void talk_say(struct talk *talk, const struct reply *reply);
/* The same reply with its %s or %n. The bytes must live until the reply is said. */
const struct reply *talk_reply(struct talk *talk, enum reply_name name, const char *bytes, size_t n);
const struct reply *talk_reply_number(struct talk *talk, enum reply_name name, uint64_t number);
const struct reply *talk_reply_capa(struct talk *talk, uint64_t login_delay);

/* Runs a command; NULL: it has said its reply itself, or there is nobody to say it to. */
typedef const struct reply *talk_handler(void *context, const struct command *command);
/* Reads commands and has them run until the conversation is over. */
void talk_run(struct talk *talk, talk_handler *handler, void *context);
/* The way out: the last bytes, and the client's end awaited where a close could destroy them. */
void talk_part(struct talk *talk);

#endif
