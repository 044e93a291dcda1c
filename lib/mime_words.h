/* SPDX-License-Identifier: ISC */
/* Header text as people read it: encoded words (RFC 2047, RFC 2231 5) undone, in UTF-8. Lenient as mailers are: words anywhere,
 * of any length, a character cut between two words of one charset. A word that is none stays as it stands; 8-bit bytes outside of
 * words stay. */
#ifndef MIME_WORDS_H
#define MIME_WORDS_H

#include "charset.h"
#include "mime_decode.h"

/* Work memory: zero it before the first use, use it again; charsets_prepare(&words.charsets, …) may come first. */
struct mime_words {
    struct charsets charsets;
    struct mime_decoder decoder;
    stralloc bytes;
};
/* Appends unfolded text with its words decoded. */
void mime_words_append(stralloc *out, struct mime_words *words, const char *bytes, size_t n);

#endif
