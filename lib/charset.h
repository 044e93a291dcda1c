/* SPDX-License-Identifier: ISC */
/* Text of any charset to UTF-8, by libc's iconv. Total: a byte (of UTF-16 two, of UTF-32 four) that has no meaning becomes
 * U+FFFD; text of an unknown charset, and what calls itself UTF-8 or US-ASCII, keeps its bytes. ISO-8859-1 is read as
 * windows-1252, its superset that mailers mean.
 *
 * iconv loads a converter's file when a charset is first used: a program that confines itself calls charsets_prepare before, and
 * leaves itself the folder that it names for reading. What is not there is an unknown charset. */
#ifndef CHARSET_H
#define CHARSET_H

#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>
#include <skalibs/stralloc.h>

enum { CHARSETS_MAX = 48, CHARSET_NAME_MAX = 40, CHARSET_PENDING_MAX = 16 };
struct charset {
    char name[CHARSET_NAME_MAX + 1]; /* as asked for, lower case */
    bool is_converted;               /* false: bytes are kept */
    bool is_known;
    iconv_t converter;
    unsigned unit; /* bytes of its smallest character */
};
/* Those used so far; the oldest gives way. Zero before the first use. */
struct charsets {
    struct charset list[CHARSETS_MAX];
    unsigned n, oldest;
};
/* Any name (any case; a `*language` behind it is cut); the result lives until CHARSETS_MAX others were asked for. */
struct charset *charsets_find(struct charsets *charsets, const char *name, size_t n);
/* Opens the charset of most mail, so that iconv has read its own tables, and names the folder of the converters' files; "" where
 * there is none. */
void charsets_prepare(struct charsets *charsets, stralloc *folder_out);

/* One text in any chunking (broken UTF-7 may come out otherwise in other chunks: libc's reader forgets). Two texts of one charset
 * must not be mixed. */
struct charset_stream {
    struct charset *charset;
    char pending[CHARSET_PENDING_MAX]; /* the start of a character */
    size_t pending_len;
};
void charset_start(struct charset_stream *stream, struct charset *charset);
void charset_add(struct charset_stream *stream, const char *bytes, size_t n, stralloc *out);
void charset_end(struct charset_stream *stream, stralloc *out);

#endif
