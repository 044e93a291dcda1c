/* SPDX-License-Identifier: ISC */
/* A message's summary: what an index keeps so that FETCH, SEARCH, SORT and THREAD need not open the message. Made in one pass;
 * derived, so it can be thrown away at any time. Numbers are little-endian, two's complement where signed; nothing is aligned.
 *
 *   offset  bytes
 *    0      4     "MSM1"
 *    4      4     length of the whole, these bytes counted
 *    8      8     wire bytes of the message: RFC822.SIZE (lib/crlf.h)
 *   16      8     wire bytes of its header, with the empty line
 *   24      8     sent date: seconds since 1970, UTC (SORT DATE)
 *   32      8     hash of its Message-ID (mime_id_hash); 0: none
 *   40      4     zone of the sent date, minutes east
 *   44      4     flags: MIME_SUMMARY_HAS_DATE, MIME_SUMMARY_IS_REPLY, MIME_SUMMARY_IS_ALL_HEADER (no empty line ends the header)
 *   48      8 n   n = MIME_SECTIONS pairs: where a section begins (from the start), its length; 0 0: it is not there
 *                 (it was larger than MIME_SECTION_MAX, BODY and BODYSTRUCTURE: than the message twice and MIME_STRUCTURE_KEPT,
 *                 or the header larger than MIME_KEPT_MAX: look into the message). PARTS has all parts, always.
 *   then the sections
 *
 * PARTS has 52 bytes a part, in the order of struct mime's table: stored offsets of header, body and end; wire bytes of header
 * and body; lines of header and body; parent, next sibling (0xffffffff: none), children, number; kind, flags (1 is_mime, 2
 * is_default, 4 is_digest, 8 is_overflow, 16 is_text: text to be searched, also a message/… that is not looked into), encoding,
 * length of charset (one byte each); charset's place in CHARSETS. */
#ifndef MIME_SUMMARY_H
#define MIME_SUMMARY_H

#include "mime_decode.h"
#include "mime_text.h"
#include "mime_words.h"

enum mime_section {
    MIME_ENVELOPE, /* "(…)", as FETCH sends it; also the next two */
    MIME_BODY,
    MIME_BODYSTRUCTURE,
    MIME_FIELDS, /* the root's fields whose mime_name_of is not MIME_OTHER, as on the wire, in their order; no empty line */
    MIME_PARTS,
    MIME_CHARSETS,
    MIME_SEARCH_FROM, /* decoded, case-folded UTF-8, words with one blank between; fields that are there more than once: one a
                         line */
    MIME_SEARCH_TO,
    MIME_SEARCH_CC,
    MIME_SEARCH_BCC,
    MIME_SEARCH_SUBJECT,
    MIME_SORT_SUBJECT, /* base subject, folded */
    MIME_SORT_FROM,    /* mailbox of the first address, folded (RFC 5256) */
    MIME_SORT_TO,
    MIME_SORT_CC,
    MIME_DISPLAY_FROM, /* name of the first address, or mailbox@domain; decoded, folded (RFC 5957) */
    MIME_DISPLAY_TO,
    MIME_THREAD, /* 8 bytes an id: hashes of References, or of the first id of In-Reply-To (RFC 5256 3) */
    MIME_SECTIONS
};
enum {
    MIME_SECTION_MAX = 256 << 10,
    MIME_STRUCTURE_KEPT = 4096,
    MIME_SUMMARY_HEAD = 48 + 8 * MIME_SECTIONS,
    MIME_SUMMARY_PART = 52,
    MIME_SUMMARY_HAS_DATE = 1,
    MIME_SUMMARY_IS_REPLY = 2,
    MIME_SUMMARY_IS_ALL_HEADER = 4
};

/* Making one: mime_summary_start, mime_summary_feed in any chunking (the stored form), mime_summary_end appends it. Zero the
 * struct before the first use (static or from memory_get: it is large), and use it again. */
struct mime_summary_work {
    struct mime mime; /* after mime_summary_end: the message's parts */
    struct mime_text text;
    struct mime_words words;
    struct mime_addresses addresses;
    stralloc line, decoded, id, charsets;
};
void mime_summary_start(struct mime_summary_work *work);
void mime_summary_feed(struct mime_summary_work *work, const char *bytes, size_t n);
/* False: the message is too large for it (4 GiB); nothing is appended. */
bool mime_summary_end(struct mime_summary_work *work, stralloc *out);
/* Gives back the memory that a large message left; charsets stay open. */
void mime_summary_free(struct mime_summary_work *work);

/* Reading one: slices of its bytes. */
struct mime_summary {
    const char *bytes;
    uint32_t n, parts;
    uint64_t wire_bytes, header_wire_bytes, id_hash;
    int64_t sent;
    int32_t zone;
    uint32_t flags;
};
/* False: bytes[0..n) do not begin with a whole summary; every later question is then safe from its numbers. */
bool mime_summary_open(struct mime_summary *summary, const char *bytes, size_t n);
/* False: the section is not there. An empty one is. */
bool mime_summary_get(const struct mime_summary *summary, enum mime_section section, struct mime_slice *out);
struct mime_summary_part {
    struct mime_part part; /* without kept headers; places count from the part's start but for their offsets */
    enum mime_encoding encoding;
    bool is_text;
    struct mime_slice charset; /* as written; empty: none */
};
/* Part i of summary->parts (0 where the section is not there). Its places are in order, but may lie beyond the message. */
void mime_summary_part(const struct mime_summary *summary, uint32_t i, struct mime_summary_part *out);
/* All of them into out[0..summary->parts), for mime_find. */
void mime_summary_parts(const struct mime_summary *summary, struct mime_part *out);

#endif
