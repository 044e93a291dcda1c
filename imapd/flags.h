/* SPDX-License-Identifier: ISC */
/* Flag lists of STORE and APPEND. */
#ifndef IMAPD_FLAGS_H
#define IMAPD_FLAGS_H

#include "imapd/folder.h"
#include "imapd/parse.h"
#include "imapd/reply.h"

enum { FLAG_NAMES_MAX = 128 };
struct flag_names {
    uint8_t flags; /* system flags */
    unsigned n;
    struct slice keyword[FLAG_NAMES_MAX];
};
/* (\Seen $Junk …); without parentheses too where may_be_bare. \Recent and unknown \Flags: false. */
bool flags_parse(struct parser *parser, bool may_be_bare, struct flag_names *out);
/* Numbers of this folder; missing keywords are made where may_make, else left out. NULL, or the reply that refuses. */
const struct reply *flags_numbers(struct folder *folder, const struct flag_names *names, bool may_make, uint8_t *flags_out,
                                  uint64_t *keywords_out);
/* One flag's bit; 0: none of the five. */
uint8_t flag_bit(struct slice name);

#endif
