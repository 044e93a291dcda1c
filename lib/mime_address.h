/* SPDX-License-Identifier: ISC */
/* Address lists as IMAP shows them (RFC 5322 3.4 with its obsolete forms, RFC 3501 7.4.2): every byte string gives a list, and
 * what is broken or missing gets the words that clients know from Dovecot: MISSING_MAILBOX, MISSING_DOMAIN, SYNTAX_ERROR,
 * INVALID_ROUTE. Never for deciding where mail goes.
 *
 *   mime_addresses_start(&list, bytes, n);
 *   while (mime_addresses_next(&list, &address)) …
 */
#ifndef MIME_ADDRESS_H
#define MIME_ADDRESS_H

#include "header_lexer.h"
#include "mime_header.h"

enum mime_address_kind { MIME_ADDRESS, MIME_GROUP, MIME_GROUP_END };
/* Without quotes, comments and backslashes, encoded words as they stand. bytes NULL: none. Valid until the next call. */
struct mime_address {
    enum mime_address_kind kind;
    struct mime_slice name;    /* of a MIME_ADDRESS: display name, or the comment behind a bare address */
    struct mime_slice route;   /* obsolete source route: @a,@b */
    struct mime_slice mailbox; /* local part; of a MIME_GROUP: its name */
    struct mime_slice domain;
};
enum mime_addresses_state { MIME_AT_ADDRESS, MIME_AT_MEMBER, MIME_AT_GROUP_END, MIME_AT_GARBAGE, MIME_AT_END };
struct mime_addresses {
    enum mime_addresses_state state;
    struct lexer lexer;
    stralloc text, comment;
    struct mime_span {
        size_t at, n; /* in text */
        bool is_there;
    } name, route, mailbox, domain;
};
/* `bytes`: a value, unfolded. Zero the struct before the first use; its memory is used again. */
void mime_addresses_start(struct mime_addresses *list, const char *bytes, size_t n);
bool mime_addresses_next(struct mime_addresses *list, struct mime_address *out);

#endif
