/* SPDX-License-Identifier: ISC */
/* The texts that a domain's postmaster may put beside the mailboxes (vpopmail): .no-user.msg, .over-quota.msg, .quotawarn.msg, in
 * the domain's folder, else in domains/. */
#ifndef NOTICE_H
#define NOTICE_H

#include <stdbool.h>
#include "deliver/delivery.h"

enum { NOTICE_MAX = 65536, NOTICE_WARN_SECONDS = 86400 };
/* Reads the file's text. False: there is none, or it is longer than NOTICE_MAX. */
bool notice_load(const struct delivery *delivery, const char *name, stralloc *out);
/* Refusal in the postmaster's words where the file exists, else in the house's. */
void notice_refuse(const struct delivery *delivery, const char *name, const struct reply *reply);
/* Puts .quotawarn.msg into the Maildir, at most once in NOTICE_WARN_SECONDS (mtime of Maildir/quotawarn). Trouble is logged, the
 * delivery stands. */
void notice_warn(const struct delivery *delivery, int maildir);

#endif
