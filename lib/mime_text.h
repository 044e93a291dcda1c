/* SPDX-License-Identifier: ISC */
/* A message as IMAP says it (RFC 3501 7.4.2): ENVELOPE, BODY and BODYSTRUCTURE, ready to send.
 *
 * Strings: quoted where they may be; a literal where CR, LF or an 8-bit byte stands in them (8-bit bytes go raw); NUL becomes
 * U+FFFD. Header values: unfolded, without blanks at both ends; in Subject and display names runs of blanks become one. A Date,
 * Subject, Message-ID or In-Reply-To that is there twice: the last one; address fields: all of them; Content-* fields: the first
 * one. */
#ifndef MIME_TEXT_H
#define MIME_TEXT_H

#include "mime.h"
#include "mime_address.h"

enum { MIME_ADDRESSES_MAX = 50000 }; /* of one message, in its ENVELOPE or its structure; further ones are left out */
/* Work memory: zero it before the first use, use it again. */
struct mime_text {
    uint32_t addresses_left;
    struct mime_addresses addresses;
    struct mime_type type;
    struct mime_params params;
    struct mime_fields fields;
    stralloc value, words, unwanted;
};
void mime_string_append(stralloc *out, const char *bytes, size_t n);

/* Both ask a parser after mime_end. (date subject from sender reply-to to cc bcc in-reply-to message-id) of a part's header. */
void mime_envelope_append(stralloc *out, struct mime_text *text, const struct mime *mime, uint32_t part);
/* The message in parentheses; is_extended: BODYSTRUCTURE, else BODY. */
void mime_structure_append(stralloc *out, struct mime_text *text, const struct mime *mime, bool is_extended);
/* Both at once: BODYSTRUCTURE to `extended`, BODY to `plain` (NULL: not wanted). */
void mime_structures_append(stralloc *extended, stralloc *plain, struct mime_text *text, const struct mime *mime);

#endif
