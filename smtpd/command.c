/* SPDX-License-Identifier: ISC */
/* Splits command lines. Trusts nothing, repairs nothing: what is passed over (blanks, source routes) stands in DEVIATIONS. */
#include "smtpd/command.h"

#include <string.h>

#include "lib/scan.h"
#include "lib/str.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool slice_is(struct slice slice, const char *word)
{
    return str_equal_nocase(slice.bytes, slice.len, word, strlen(word));
}

static struct slice from(struct slice slice, size_t at)
{
    return (struct slice){slice.bytes + at, slice.len - at};
}

static struct slice skip_blanks(struct slice slice)
{
    size_t n = 0;
    while (n < slice.len && is_blank(slice.bytes[n])) {
        n++;
    }
    return from(slice, n);
}

/* Bytes before the first blank. */
static size_t word_length(struct slice slice)
{
    size_t n = 0;
    while (n < slice.len && !is_blank(slice.bytes[n])) {
        n++;
    }
    return n;
}

void command_split(const char *line, size_t n, struct command_line *out)
{
    while (n > 0 && is_blank(line[n - 1])) {
        n--;
    }
    struct slice all = {line, n};
    size_t verb = word_length(all);
    out->verb = (struct slice){line, verb};
    out->argument = skip_blanks(from(all, verb));
}

/* Position of the > that closes the path (a quoted string may hold others); len when there is none. */
static size_t path_end(struct slice path)
{
    bool is_quoted = false;
    for (size_t i = 0; i < path.len; i++) {
        char c = path.bytes[i];
        if (c == '\\' && is_quoted) {
            i++;
        } else if (c == '"') {
            is_quoted = !is_quoted;
        } else if (c == '>' && !is_quoted) {
            return i;
        }
    }
    return path.len;
}

/* `@a,@b:user@domain` is user@domain (RFC 5321 appendix C); the colons of an address literal are none. */
static struct slice without_route(struct slice path)
{
    bool is_literal = false;
    if (path.len == 0 || path.bytes[0] != '@') {
        return path;
    }
    for (size_t i = 0; i < path.len; i++) {
        char c = path.bytes[i];
        is_literal = c == '[' || (is_literal && c != ']');
        if (c == ':' && !is_literal) {
            return from(path, i + 1);
        }
    }
    return path;
}

enum path_result command_parse_path(struct slice argument, const char *keyword, struct path *out)
{
    size_t n = strlen(keyword);
    if (argument.len < n || !slice_is((struct slice){argument.bytes, n}, keyword)) {
        return PATH_SYNTAX;
    }
    struct slice rest = skip_blanks(from(argument, n));
    if (rest.len == 0) {
        return PATH_SYNTAX;
    }
    if (rest.bytes[0] != '<') {
        size_t length = word_length(rest);
        out->address = (struct slice){rest.bytes, length};
        out->parameters = skip_blanks(from(rest, length));
        return PATH_NO_BRACKETS;
    }
    struct slice path = from(rest, 1);
    size_t end = path_end(path);
    if (end == path.len || (end + 1 < path.len && !is_blank(path.bytes[end + 1]))) {
        return PATH_SYNTAX;
    }
    out->parameters = skip_blanks(from(path, end + 1));
    path.len = end;
    out->address = without_route(path);
    return PATH_GOOD;
}

static bool is_keyword(struct slice key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (!is_alnum(key.bytes[i]) && (i == 0 || key.bytes[i] != '-')) {
            return false;
        }
    }
    return key.len > 0;
}

/* esmtp-value: printable, no blank, no second '='. */
static bool is_value(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.bytes[i];
        if (c < 0x21 || c > 0x7e || c == '=') {
            return false;
        }
    }
    return value.len > 0;
}

int command_next_parameter(struct slice *rest, struct parameter *out)
{
    struct slice all = skip_blanks(*rest);
    size_t n = word_length(all);
    if (n == 0) {
        return 0;
    }
    const char *equals = memchr(all.bytes, '=', n);
    struct parameter found = {.key = {all.bytes, equals ? (size_t)(equals - all.bytes) : n}, .has_value = equals != NULL};
    if (equals) {
        found.value = (struct slice){equals + 1, n - found.key.len - 1};
    }
    if (!is_keyword(found.key) || (equals && !is_value(found.value))) {
        return -1;
    }
    *out = found;
    *rest = skip_blanks(from(all, n));
    return 1;
}

bool command_parse_bdat(struct slice argument, uint64_t *length_out, bool *is_last_out)
{
    size_t n = word_length(argument);
    struct slice flag = skip_blanks(from(argument, n));
    uint64_t length;
    if (!scan_decimal(argument.bytes, n, UINT64_MAX, &length) || (flag.len > 0 && !slice_is(flag, "LAST"))) {
        return false;
    }
    *length_out = length;
    *is_last_out = flag.len > 0;
    return true;
}
