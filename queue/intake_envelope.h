/* SPDX-License-Identifier: ISC */
/* The Q and R frames of a call to the intake (CONTRACTS 2, row queue): known, complete and harmless before anything is done.
 * Pure. */
#ifndef INTAKE_ENVELOPE_H
#define INTAKE_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/spoolfile.h"
#include "queue/intake_reply.h"

struct intake_question { /* slices of the payload; NULL: not there */
    const char *sid, *proto, *from, *helo, *ip, *rdns, *auth, *tls, *ret, *envid;
    uint64_t size; /* as announced; 0: unknown */
    bool is_utf8;
};
/* NULL: good. Else the reply, and its detail in *detail_out. On an inject socket only from, size, utf8, ret and envid are taken;
 * the rest reads as sid "", proto "local". */
const struct intake_reply *intake_question_read(const char *payload, size_t n, bool is_inject, struct intake_question *out,
                                                const char **detail_out);
const struct intake_reply *intake_recipient_read(const char *payload, size_t n, bool is_utf8, struct spoolfile_recipient *out,
                                                 const char **detail_out);
/* An envelope sender: an address, "" (bounces), "#@[]" (double bounces), or ADDRESS-@[] (a list's sender before send expands it).
 */
enum address_fault intake_check_sender(const char *sender, size_t n, bool is_utf8);

#endif
