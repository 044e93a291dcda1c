/* SPDX-License-Identifier: ISC */
/* The words of authd's verdicts. A wrong password and an unknown user get the same bytes. */
#ifndef LOGIN_REPLY_H
#define LOGIN_REPLY_H

#include "lib/why.h"

enum login_reply {
    LOGIN_REPLY_WELCOME,
    LOGIN_REPLY_BAD_PASSWORD,
    LOGIN_REPLY_DISABLED,   /* no service at all */
    LOGIN_REPLY_NO_SERVICE, /* not this one */
    LOGIN_REPLY_TOO_MANY_FAILURES,
    LOGIN_REPLY_TOO_OFTEN, /* control/popinterval */
    LOGIN_REPLY_NO_ASSIGN,
    LOGIN_REPLY_NO_VPASSWD,
    LOGIN_REPLY_IO,
    LOGIN_REPLY_OTHER_USER,
    LOGIN_REPLY_NO_SESSION, /* sockets/SERVICE does not answer */
    LOGIN_REPLY_BAD_REQUEST,
    LOGIN_REPLY_NO_CONNECTION /* pop3, imap: no descriptor, or more than one */
};
struct login_words {
    char letter;
    enum why why;
    const char *text;
};
const struct login_words *login_words(enum login_reply reply);

#endif
