/* SPDX-License-Identifier: ISC */
/* Words of commands. One class table; nothing is copied but a quoted string onto itself. */
#include "imapd/parse.h"

#include <string.h>

#include "lib/scan.h"
#include "lib/str.h"

enum { ATOM = 1, ASTRING = 2, LIST = 4 };

/* atom-specials: ( ) { SP CTL % * " \ ] */
static unsigned class_of(char c)
{
    unsigned char u = (unsigned char)c;
    if (u <= 0x20 || u >= 0x7f || strchr("(){\"\\", c) != NULL) {
        return 0;
    }
    if (c == '%' || c == '*') {
        return LIST;
    }
    if (c == ']') {
        return ASTRING | LIST;
    }
    return ATOM | ASTRING | LIST;
}

bool slice_is(struct slice slice, const char *word)
{
    return str_equal_nocase(slice.bytes, slice.len, word, strlen(word));
}

bool parse_end(const struct parser *parser)
{
    return parser->at == parser->end;
}

bool parse_char(struct parser *parser, char c)
{
    if (parser->at == parser->end || *parser->at != c) {
        return false;
    }
    parser->at++;
    return true;
}

bool parse_space(struct parser *parser)
{
    return parse_char(parser, ' ');
}

static bool parse_class(struct parser *parser, unsigned class, struct slice *out)
{
    char *at = parser->at;
    while (at < parser->end && class_of(*at) & class) {
        at++;
    }
    if (at == parser->at) {
        return false;
    }
    *out = (struct slice){parser->at, (size_t)(at - parser->at)};
    parser->at = at;
    return true;
}

bool parse_word(struct parser *parser, const char *word)
{
    struct parser before = *parser;
    struct slice atom;
    if (parse_class(parser, ATOM, &atom) && slice_is(atom, word)) {
        return true;
    }
    *parser = before;
    return false;
}

bool parse_tag(struct parser *parser, struct slice *out)
{
    struct parser before = *parser;
    struct slice tag;
    if (!parse_class(parser, ASTRING, &tag) || memchr(tag.bytes, '+', tag.len) != NULL) {
        *parser = before;
        return false;
    }
    *out = tag;
    return true;
}

bool parse_reply_tag(struct parser *parser, stralloc *out)
{
    enum { REPLY_TAG_MAX = 256 };
    struct slice tag;
    bool is_there = parse_tag(parser, &tag) && tag.len <= REPLY_TAG_MAX;
    str_copy(out, is_there ? tag.bytes : "*", is_there ? tag.len : 1);
    return is_there;
}

bool parse_atom(struct parser *parser, struct slice *out)
{
    return parse_class(parser, ATOM, out);
}

static bool parse_quoted(struct parser *parser, struct slice *out)
{
    char *at = parser->at + 1;
    char *to = at;
    char *start = at;
    /* Looked at whole before it is changed. */
    for (; at < parser->end && *at != '"'; at++) {
        if (*at == '\0' || *at == '\r' || *at == '\n') {
            return false;
        }
        if (*at == '\\' && (++at == parser->end || (*at != '"' && *at != '\\'))) {
            return false;
        }
    }
    if (at == parser->end) {
        return false;
    }
    char *close = at;
    for (at = start; at < close; at++) {
        at += *at == '\\';
        *to++ = *at;
    }
    *out = (struct slice){start, (size_t)(to - start)};
    parser->at = close + 1;
    return true;
}

static bool parse_literal(struct parser *parser, struct slice *out)
{
    struct literal literal;
    char *lf = memchr(parser->at, '\n', (size_t)(parser->end - parser->at));
    if (lf == NULL || lf == parser->at) {
        return false;
    }
    size_t line = (size_t)(lf - parser->at) - (lf[-1] == '\r');
    if (parse_line_literal(parser->at, line, &literal) != 1 || literal.is_binary ||
        (parser->at[0] != '{' || literal.len > (uint64_t)(parser->end - lf - 1))) {
        return false;
    }
    /* The announcement must be all of the line from here. */
    if (memchr(parser->at + 1, '{', line - 1) != NULL || memchr(lf + 1, '\0', (size_t)literal.len) != NULL) {
        return false;
    }
    *out = (struct slice){lf + 1, (size_t)literal.len};
    parser->at = lf + 1 + literal.len;
    return true;
}

