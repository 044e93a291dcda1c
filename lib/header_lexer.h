/* SPDX-License-Identifier: ISC */
/* The words of structured header fields (RFC 5322 3.2, RFC 2045 5.1), for reading what others wrote: total, lenient, no
 * recursion. Input is one field's value, unfolded (lib/mime_header.h). Each reader appends what it read to `out` and skips white
 * space and comments behind it. */
#ifndef HEADER_LEXER_H
#define HEADER_LEXER_H

#include <stddef.h>
#include <skalibs/stralloc.h>

enum lexed {
    LEXED_BAD = -1, /* not here, or broken (an unclosed quote or comment) */
    LEXED_END = 0,  /* read, and nothing follows */
    LEXED_MORE = 1  /* read, and *p is the next byte */
};
struct lexer {
    const char *p, *end;
    stralloc *
        comment; /* NULL: comments are dropped; else it holds the last one that was passed, without parentheses and backslashes */
};
void lexer_start(struct lexer *lexer, const char *bytes, size_t n, stralloc *comment);

enum lexed lexer_skip_space(struct lexer *lexer);              /* [CFWS] */
enum lexed lexer_atom(struct lexer *lexer, stralloc *out);     /* 1*atext; 8-bit bytes count as atext */
enum lexed lexer_dot_atom(struct lexer *lexer, stralloc *out); /* atoms and dots, white space around the dots dropped */
enum lexed lexer_token(struct lexer *lexer, stralloc *out);    /* MIME token, may be empty */
enum lexed lexer_quoted(struct lexer *lexer, stralloc *out);   /* at a `"`; without the quotes and backslashes */
enum lexed lexer_phrase(struct lexer *lexer, stralloc *out);   /* words, one blank between two; dots allowed (obs-phrase) */
enum lexed lexer_domain(struct lexer *lexer, stralloc *out);   /* at the `@`: dot-atom or [literal] behind it */

#endif
