/* SPDX-License-Identifier: ISC */
/* How long stored bytes become on the wire (lib/dot's encoder, without the doubled dots and the final dot): what POP3 announces,
 * what IMAP calls RFC822.SIZE, and what `,W=` in a Maildir name holds. LF, CR and CRLF each are one line end of two bytes; a last
 * line without an end gets one. */
#ifndef WIRELEN_H
#define WIRELEN_H

#include <stddef.h>
#include <stdint.h>

struct wirelen {
    uint64_t bytes; /* so far */
    char last;      /* the last byte seen; LF at the start */
};
void wirelen_init(struct wirelen *wirelen);
/* Any chunking. */
void wirelen_add(struct wirelen *wirelen, const char *bytes, size_t n);
uint64_t wirelen_end(const struct wirelen *wirelen);

#endif
