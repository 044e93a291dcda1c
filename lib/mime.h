/* SPDX-License-Identifier: ISC */
/* A message in parts (RFC 2045-2049): a streaming parser that takes the stored form (LF or CRLF, any bytes) in any chunking and
 * leaves a table of the parts and a copy of their header blocks. Total and bounded: depth, parts and kept bytes end at the limits
 * below.
 *
 *   mime_start(&mime); mime_feed(&mime, …)…; mime_end(&mime);        then mime.parts[0 .. mime.n), in the order they begin
 *
 * What broken mail means is decided as Dovecot does (clients are used to it): DEVIATIONS lists where not. The blank line belongs
 * to the header; the line end before a boundary to the boundary; without an empty line all is header; a boundary that is a prefix
 * of another loses to the longer one; a boundary inside a header block ends that part. */
#ifndef MIME_H
#define MIME_H

#include "mime_type.h"

enum {
    MIME_DEPTH_MAX = 100,    /* levels of parts; a multipart or message on the last one is left closed (is_overflow) */
    MIME_PARTS_MAX = 10000,  /* the last one takes all the rest */
    MIME_KEPT_MAX = 4 << 20, /* header bytes kept of one message; what lies behind is counted, not read */
    MIME_BOUNDARY_MAX = 255, /* bytes of a boundary that count */
    MIME_LINE_HELD = MIME_BOUNDARY_MAX + 4
};
#define MIME_NONE UINT32_MAX

enum mime_kind { MIME_LEAF, MIME_MULTIPART, MIME_MESSAGE };

/* A place in the message: what lies before it. */
struct mime_place {
    uint64_t offset; /* stored bytes */
    uint64_t lines;  /* LFs */
    uint64_t bare;   /* LFs without CR before: offset + bare is the place on the wire (lib/crlf.h) */
};
struct mime_part {
    struct mime_place start, body, end; /* header: start to body, with its empty line; body: to end */
    uint32_t parent, next;              /* of parts; MIME_NONE */
    uint32_t number;                    /* among its siblings, from 1; the root and the message in a message/rfc822: 1 */
    uint32_t children;                  /* the first child is the part that follows in the table */
    uint32_t kept, kept_len;            /* header block in mime.headers, as stored */
    uint8_t kind, depth;
    bool is_mime;     /* Content-* fields count: below a multipart, or with a Content-Type or MIME-Version */
    bool is_default;  /* no Content-Type that counts: text/plain, or message/rfc822 below a multipart/digest */
    bool is_digest;   /* a multipart/digest */
    bool is_overflow; /* a multipart or message that was not looked into */
};
uint64_t mime_part_header_bytes(const struct mime_part *part); /* on the wire */
uint64_t mime_part_body_bytes(const struct mime_part *part);   /* on the wire */
uint64_t mime_part_body_lines(const struct mime_part *part);

enum mime_state {
    MIME_LINE_START,    /* of a header or body line that may be special: `held` has what is known of it */
    MIME_HEADER_LINE,   /* inside a header line */
    MIME_EMPTY_LINE,    /* the line that ends a header */
    MIME_BODY_LINE,     /* inside a line of a body that a boundary may end */
    MIME_BOUNDARY_LINE, /* behind a boundary, to the end of its line */
    MIME_REST           /* no boundary is open: count to the end */
};
struct mime_boundary {
    uint32_t part, last_child;
    size_t at, n; /* in boundary_text */
};
struct mime {
    struct mime_part *parts;
    uint32_t n, room;
    stralloc headers;
    struct mime_fields root; /* the root's known fields, slices of headers; after mime_end */

    enum mime_state state;
    bool in_header;
    bool is_first_line; /* the line end before this line belongs to a header or boundary, not to a body */
    char last;          /* byte */
    uint8_t line_end;   /* length of the line end before this line */
    uint32_t current;   /* part; a multipart between its parts is current itself */
    struct mime_place here;
    struct mime_boundary open[MIME_DEPTH_MAX];
    uint32_t open_n;
    size_t longest, shortest; /* of the boundaries so far */
    stralloc boundary_text;
    struct mime_type type; /* of the part whose header just ended */
    char held[MIME_LINE_HELD];
    size_t held_len;
};
/* Zero the struct before the first use (it is large: static or from memory_get); its memory is used again from message to
 * message. */
void mime_start(struct mime *mime);
void mime_feed(struct mime *mime, const char *bytes, size_t n);
void mime_end(struct mime *mime);

/* The Content-* fields of a part that count: none where it is no MIME. Reads them into *work, or finds them read. After mime_end.
 */
const struct mime_fields *mime_part_fields(const struct mime *mime, uint32_t part, struct mime_fields *work);
/* The part that an IMAP section number names (RFC 3501 6.4.5): numbers[0..n) from the root. MIME_NONE: there is no such part.
 * "1" of a message that is no multipart is the message itself. */
uint32_t mime_find(const struct mime_part *parts, const uint32_t *numbers, size_t n);
/* True: this number is that of the empty text which BODYSTRUCTURE shows in a multipart without parts. */
bool mime_is_shown_only(const struct mime_part *parts, const uint32_t *numbers, size_t n);

#endif
