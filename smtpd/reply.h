/* SPDX-License-Identifier: ISC */
/* Every reply of smtpd. A handler returns one of them; session_say() writes it. The texts stand in reply.c and nowhere else, and
 * a test fails while one of them is missing from the dialogue scripts. */
#ifndef REPLY_H
#define REPLY_H

#include <skalibs/stralloc.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/frame.h"
#include "lib/replytext.h"

enum reply_name {
    /* it goes on */
    REPLY_GREETING,
    REPLY_HELO,
    REPLY_EHLO,
    REPLY_MAIL_OK,
    REPLY_RCPT_OK,
    REPLY_GO_AHEAD,
    REPLY_ACCEPTED,
    REPLY_CHUNK_OK,
    REPLY_FLUSHED,
    REPLY_NOOP,
    REPLY_VRFY,
    REPLY_HELP,
    REPLY_GOODBYE,
    /* lines that are no command */
    REPLY_EARLY,
    REPLY_HTTP,
    REPLY_BARE_LINE,
    REPLY_LINE_TOO_LONG,
    REPLY_NUL,
    REPLY_UNKNOWN,
    /* limits of the session */
    REPLY_TOO_MANY_UNKNOWN,
    REPLY_TOO_MANY_ERRORS,
    REPLY_TOO_MANY_COMMANDS,
    REPLY_TOO_MANY_MESSAGES,
    REPLY_IDLE,
    REPLY_SESSION_OVER,
    REPLY_TOO_SLOW,
    REPLY_BUSY,
    REPLY_NO_CONTROLS,
    /* syntax */
    REPLY_NO_ARGUMENT,
    REPLY_HELLO_SYNTAX,
    REPLY_MAIL_SYNTAX,
    REPLY_RCPT_SYNTAX,
    REPLY_NO_BRACKETS,
    REPLY_PARAMETER_SYNTAX,
    REPLY_PARAMETER_UNKNOWN,
    REPLY_PARAMETER_TWICE,
    REPLY_PARAMETER_VALUE,
    REPLY_BDAT_SYNTAX,
    /* order */
    REPLY_HELLO_FIRST,
    REPLY_MAIL_FIRST,
    REPLY_RCPT_FIRST,
    REPLY_MAIL_TWICE,
    REPLY_CHUNKS_OPEN,
    /* what is not offered */
    REPLY_EXPN,
    REPLY_ETRN,
    REPLY_TURN,
    REPLY_AUTH,
    REPLY_STARTTLS,
    /* senders: ADDRESS_TOO_LONG and the faults behind it, in their order */
    REPLY_SENDER_TOO_LONG,
    REPLY_SENDER_CONTROL,
    REPLY_SENDER_SPACE,
    REPLY_SENDER_NO_DOMAIN,
    REPLY_SENDER_NO_LOCAL,
    REPLY_SENDER_BAD_LOCAL,
    REPLY_SENDER_BAD_DOMAIN,
    REPLY_SENDER_EIGHT_BIT,
    REPLY_SENDER_BAD_UTF8,
    REPLY_SENDER_REFUSED,
    REPLY_SIZE_DECLARED,
    /* recipients: ADDRESS_EMPTY and the faults behind it, in their order */
    REPLY_RCPT_EMPTY,
    REPLY_RCPT_TOO_LONG,
    REPLY_RCPT_CONTROL,
    REPLY_RCPT_SPACE,
    REPLY_RCPT_NO_DOMAIN,
    REPLY_RCPT_NO_LOCAL,
    REPLY_RCPT_BAD_LOCAL,
    REPLY_RCPT_BAD_DOMAIN,
    REPLY_RCPT_EIGHT_BIT,
    REPLY_RCPT_BAD_UTF8,
    REPLY_RCPT_TOO_MANY,
    REPLY_RCPT_NO_MAILBOX,
    REPLY_RCPT_DISABLED,
    REPLY_RCPT_FULL,
    REPLY_RCPT_FULL_FOR_GOOD,
    REPLY_RCPT_TOO_BIG,
    REPLY_RCPT_RELAY,
    REPLY_RCPT_CONFIG,
    REPLY_RCPT_REFUSED,
    REPLY_RCPT_NO_SERVICE,
    REPLY_RCPT_LATER,
    /* the message */
    REPLY_BARE_CR,
    REPLY_BARE_LF,
    REPLY_TOO_BIG,
    REPLY_LOOP,
    REPLY_DISK_FULL,
    REPLY_QUEUE_NO_SERVICE,
    REPLY_QUEUE_LATER,
    REPLY_QUEUE_REFUSED,
    REPLY_COUNT
};

enum reply_flags {
    REPLY_ERROR = 1,   /* the client's fault: counts against maxerrors */
    REPLY_GARBAGE = 2, /* no command at all: counts against maxunknown */
    REPLY_CLOSES = 4   /* the connection ends behind it */
};

struct reply {
    unsigned short code;
    unsigned short flags;
    const char *cause; /* word in the log; NULL where nothing was refused */
    const char
        *text; /* begins with the enhanced status code, where RFC 2034 wants one; '\n' parts lines; %s %n %t: lib/replytext.h */
};
extern const struct reply replies[REPLY_COUNT];

static inline const struct reply *reply(enum reply_name name)
{
    return &replies[name];
}

/* Appends the reply's lines, each with its code and CRLF. */
void reply_append(stralloc *out, const struct reply *reply, const struct reply_detail *detail);

/* The reply that explains a fault (not ADDRESS_GOOD; a sender is not ADDRESS_EMPTY). */
const struct reply *reply_sender_fault(enum address_fault fault);
const struct reply *reply_recipient_fault(enum address_fault fault);
/* What rcptd's or queue's verdict means to the client. Where the words for it are not ours they are the
 * service's own (%t). */
const struct reply *reply_recipient_verdict(const struct verdict *verdict);
const struct reply *reply_queue_verdict(const struct verdict *verdict);

#endif
