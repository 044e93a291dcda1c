/* SPDX-License-Identifier: ISC */
/* The grammar of POP3 command lines (RFC 1939 3): bytes in, struct out. Pure. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stddef.h>
#include <stdint.h>

enum command_verb {
    COMMAND_CAPA,
    COMMAND_USER,
    COMMAND_PASS,
    COMMAND_QUIT,
    COMMAND_NOOP,
    COMMAND_STAT,
    COMMAND_LIST,
    COMMAND_UIDL,
    COMMAND_RETR,
    COMMAND_TOP,
    COMMAND_DELE,
    COMMAND_RSET,
    COMMAND_LAST,
    COMMAND_NOT_OFFERED, /* APOP AUTH STLS UTF8 LANG XTND */
    COMMAND_HTTP         /* a web browser, or somebody who makes one speak to us */
};

struct command {
    enum command_verb verb;
    const char *word; /* the verb as it was sent */
    size_t word_len;
    const char *text; /* of USER (no blanks at its end) and PASS (every byte behind the one blank) */
    size_t text_len;
    unsigned n_numbers;
    uint64_t number[2];
};

enum command_result {
    COMMAND_GOOD,
    COMMAND_MALFORMED, /* a verb of ours, and what follows it is not its form; `verb` and `word` are set */
    COMMAND_UNKNOWN    /* `word` is set */
};
/* A line without its end. Blanks at the end are passed over, but for PASS. */
enum command_result command_parse(const char *line, size_t n, struct command *out);
/* How the command is written. */
const char *command_form(enum command_verb verb);

#endif
