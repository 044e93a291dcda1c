/* SPDX-License-Identifier: ISC */
/* One whole command off the wire: its line, and the literals that stand in it, asked for with `+` where they are synchronising
 * (RFC 3501 7.5, RFC 7888). APPEND's message is not read: it is the command's own business. */
#ifndef IMAPD_INPUT_H
#define IMAPD_INPUT_H

#include "imapd/parse.h"
#include "lib/wire.h"
#include <skalibs/stralloc.h>

enum { INPUT_LINE_MAX = 65536, INPUT_COMMAND_MAX = 262144 };
struct input {
    struct wire *wire;
    stralloc command;       /* without the last line end */
    struct literal message; /* INPUT_MESSAGE */
    bool has_message;       /* it is still to come, and whoever takes it says so */
};
enum input_result {
    INPUT_COMMAND,
    INPUT_MESSAGE,  /* the command ends with the announcement of APPEND's message */
    INPUT_TOO_LONG, /* a line or all of it; read to its end and dropped (command holds its beginning, for the tag) */
    INPUT_BAD_LITERAL,
    INPUT_END,
    INPUT_TIMEOUT,
    INPUT_GONE
};
enum input_result input_read(struct input *input) __attribute__((warn_unused_result));
/* A message that nobody took: where it comes without asking, it and the rest of its command go by (at the next input_read, too).
 * INPUT_COMMAND: go on. */
enum input_result input_drop_message(struct input *input) __attribute__((warn_unused_result));
/* Goes on with the line behind APPEND's message, appended to command. */
enum input_result input_read_rest(struct input *input) __attribute__((warn_unused_result));
/* Drops n bytes. False: the client is gone. */
bool input_skip(struct input *input, uint64_t n);

#endif
