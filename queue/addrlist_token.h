/* SPDX-License-Identifier: ISC */
/* Tokens of structured header fields (RFC 5322 3.2). Pure. */
#ifndef ADDRLIST_TOKEN_H
#define ADDRLIST_TOKEN_H

#include "queue/addrlist.h"

enum { TOKEN_END = 0, TOKEN_ATOM = 'a', TOKEN_QUOTED = '"', TOKEN_LITERAL = '[' }; /* else: the special itself: < > @ , ; : . */
struct addrlist_token {
    char kind;
    size_t begin, end; /* with its quotes or brackets */
};
/* Skips blanks, line ends and comments from *at, takes one token. On a fault token->begin is where. */
enum addrlist_fault addrlist_token_next(const char *bytes, size_t n, size_t *at, struct addrlist_token *token);
/* A byte of an atom (atext, 8-bit bytes). */
bool addrlist_is_atext(char c);

#endif
