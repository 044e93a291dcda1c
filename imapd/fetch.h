/* SPDX-License-Identifier: ISC */
/* FETCH (RFC 3501 6.4.5, 7162): what is asked for, and how each item is said. */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "imapd/session.h"

enum { FETCH_ITEMS_MAX = 64, FETCH_PATH_MAX = 101, FETCH_FIELDS_MAX = 128 };
enum fetch_kind {
    FETCH_UID,
    FETCH_FLAGS,
    FETCH_SIZE,
    FETCH_DATE,
    FETCH_MODSEQ,
    FETCH_ENVELOPE,
    FETCH_BODY,
    FETCH_STRUCTURE,
    FETCH_SECTION
};
enum fetch_text { TEXT_WHOLE, TEXT_HEADER, TEXT_FIELDS, TEXT_FIELDS_NOT, TEXT_TEXT, TEXT_MIME };
struct fetch_item {
    enum fetch_kind kind;
    /* FETCH_SECTION */
    const char *label; /* RFC822 and its kin; NULL: BODY[…] */
    enum fetch_text text;
    bool is_peek, is_partial;
    uint32_t start, len; /* partial */
    uint32_t path[FETCH_PATH_MAX];
    unsigned n_path;
    struct slice field[FETCH_FIELDS_MAX];
    unsigned n_fields;
};
struct fetch {
    struct set set;
    struct fetch_item *item;
    unsigned n;
    bool has_since, has_vanished;
    uint64_t since;
    bool sets_seen; /* a section without PEEK */
};
bool fetch_parse(struct parser *parser, struct fetch *out);
void fetch_free(struct fetch *fetch);

/* fetch_section.c: ` BODY[…] {n}` and the bytes. 0; 1 the message is gone; -1 errno. */
int fetch_put_section(struct session *session, uint32_t index, const struct fetch_item *item);
/* A place in a stored message: its bytes, and how many they are on the wire. */
struct fetch_place {
    uint64_t at, len, wire;
    bool is_there, has_wire;
};
/* fetch_part.c: where a section of a part lies (by the summary). 0; 1 gone; -1 errno. */
int fetch_find_part(struct session *session, uint32_t index, const struct fetch_item *item, struct fetch_place *out);
/* The fields of a header block that the item asks for, in wire form, with the empty line if the block has it. */
void fetch_put_fields(stralloc *out, const struct fetch_item *item, const char *header, size_t n);
/* From the summary, when it holds all of them. False: read the file. */
bool fetch_cached_fields(struct session *session, uint32_t index, const struct fetch_item *item, stralloc *out);
/* ENVELOPE, BODY or BODYSTRUCTURE of a message that is too long for its summary: parsed for this answer. 0; 1 gone; -1 errno. */
int fetch_put_long(struct session *session, uint32_t index, enum mime_section section);

#endif
