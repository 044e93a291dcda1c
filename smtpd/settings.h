/* SPDX-License-Identifier: ISC */
/* What the control files of smtpd say (stafet-smtpd(8), FILES). Read in the parent, before the sandbox; a session sees one state.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "lib/control.h"

struct settings {
    const char *me, *greeting; /* NULL: control/me is missing, nobody is served */
    uint64_t databytes;        /* 0: no limit of our own */
    uint64_t maxrcpt, maxerrors, maxunknown, maxcommands, maxtransactions;
    uint64_t timeoutsmtpd, timeoutsession; /* seconds */
    uint64_t minrate, minrategrace;        /* bytes a second, 0: none; after so many seconds of a message */
    struct control_list badmailfrom;
};

extern const struct control_entry settings_table[];
/* The values in force. */
const struct settings *settings_now(void);

#endif
