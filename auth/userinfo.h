/* SPDX-License-Identifier: ISC */
/* What vuserinfo shows of one mailbox, in vpopmail's words. */
#ifndef USERINFO_H
#define USERINFO_H

#include <stdbool.h>
#include <stdint.h>
#include "auth/userdb.h"

enum {
    USERINFO_NAME = 1,
    USERINFO_PASSWORD = 2,
    USERINFO_UID = 4,
    USERINFO_GID = 8,
    USERINFO_COMMENT = 16,
    USERINFO_DIR = 32,
    USERINFO_QUOTA = 64,
    USERINFO_USAGE = 128,
    USERINFO_LAST = 256,
    USERINFO_CLEAR = 512,
    USERINFO_ALL = 1024
};
/* What the folders tell: found out as the domain's user. */
struct userinfo_facts {
    unsigned percent;     /* of the quota */
    int64_t last_seconds; /* of lastauth; 0: never */
    char last_ip[48];
};
/* Reads DIR/Maildir/maildirsize and DIR/lastauth. */
void userinfo_find(const struct userdb_record *record, const char *relative_dir, struct userinfo_facts *out);
/* Prints the fields of `view` on fd 1. in_force: own flags and the domain's limits. */
void userinfo_show(const struct userdb_record *record, uint32_t in_force, const struct userinfo_facts *facts, unsigned view);

#endif