bool parse_string(struct parser *parser, struct slice *out)
{
    if (parser->at == parser->end) {
        return false;
    }
    return *parser->at == '"' ? parse_quoted(parser, out) : *parser->at == '{' && parse_literal(parser, out);
}

bool parse_astring(struct parser *parser, struct slice *out)
{
    return parse_class(parser, ASTRING, out) || parse_string(parser, out);
}

bool parse_nstring(struct parser *parser, struct slice *out)
{
    if (parse_word(parser, "NIL")) {
        *out = (struct slice){NULL, 0};
        return true;
    }
    return parse_string(parser, out);
}

bool parse_list_mailbox(struct parser *parser, struct slice *out)
{
    return parse_class(parser, LIST, out) || parse_string(parser, out);
}

static size_t count_digits(const struct parser *parser)
{
    const char *at = parser->at;
    while (at < parser->end && *at >= '0' && *at <= '9') {
        at++;
    }
    return (size_t)(at - parser->at);
}

bool parse_number64(struct parser *parser, uint64_t *out)
{
    size_t n = count_digits(parser);
    if (n == 0 || !scan_decimal(parser->at, n, INT64_MAX, out)) {
        return false;
    }
    parser->at += n;
    return true;
}

bool parse_number(struct parser *parser, uint32_t *out)
{
    struct parser before = *parser;
    uint64_t number;
    if (!parse_number64(parser, &number) || number > UINT32_MAX) {
        *parser = before;
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

bool parse_nonzero(struct parser *parser, uint32_t *out)
{
    return parser->at < parser->end && *parser->at != '0' && parse_number(parser, out);
}

bool parse_flag(struct parser *parser, struct slice *out)
{
    struct parser before = *parser;
    struct slice atom;
    bool is_system = parse_char(parser, '\\');
    if (!parse_class(parser, ATOM, &atom)) {
        *parser = before;
        return false;
    }
    *out = is_system ? (struct slice){atom.bytes - 1, atom.len + 1} : atom;
    return true;
}

int parse_line_literal(const char *line, size_t n, struct literal *out)
{
    if (n < 3 || line[n - 1] != '}') {
        return 0;
    }
    size_t at = n - 1;
    bool is_plus = line[at - 1] == '+';
    size_t end = at - is_plus;
    for (at = end; at > 0 && line[at - 1] >= '0' && line[at - 1] <= '9'; at--) {
    }
    if (at == 0 || line[at - 1] != '{') {
        return 0;
    }
    uint64_t len;
    if (at == end || !scan_decimal(line + at, end - at, UINT32_MAX, &len)) {
        return -1;
    }
    *out = (struct literal){.len = len, .is_plus = is_plus, .is_binary = at > 1 && line[at - 2] == '~'};
    return 1;
}

bool parse_announces_message(const char *command, size_t n)
{
    /* Only looked at: astring's unescaping in place would change a quoted name, so quotes are passed by hand. */
    struct parser parser = {(char *)(uintptr_t)command, (char *)(uintptr_t)command + n};
    struct slice slice;
    if (!parse_tag(&parser, &slice) || !parse_space(&parser) || !parse_word(&parser, "APPEND") || !parse_space(&parser)) {
        return false;
    }
    if (parser.at < parser.end && *parser.at == '"') {
        for (parser.at++; parser.at < parser.end && *parser.at != '"'; parser.at++) {
            parser.at += *parser.at == '\\' && parser.at + 1 < parser.end;
        }
        return parser.at < parser.end && parser.at + 1 < parser.end && parser.at[1] == ' ';
    }
    return parse_astring(&parser, &slice) && parse_space(&parser);
}

bool parse_id(struct parser *parser)
{
    enum { ID_FIELDS_MAX = 30 };
    struct slice key;
    struct slice value;
    if (!parse_space(parser)) {
        return false;
    }
    if (parse_word(parser, "NIL")) {
        return parse_end(parser);
    }
    if (!parse_char(parser, '(')) {
        return false;
    }
    for (unsigned n = 0; !parse_char(parser, ')'); n++) {
        bool is_pair =
            (n == 0 || parse_space(parser)) && parse_string(parser, &key) && parse_space(parser) && parse_nstring(parser, &value);
        if (!is_pair || n == ID_FIELDS_MAX) {
            return false;
        }
    }
    return parse_end(parser);
}
