/* SPDX-License-Identifier: ISC */
/* One connection to the intake: calls one after the other, each Q R… M… E. A call that gets its verdict before its E is read to
 * its end and forgotten, so the connection stays good for the next Q; bytes that are no call end the connection. */
#ifndef INTAKE_SESSION_H
#define INTAKE_SESSION_H

#include "lib/channel.h"
#include "lib/serve.h"
#include "queue/intake_envelope.h"
#include "queue/intake_file.h"
#include "queue/intake_scan.h"

enum intake_stage {
    INTAKE_IDLE,       /* before Q */
    INTAKE_RECIPIENTS, /* after Q */
    INTAKE_MESSAGE,    /* after the first M: spool/tmp has a file */
    INTAKE_DRAIN       /* the verdict is out; up to E nothing counts */
};
struct intake_session {
    const struct intake_house *house;
    const struct serve_peer *peer;
    enum intake_stage stage;
    struct channel channel;
    stralloc asked; /* the payload of Q; question points into it */
    struct intake_question question;
    struct intake_scan scan;
    uint64_t bytes;     /* of the message as it came */
    const char *detail; /* for the verdict */
    char detail_text[24];
    pid_t pid;
    bool has_trigger;
    int trigger; /* stays open between connections */
    struct intake_file file;
};
/* Serves fd 0 and 1 until the caller leaves, and closes them. `session` is zeroed memory (static), or was used before. */
void intake_session_run(struct intake_session *session, const struct intake_house *house, const struct serve_peer *peer);

#endif
