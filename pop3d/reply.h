/* SPDX-License-Identifier: ISC */
/* Every reply of both programs. The texts stand in reply.c and nowhere else, and a test fails while one of them is missing from
 * the dialogue scripts. POP3's status codes are the words in brackets (RFC 2449 8, RFC 3206). */
#ifndef REPLY_H
#define REPLY_H

#include <skalibs/stralloc.h>

#include "lib/frame.h"
#include "lib/replytext.h"

enum reply_name {
    /* both programs */
    REPLY_CAPA,
    REPLY_CAPA_DELAY,
    REPLY_NUL,
    REPLY_LINE_TOO_LONG,
    REPLY_UNKNOWN,
    REPLY_FORM,
    REPLY_NOT_OFFERED,
    REPLY_HTTP,
    REPLY_TOO_MANY_UNKNOWN,
    REPLY_TOO_MANY_ERRORS,
    /* pop3-login */
    REPLY_GREETING,
    REPLY_BUSY,
    REPLY_USER_OK,
    REPLY_USER_FIRST,
    REPLY_LOGIN_FIRST,
    REPLY_GOODBYE,
    REPLY_BAD_PASSWORD,
    REPLY_TOO_MANY_LOGINS,
    REPLY_DISABLED,
    REPLY_NO_SERVICE,
    REPLY_TOO_OFTEN,
    REPLY_NEED_TLS,
    REPLY_IN_USE,
    REPLY_REFUSED,
    REPLY_LATER,
    /* pop3d */
    REPLY_WELCOME,
    REPLY_ROOT,
    REPLY_NO_MAILDIR,
    REPLY_LOGGED_IN,
    REPLY_OK,
    REPLY_ANSWER,
    REPLY_LIST,
    REPLY_TEXT,
    REPLY_TOP,
    REPLY_DELETED,
    REPLY_RESET,
    REPLY_NO_MESSAGE,
    REPLY_IS_DELETED,
    REPLY_GONE,
    REPLY_UNREADABLE,
    REPLY_UPDATED,
    REPLY_NOT_UPDATED,
    REPLY_COUNT
};

enum reply_flags {
    REPLY_ERROR = 1,   /* the client's fault: counts against maxpop3errors */
    REPLY_GARBAGE = 2, /* no command at all: counts against maxunknown */
    REPLY_CLOSES = 4   /* the connection ends behind it */
};

struct reply {
    unsigned flags;
    const char *cause; /* word in the log; NULL where nothing was refused */
    const char *text;  /* '\n' parts lines; %s %n %t: lib/replytext.h */
};
extern const struct reply replies[REPLY_COUNT];

static inline const struct reply *reply(enum reply_name name)
{
    return &replies[name];
}

/* Appends the reply's lines, each with CRLF. */
void reply_append(stralloc *out, const struct reply *reply, const struct reply_detail *detail);
/* What authd's (or the session's) refusal means to the client: a verdict Z or D. */
const struct reply *reply_verdict(const struct verdict *verdict);

#endif
