/* SPDX-License-Identifier: ISC */
/* What is too long is read to its end and answered, so that the session lives on; a literal that comes without asking is
 * swallowed with it. Memory: the command, at most INPUT_COMMAND_MAX. */
#include "imapd/input.h"

#include <string.h>

#include "lib/str.h"

enum { TAIL = 32 };

static enum input_result of_wire(enum wire_result result)
{
    return result == WIRE_TIMEOUT ? INPUT_TIMEOUT : result == WIRE_GONE ? INPUT_GONE : INPUT_END;
}

bool input_skip(struct input *input, uint64_t n)
{
    while (n > 0) {
        const char *bytes;
        size_t len;
        if (wire_peek(input->wire, &bytes, &len) != WIRE_LINE) {
            return false;
        }
        size_t part = len < n ? len : (size_t)n;
        wire_skip(input->wire, part);
        n -= part;
    }
    return true;
}

/* Keeps the last bytes of what is dropped: a literal's announcement may stand there. */
static void keep_tail(char *tail, size_t *tail_len, const char *bytes, size_t n)
{
    if (n >= TAIL) {
        memcpy(tail, bytes + n - TAIL, TAIL);
        *tail_len = TAIL;
        return;
    }
    size_t keep = *tail_len + n > TAIL ? TAIL - n : *tail_len;
    memmove(tail, tail + *tail_len - keep, keep);
    memcpy(tail + keep, bytes, n);
    *tail_len = keep + n;
}

/* Drops to the end of the line, which began at `at`, and on where it ends with a literal that comes anyway. */
static enum input_result drop_line(struct input *input, size_t at)
{
    char tail[TAIL];
    size_t tail_len = 0;
    keep_tail(tail, &tail_len, input->command.s + at, input->command.len - at);
    for (;;) {
        const char *bytes;
        size_t len;
        enum wire_result result = wire_peek(input->wire, &bytes, &len);
        if (result != WIRE_LINE) {
            return of_wire(result);
        }
        const char *lf = memchr(bytes, '\n', len);
        size_t n = lf == NULL ? len : (size_t)(lf - bytes) + 1;
        keep_tail(tail, &tail_len, bytes, n);
        wire_skip(input->wire, n);
        if (lf == NULL) {
            continue;
        }
        struct literal literal;
        size_t line = tail_len - 1 - (tail_len > 1 && tail[tail_len - 2] == '\r');
        if (parse_line_literal(tail, line, &literal) != 1 || !literal.is_plus) {
            return INPUT_TOO_LONG;
        }
        if (!input_skip(input, literal.len)) {
            return INPUT_END;
        }
        tail_len = 0;
    }
}

/* One line onto the command, its line end dropped; *at_out: where it began. */
static enum input_result read_line(struct input *input, size_t *at_out)
{
    *at_out = input->command.len;
    for (;;) {
        const char *bytes;
        size_t len;
        enum wire_result result = wire_peek(input->wire, &bytes, &len);
        if (result != WIRE_LINE) {
            return of_wire(result);
        }
        const char *lf = memchr(bytes, '\n', len);
        size_t n = lf == NULL ? len : (size_t)(lf - bytes) + 1;
        if (input->command.len - *at_out + n > INPUT_LINE_MAX || input->command.len + n > INPUT_COMMAND_MAX) {
            return drop_line(input, *at_out);
        }
        str_cat(&input->command, bytes, n);
        wire_skip(input->wire, n);
        if (lf != NULL) {
            input->command.len--;
            if (input->command.len > *at_out && input->command.s[input->command.len - 1] == '\r') {
                input->command.len--;
            }
            return INPUT_COMMAND;
        }
    }
}

static enum input_result read_literal(struct input *input, const struct literal *literal)
{
    if (input->command.len + literal->len > INPUT_COMMAND_MAX) {
        if (!literal->is_plus) {
            return INPUT_TOO_LONG; /* not asked for: the client waits for our answer */
        }
        return input_skip(input, literal->len) ? drop_line(input, input->command.len) : INPUT_END;
    }
    if (!literal->is_plus) {
        wire_puts(input->wire, "+ go on\r\n");
    }
    str_cats(&input->command, "\r\n");
    for (uint64_t left = literal->len; left > 0;) {
        const char *bytes;
        size_t len;
        enum wire_result result = wire_peek(input->wire, &bytes, &len);
        if (result != WIRE_LINE) {
            return of_wire(result);
        }
        size_t part = len < left ? len : (size_t)left;
        str_cat(&input->command, bytes, part);
        wire_skip(input->wire, part);
        left -= part;
    }
    return INPUT_COMMAND;
}

enum input_result input_read_rest(struct input *input)
{
    for (unsigned literals = 0;; literals++) {
        size_t at;
        struct literal literal;
        enum input_result result = read_line(input, &at);
        if (result != INPUT_COMMAND) {
            return result;
        }
        int found = parse_line_literal(input->command.s + at, input->command.len - at, &literal);
        if (found <= 0) {
            return found < 0 ? INPUT_BAD_LITERAL : INPUT_COMMAND;
        }
        /* APPEND's name may be the first. To look through the command at each one would cost its length squared. */
        if (literals < 2 && parse_announces_message(input->command.s, input->command.len)) {
            input->message = literal;
            input->has_message = true;
            return INPUT_MESSAGE;
        }
        result = read_literal(input, &literal);
        if (result != INPUT_COMMAND) {
            return result;
        }
    }
}

enum input_result input_drop_message(struct input *input)
{
    if (!input->has_message || !input->message.is_plus) {
        input->has_message = false;
        return INPUT_COMMAND;
    }
    input->has_message = false;
    input->command.len = 0;
    if (!input_skip(input, input->message.len)) {
        return INPUT_END;
    }
    enum input_result result = input_read_rest(input);
    return result == INPUT_END || result == INPUT_TIMEOUT || result == INPUT_GONE ? result : INPUT_COMMAND;
}

enum input_result input_read(struct input *input)
{
    while (input->has_message) { /* what follows a message may announce another one */
        enum input_result result = input_drop_message(input);
        if (result != INPUT_COMMAND) {
            return result;
        }
    }
    input->command.len = 0;
    return input_read_rest(input);
}
