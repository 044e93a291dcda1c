/* SPDX-License-Identifier: ISC */
/* What the modules of the intake share: the settings in force and the spool's folders. */
#ifndef INTAKE_H
#define INTAKE_H

#include <stdbool.h>
#include <stdint.h>

struct intake_settings {
    const char *me;          /* control/me */
    uint64_t databytes;      /* largest message in bytes, our Received: not counted; 0: no limit */
    uint64_t max_recipients; /* of one message */
    uint64_t reserve;        /* bytes that stay free in the spool's file system, and one inode for each 16 KiB of them */
    uint64_t timeout;        /* seconds a caller may be silent */
    const char *spoolsync;   /* "one", "two" or NULL: by the type of the file system */
};

struct intake_places {
    int tmp;          /* spool/tmp, O_PATH */
    int new;          /* spool/new: O_PATH, or open for reading where it has to be synced */
    bool is_two_sync; /* CONTRACTS 3, step 2b */
};

struct intake_house {
    struct intake_settings settings;
    struct intake_places places;
    bool is_inject; /* the socket is open to everybody: little of a call is believed */
};

#endif
