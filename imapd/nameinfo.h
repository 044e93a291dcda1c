/* SPDX-License-Identifier: ISC */
/* The part of a Maildir name behind its base: `:2,` and letters. Ours are in order: DFPRST, then a-z (keywords 0-25). */
#ifndef IMAPD_NAMEINFO_H
#define IMAPD_NAMEINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

struct nameinfo {
    uint8_t flags;
    uint64_t keywords;
    bool is_ours; /* exactly what nameinfo_append would write */
};
/* Total; unknown letters make it foreign. */
void nameinfo_parse(const char *info, size_t n, struct nameinfo *out);
void nameinfo_append(stralloc *out, uint8_t flags, uint64_t keywords);

#endif
