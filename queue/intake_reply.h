/* SPDX-License-Identifier: ISC */
/* Every verdict of the intake: letter, words, why=. */
#ifndef INTAKE_REPLY_H
#define INTAKE_REPLY_H

#include <skalibs/stralloc.h>
#include "lib/address.h"
#include "lib/why.h"

struct intake_reply {
    char letter;      /* Z or D */
    const char *text; /* begins with the enhanced status code; one "%" stands for the detail */
    enum why why;
};
extern const struct intake_reply intake_bad_frames, intake_bad_order, intake_bad_field, intake_no_recipient,
    intake_many_recipients, intake_too_big, intake_loop, intake_disk_low, intake_disk_full, intake_io, intake_busy;

/* The reply to an address that address_check refused. */
const struct intake_reply *intake_reply_sender(enum address_fault fault);
const struct intake_reply *intake_reply_recipient(enum address_fault fault);
/* The reply to a system call that failed. */
const struct intake_reply *intake_reply_errno(int error);
/* Appends the frame; `detail` (NULL: none) is escaped and cut to 100 bytes. */
void intake_reply_put(stralloc *out, const struct intake_reply *reply, const char *detail);
/* Appends K id= bytes=. */
void intake_reply_put_accepted(stralloc *out, const char *id, uint64_t bytes);

#endif
