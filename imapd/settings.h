/* SPDX-License-Identifier: ISC */
/* Control files of imapd. */
#ifndef IMAPD_SETTINGS_H
#define IMAPD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/control.h"

struct settings {
    const char *me;
    const char *prefix;    /* imapprefix: what every mailbox but INBOX begins with ("", or "INBOX." for Courier's people) */
    const char *separator; /* imapseparator: one character, '.' or '/' */
    uint64_t timeout;      /* timeoutimap: seconds without a command */
    uint64_t databytes;    /* the largest APPEND; 0: no limit */
    uint64_t maxerrors;    /* BADs in a row */
    const char *spoolsync; /* "two": no file is safe by one sync; NULL: by the file system */
    uint64_t sessions;     /* imapsessions: of one user at once; 0: no limit */
    uint64_t searchtime;   /* imapsearchtime: seconds of processor time that a search may read messages; 0: no limit */
    uint64_t idlelook;     /* imapidlelook: seconds between looks at foreign changes while idle */
};
extern const struct control_entry settings_table[];
const struct settings *settings_now(void);

#endif
