/* SPDX-License-Identifier: ISC */
/* The grammar of commands (RFC 3501 section 9, RFC 4466, 7888): pure, over one whole command in memory. Literals stand in it as
 * they came: `{5}` CR LF and five bytes. Quoted strings are unescaped in place. Each function takes one thing off the front;
 * false: it is not there, and the parser stands where it stood. */
#ifndef IMAPD_PARSE_H
#define IMAPD_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

struct slice {
    const char *bytes;
    size_t len;
};
struct parser {
    char *at, *end;
};
bool slice_is(struct slice slice, const char *word); /* without case */

bool parse_end(const struct parser *parser);
bool parse_char(struct parser *parser, char c);
bool parse_space(struct parser *parser); /* one SP */
/* A word without case, followed by no atom character. */
bool parse_word(struct parser *parser, const char *word);
bool parse_tag(struct parser *parser, struct slice *out);
/* The tag that a reply names: `*` where there is none, or one of more than 256 bytes (false). */
bool parse_reply_tag(struct parser *parser, stralloc *out);
bool parse_atom(struct parser *parser, struct slice *out);
bool parse_string(struct parser *parser, struct slice *out);       /* quoted or literal; no NUL inside */
bool parse_astring(struct parser *parser, struct slice *out);      /* ']' may stand in the atom */
bool parse_nstring(struct parser *parser, struct slice *out);      /* NIL: bytes NULL */
bool parse_list_mailbox(struct parser *parser, struct slice *out); /* % and * too */
bool parse_number(struct parser *parser, uint32_t *out);
bool parse_number64(struct parser *parser, uint64_t *out); /* mod-sequences: below 2^63 */
bool parse_nonzero(struct parser *parser, uint32_t *out);
/* "\Name" or an atom. */
bool parse_flag(struct parser *parser, struct slice *out);
/* " 1-Feb-2026 12:13:14 +0200" in quotes: seconds since 1970, UTC. False for dates that no calendar has. */
bool parse_date_time(struct parser *parser, int64_t *out);
/* 1-Feb-2026, quoted or not: the day as seconds of its midnight, no zone. */
bool parse_date(struct parser *parser, int64_t *out);

/* SP and the arguments of ID (RFC 2971): NIL or (string nstring …), to the end. */
bool parse_id(struct parser *parser);

/* Sets of numbers. '*' is SET_STAR; ranges as they were written. */
enum { SET_STAR = 0xffffffff };
struct set_range {
    uint32_t first, last;
};
struct set {
    struct set_range *range;
    uint32_t n, room;
    bool is_saved; /* `$` (RFC 5182) */
};
bool parse_set(struct parser *parser, struct set *out);
void set_add(struct set *set, uint32_t first, uint32_t last);
void set_clear(struct set *set);

/* For lib/input: what a line's end announces. */
struct literal {
    uint64_t len;
    bool is_plus;   /* {n+}: the bytes come without asking */
    bool is_binary; /* ~{n} */
};
/* `{n}`, `{n+}`, `~{n}` at the end of n bytes. 1; 0 none; -1 braces that hold no number below 2^32. */
int parse_line_literal(const char *line, size_t n, struct literal *out);
/* Does the command so far (ending in a literal's announcement) announce APPEND's message, its mailbox being complete? */
bool parse_announces_message(const char *command, size_t n);

#endif
