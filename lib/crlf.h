/* SPDX-License-Identifier: ISC */
/* The wire form of IMAP: an LF without CR before it becomes CRLF, every other byte goes through unchanged (a stored CRLF stays
 * one CRLF, a bare CR stays bare). What RFC822.SIZE announces is what crlf_encode sends. Streaming, total, any chunking. (POP3
 * and SMTP know no bare CR: their form is lib/dot.h's, their size lib/wirelen.h's; the two sizes differ only where one stands.)
 */
#ifndef CRLF_H
#define CRLF_H

#include <stddef.h>
#include <stdint.h>

struct crlf {
    uint64_t bytes; /* stored bytes so far */
    uint64_t lines; /* LFs among them */
    uint64_t bare;  /* LFs without CR before them: bytes + bare is the wire size */
    char last;      /* the last byte; LF at the start */
};
void crlf_start(struct crlf *crlf);
void crlf_count(struct crlf *crlf, const char *bytes, size_t n);
uint64_t crlf_wire_bytes(const struct crlf *crlf);

/* Encodes n stored bytes into out (room for 2 * n). *last: the byte before `in`, '\n' at the start; kept for the next call.
 * Returns bytes written. */
size_t crlf_encode(char *last, const char *in, size_t n, char *out);
/* A literal of RFC 3501 may not hold NUL: each becomes 0x80, so that no size changes (as Dovecot does). In place. */
void crlf_hide_nul(char *bytes, size_t n);

#endif
