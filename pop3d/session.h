/* SPDX-License-Identifier: ISC */
/* The TRANSACTION and UPDATE states (RFC 1939 5, 6). */
#ifndef SESSION_H
#define SESSION_H

#include "pop3d/maildrop.h"
#include "pop3d/settings.h"
#include "pop3d/talk.h"

struct session {
    struct talk talk;
    struct maildrop drop;
    const struct settings *settings;
    uint32_t last; /* the highest number that RETR or DELE named; LAST */
    uint64_t retrieved, octets_sent;
    struct maildrop_update update; /* after QUIT */
    stralloc words;                /* the %s of a reply, a line of a list */
};

/* From the welcome to the end, with talk and drop open. Early bytes are unread already. */
void session_run(struct session *session);

/* The message of a command's first number: NULL and its index, or the reply that says why not. */
const struct reply *session_find(struct session *session, const struct command *command, uint32_t *i_out);
/* What errno means for a message that cannot be read. */
const struct reply *session_unreadable(struct session *session, uint32_t i);

typedef const struct reply *session_command(struct session *session, const struct command *command);
session_command cmd_stat, cmd_list, cmd_uidl, cmd_retr, cmd_top;

#endif
