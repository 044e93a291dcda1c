/* SPDX-License-Identifier: ISC */
/* What the control files of POP3 say (stafet-pop3-login(8), stafet-pop3d(8), FILES). Read in the parent, before the sandbox; a
 * session sees one state. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "lib/control.h"

struct settings {
    const char *me;                                /* NULL: control/me is missing */
    uint64_t popinterval;                          /* authd keeps it, CAPA tells it */
    uint64_t maxpop3errors, maxunknown, maxlogins; /* a connection */
    uint64_t timeoutpop3login, timeoutpop3d;       /* seconds */
};

extern const struct control_entry settings_of_login[];
extern const struct control_entry settings_of_session[];
/* The values in force. */
const struct settings *settings_now(void);

#endif
