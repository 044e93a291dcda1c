/* SPDX-License-Identifier: ISC */
/* The grammar of SMTP command lines (RFC 5321 4.1): bytes in, slices out. Pure. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *bytes;
    size_t len;
};

/* A line without its CRLF: the verb (letters up to a blank; may be empty) and what follows, blanks at both ends taken off. */
struct command_line {
    struct slice verb, argument;
};
void command_split(const char *line, size_t n, struct command_line *out);

/* `FROM:<path> parameters`, `TO:<path> parameters`. */
enum path_result {
    PATH_GOOD,
    PATH_SYNTAX,     /* not KEYWORD:, or the bracket is not closed, or something but a blank follows it */
    PATH_NO_BRACKETS /* `user@domain` stands bare: address and parameters are set all the same */
};
struct path {
    struct slice address; /* without <> and source route; may be empty (<>) */
    struct slice parameters;
};
/* keyword: "FROM:" or "TO:". A blank before the path is passed over. */
enum path_result command_parse_path(struct slice argument, const char *keyword, struct path *out);

struct parameter {
    struct slice key, value;
    bool has_value;
};
/* Takes the first parameter off. 1, 0: none left, -1: not the grammar of RFC 5321 (esmtp-param). */
int command_next_parameter(struct slice *rest, struct parameter *out);

/* BDAT's argument (RFC 3030). */
bool command_parse_bdat(struct slice argument, uint64_t *length_out, bool *is_last_out);

bool slice_is(struct slice slice, const char *word); /* without case */

#endif
