/* SPDX-License-Identifier: ISC */
/* One SMTP connection: its wire, what the client said, and the transaction that is open.
 *
 *   NONE --MAIL--> SENDER --RCPT--> RECIPIENTS --BDAT--> CHUNKS
 *     ^               |                 |  DATA             | BDAT LAST
 *     +---------------+-----------------+-------------------+   transaction_reset(), on every way back */
#ifndef SESSION_H
#define SESSION_H

#include "lib/serve.h"
#include "lib/wire.h"
#include "smtpd/command.h"
#include "smtpd/intake.h"
#include "smtpd/reply.h"
#include "smtpd/settings.h"

enum { COMMAND_LINE_MAX = 4096, HELO_MAX = 255, REFUSALS_LOGGED = 20 };

enum stage { STAGE_NONE, STAGE_SENDER, STAGE_RECIPIENTS, STAGE_CHUNKS };

struct transaction {
    enum stage stage;
    bool is_8bit, is_utf8; /* BODY=8BITMIME, SMTPUTF8 */
    uint64_t size;         /* SIZE=, 0: not said */
    stralloc sender;       /* no NUL at the end: use str_text */
    stralloc recipients;   /* each with its NUL */
    uint64_t n_recipients;
    struct intake_text text; /* of BDAT, from chunk to chunk */
};

struct session {
    struct wire wire;
    const struct settings *settings;
    uint64_t databytes, end_ms, start_ms;
    char sid[SERVE_SID_LEN + 1];
    const char *ip, *rdns;    /* "" where unknown */
    bool is_relay;            /* RELAYCLIENT is set */
    const char *relay_suffix; /* its value, put behind each recipient */
    stralloc helo;            /* len 0: no EHLO or HELO yet */
    bool is_esmtp;
    struct transaction transaction;
    struct intake intake;
    uint64_t errors, unknown, commands, transactions; /* against the limits */
    uint64_t accepted, recipients, refused;           /* for the log */
    struct reply_detail detail;                       /* of the reply that is returned next */
    stralloc words;                                   /* an address that had to be put together */
    stralloc told, file;                              /* what a service said, and which file it named */
    stralloc line;                                    /* the reply as it is written */
    bool is_over;
    const char *how; /* it ended */
};

/* Greeting to end. Sets up everything but peer values: settings, ip, rdns, relay. */
void session_run(struct session *session);

/* Writes a reply now (354, or the last word). Logs it when it refuses, counts it, ends the session when it closes. */
void session_say(struct session *session, const struct reply *reply);
/* The same reply with its %s or %n. The bytes must live until the reply is said. */
const struct reply *session_reply(struct session *session, enum reply_name name, struct slice detail);
const struct reply *session_reply_number(struct session *session, enum reply_name name, uint64_t number);
/* Keeps the text and the file= of a service's refusal, for the next reply and its log line. */
void session_note_verdict(struct session *session, const struct verdict *verdict);
/* What a read that gave no bytes means: the timeout's reply, or NULL and the session is over. */
const struct reply *session_lost(struct session *session, enum wire_result result);

/* The only way a transaction ends: nothing of it stays, an unfinished call of queue is broken off. */
void transaction_reset(struct session *session);

/* A handler gets the argument without blanks around. NULL: the connection is gone, nothing to say. */
typedef const struct reply *command_handler(struct session *session, struct slice argument);
command_handler cmd_ehlo, cmd_helo, cmd_mail, cmd_rcpt, cmd_data, cmd_bdat, cmd_rset, cmd_noop, cmd_quit;
/* Runs one line. */
const struct reply *command_run(struct session *session, char *line, size_t n);

#endif
