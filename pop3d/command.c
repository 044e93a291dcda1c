/* SPDX-License-Identifier: ISC */
/* Recognises a whole line before anything acts on it. Trusts no byte, repairs none. */
#include "pop3d/command.h"

#include <stdbool.h>
#include <string.h>

#include "lib/scan.h"
#include "lib/str.h"

enum shape { SHAPE_NONE, SHAPE_TEXT, SHAPE_SECRET, SHAPE_MAYBE_NUMBER, SHAPE_NUMBER, SHAPE_TWO_NUMBERS, SHAPE_ANY };

static const struct {
    const char *word;
    enum command_verb verb;
    enum shape shape;
    const char *form;
} verbs[] = {
    {"CAPA", COMMAND_CAPA, SHAPE_NONE, "CAPA"},
    {"USER", COMMAND_USER, SHAPE_TEXT, "USER name"},
    {"PASS", COMMAND_PASS, SHAPE_SECRET, "PASS password"},
    {"QUIT", COMMAND_QUIT, SHAPE_NONE, "QUIT"},
    {"NOOP", COMMAND_NOOP, SHAPE_NONE, "NOOP"},
    {"STAT", COMMAND_STAT, SHAPE_NONE, "STAT"},
    {"LIST", COMMAND_LIST, SHAPE_MAYBE_NUMBER, "LIST, or LIST message-number"},
    {"UIDL", COMMAND_UIDL, SHAPE_MAYBE_NUMBER, "UIDL, or UIDL message-number"},
    {"RETR", COMMAND_RETR, SHAPE_NUMBER, "RETR message-number"},
    {"TOP", COMMAND_TOP, SHAPE_TWO_NUMBERS, "TOP message-number lines"},
    {"DELE", COMMAND_DELE, SHAPE_NUMBER, "DELE message-number"},
    {"RSET", COMMAND_RSET, SHAPE_NONE, "RSET"},
    {"LAST", COMMAND_LAST, SHAPE_NONE, "LAST"},
    {"APOP", COMMAND_NOT_OFFERED, SHAPE_ANY, ""},
    {"AUTH", COMMAND_NOT_OFFERED, SHAPE_ANY, ""},
    {"STLS", COMMAND_NOT_OFFERED, SHAPE_ANY, ""},
    {"UTF8", COMMAND_NOT_OFFERED, SHAPE_ANY, ""},
    {"LANG", COMMAND_NOT_OFFERED, SHAPE_ANY, ""},
    {"XTND", COMMAND_NOT_OFFERED, SHAPE_ANY, ""},
    {"GET", COMMAND_HTTP, SHAPE_ANY, ""},
    {"POST", COMMAND_HTTP, SHAPE_ANY, ""},
    {"PUT", COMMAND_HTTP, SHAPE_ANY, ""},
    {"HEAD", COMMAND_HTTP, SHAPE_ANY, ""},
    {"CONNECT", COMMAND_HTTP, SHAPE_ANY, ""},
    {"OPTIONS", COMMAND_HTTP, SHAPE_ANY, ""},
};
enum { VERBS = sizeof verbs / sizeof verbs[0], NUMBERS = 2 };

static size_t without_blanks_behind(const char *bytes, size_t n)
{
    while (n > 0 && (bytes[n - 1] == ' ' || bytes[n - 1] == '\t')) {
        n--;
    }
    return n;
}

/* 0 to 2 numbers, each behind one blank. False: something else. */
static bool parse_numbers(const char *bytes, size_t n, struct command *out)
{
    size_t at = 0;
    while (at < n) {
        const char *blank = memchr(bytes + at, ' ', n - at);
        size_t end = blank != NULL ? (size_t)(blank - bytes) : n;
        if (out->n_numbers == NUMBERS || !scan_decimal(bytes + at, end - at, UINT64_MAX, &out->number[out->n_numbers])) {
            return false;
        }
        out->n_numbers++;
        at = end + 1;
    }
    return true;
}

/* `rest` is what stands behind the verb, its blank included. */
static bool parse_argument(enum shape shape, const char *rest, size_t n, struct command *out)
{
    if (shape == SHAPE_ANY) {
        return true;
    }
    n = shape == SHAPE_SECRET ? n : without_blanks_behind(rest, n);
    if (shape == SHAPE_TEXT || shape == SHAPE_SECRET) {
        out->text = rest + 1;
        out->text_len = n > 0 ? n - 1 : 0;
        return out->text_len > 0;
    }
    if (n > 0 && !parse_numbers(rest + 1, n - 1, out)) {
        return false;
    }
    unsigned wanted = shape == SHAPE_TWO_NUMBERS ? 2 : shape == SHAPE_NONE ? 0 : 1;
    return out->n_numbers == wanted || (shape == SHAPE_MAYBE_NUMBER && out->n_numbers == 0);
}

enum command_result command_parse(const char *line, size_t n, struct command *out)
{
    const char *blank = memchr(line, ' ', n);
    size_t word_len = blank != NULL ? (size_t)(blank - line) : without_blanks_behind(line, n);
    *out = (struct command){.word = line, .word_len = word_len};
    for (size_t i = 0; i < VERBS; i++) {
        if (str_equal_nocase(line, word_len, verbs[i].word, strlen(verbs[i].word))) {
            out->verb = verbs[i].verb;
            return parse_argument(verbs[i].shape, line + word_len, n - word_len, out) ? COMMAND_GOOD : COMMAND_MALFORMED;
        }
    }
    return COMMAND_UNKNOWN;
}

const char *command_form(enum command_verb verb)
{
    for (size_t i = 0; i < VERBS; i++) {
        if (verbs[i].verb == verb) {
            return verbs[i].form;
        }
    }
    return "";
}
