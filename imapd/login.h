/* SPDX-License-Identifier: ISC */
/* The client before its password (RFC 3501 6.2): CAPABILITY ID NOOP LOGOUT LOGIN AUTHENTICATE. */
#ifndef IMAPD_LOGIN_H
#define IMAPD_LOGIN_H

#include "imapd/input.h"
#include "imapd/reply.h"
#include "lib/serve.h"
#include "lib/wire.h"

struct login_settings {
    const char *me;
    uint64_t timeout, maxlogins, maxerrors;
};
extern const struct control_entry login_settings_table[];
const struct login_settings *login_settings_now(void);

struct login {
    const struct login_settings *settings;
    struct input input;
    struct parser parser; /* of the command at hand */
    char sid[SERVE_SID_LEN + 1];
    const char *ip;
    const struct serve_peer *peer;
    stralloc tag, out, user, password, told;
    const char *command_word;
    uint64_t start_ms, logins, errors;
    bool is_over;
    const char *how;  /* it ended; NULL: handed over */
    struct wire wire; /* last: what a short session writes lies on one page with the buffer's first lines */
};
/* Serves the client on descriptors 0 and 1 until a session has it, or it goes. */
void login_run(struct login *login, const struct serve_peer *peer, const char *ip);

/* login_auth.c */
/* Asks authd with login->user and password. NULL: a session has the client now. */
const struct reply *login_ask(struct login *login);
/* AUTHENTICATE's bytes: [authorization id] NUL user NUL password in base64 (RFC 4616). NULL, or the reply that refuses. */
const struct reply *login_take_plain(struct login *login, const char *base64, size_t n);

#endif
