/* SPDX-License-Identifier: ISC */
/* What a bounce tells about one recipient: the note's words, made fit for people and for fields. */
#ifndef BOUNCE_WORDS_H
#define BOUNCE_WORDS_H

#include "queue/bounce_text.h"

/* Appends the enhanced status code at the start of the note, 5.0.0 where there is none. */
void bounce_words_status(stralloc *out, const struct bounce_recipient *recipient);
/* Appends the note's words as one line, without the code in front, and what the time adds to them. */
void bounce_words_reason(stralloc *out, const struct bounce_text *text, const struct bounce_recipient *recipient);
/* Appends words in lines of at most 78 bytes where blanks allow it and of 900 where they do not; `indent` stands before each
 * line but the first. No line is empty, none ends with a blank. Ends with LF. */
void bounce_words_wrap(stralloc *out, const char *words, size_t n, const char *indent);
/* Appends UTF-8 as it is, anything else and every control byte escaped. */
void bounce_words_foreign(stralloc *out, const char *bytes, size_t n);
/* Appends an address for a status field: `rfc822; a@b.test`, or `utf-8; \x{E9}@b.test` (RFC 6533 section 3). */
void bounce_words_address(stralloc *out, const char *address);
/* Appends what xtext (RFC 3461 section 4) stands for, printable; other bytes as they are. */
void bounce_words_xtext(stralloc *out, const char *xtext);

#endif
