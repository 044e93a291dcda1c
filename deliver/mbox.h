/* SPDX-License-Identifier: ISC */
/* One message at the end of an mbox file: lock, From_ line, `>From ` quoting, sync; cut off again when anything fails. */
#ifndef MBOX_H
#define MBOX_H

#include "deliver/delivery.h"

/* `path` relative to the working directory. Sets delivery->outcome. */
void mbox_append(struct delivery *delivery, const char *path);
/* The From_ line (UFLINE): `From SENDER Wed Nov 25 04:36:35 2026\n`, UTC; blanks in the sender become '-', no sender is
 * MAILER-DAEMON. */
void mbox_append_from_line(stralloc *out, const char *sender, uint64_t seconds);

/* Quoting: lines that begin with any number of '>' and `From ` get one '>' more. Streaming, any chunking; pure. */
struct mbox_quoter {
    bool is_at_start; /* of a line: only '>' came since */
    unsigned matched; /* bytes of "From " seen after them */
    unsigned held;    /* '>' held back, not written yet */
    bool ends_with_lf;
};
void mbox_quote(struct mbox_quoter *quoter, const char *bytes, size_t n, stralloc *out);
/* What is held back, the last line's LF where it has none, and the blank line that ends a message. */
void mbox_quote_end(struct mbox_quoter *quoter, stralloc *out);

#endif
