/* SPDX-License-Identifier: ISC */
/* Limits of a domain as vpopmail keeps them: .qmailadmin-limits in its folder, else etc/vlimits.default in the home folder. */
#ifndef LIMITS_H
#define LIMITS_H

#include <stddef.h>
#include <stdint.h>

struct limits {
    uint64_t default_quota, default_count; /* of a new mailbox; 0: none said */
    uint32_t flags;                        /* USERDB_NO_…: count for each mailbox without USERDB_OVERRIDE */
};
/* Pure: `key value` lines (blank, tab or ':' between), # comments; a disable_… key counts by being there. Unknown keys are
 * skipped. */
void limits_parse(const char *bytes, size_t n, struct limits *out);
/* FOLDER/.qmailadmin-limits below dir_at, else etc/vlimits.default there, else no limits. 0; -1 errno: a file is there and cannot
 * be read. */
int limits_load(int dir_at, const char *folder, struct limits *out);
/* The flags in force: the mailbox's own, and the domain's unless it has USERDB_OVERRIDE. */
uint32_t limits_flags(const struct limits *limits, uint32_t flags);

#endif
