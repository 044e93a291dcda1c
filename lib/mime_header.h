/* SPDX-License-Identifier: ISC */
/* The fields of a header block (RFC 5322 2.2), as stored: LF or CRLF, folded lines, 8-bit bytes, NULs, lines without a colon.
 * Pure: slices of the input. A block ends at its first empty line. */
#ifndef MIME_HEADER_H
#define MIME_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

struct mime_slice {
    const char *bytes; /* NULL: not there */
    size_t n;
};
/* Fields that some module of lib reads by meaning. */
enum mime_name {
    MIME_DATE,
    MIME_SUBJECT,
    MIME_FROM,
    MIME_SENDER,
    MIME_REPLY_TO,
    MIME_TO,
    MIME_CC,
    MIME_BCC,
    MIME_IN_REPLY_TO,
    MIME_MESSAGE_ID,
    MIME_REFERENCES,
    MIME_MIME_VERSION,
    MIME_CONTENT_TYPE,
    MIME_CONTENT_ENCODING, /* Content-Transfer-Encoding */
    MIME_CONTENT_ID,
    MIME_CONTENT_DESCRIPTION,
    MIME_CONTENT_DISPOSITION,
    MIME_CONTENT_LANGUAGE,
    MIME_CONTENT_LOCATION,
    MIME_CONTENT_MD5,
    MIME_NAMES,
    MIME_LISTED = MIME_NAMES, /* mail clients ask for it in lists of fields, as for most of the above */
    MIME_OTHER
};
enum mime_name mime_name_of(const char *name, size_t n); /* any case */

struct mime_field {
    const char *start, *end; /* the whole field with its line ends */
    size_t name_len;         /* the name stands at start, without blanks before the colon; no colon: the whole first line */
    const char *value;       /* behind the colon and blanks; NULL: no colon */
    size_t value_len;        /* without the last line end and blanks before it */
    bool is_folded;          /* line ends stand in the value */
};
/* The field at *at, which moves on; false at the end of the block. */
bool mime_field_next(const char **at, const char *end, struct mime_field *out);

/* Appends a value without its line ends, and without blanks at both ends. */
void mime_unfold(stralloc *out, const char *value, size_t n);
/* Appends the words of a value: runs of white space become one blank, none at the ends. */
void mime_collapse(stralloc *out, const char *bytes, size_t n);
/* mime_unfold as a slice: of `value` itself where nothing is folded, else of *work, which it overwrites. */
struct mime_slice mime_unfolded(struct mime_slice value, stralloc *work);

/* The known fields of a block. Values are as in mime_field; a field twice: `first` and `last` of them. */
struct mime_fields {
    struct mime_slice first[MIME_NAMES], last[MIME_NAMES];
    uint32_t count[MIME_NAMES];
    bool is_folded[MIME_NAMES]; /* one of them at least */
};
void mime_fields_read(const char *block, size_t n, struct mime_fields *out);

#endif
