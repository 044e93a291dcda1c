/* SPDX-License-Identifier: ISC */
/* One token at a time. What a backslash stands before is taken as it is, but no NUL, CR or LF hides behind one. */
#include <string.h>

#include "queue/addrlist_token.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && !is_blank(c)) || c == 0x7f;
}

bool addrlist_is_atext(char c)
{
    bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return is_alnum || (unsigned char)c >= 0x80 || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Behind the `open` at *at - 1, up to and with its `close`; comments nest. False: it does not end, or holds a control byte. */
static bool skip_enclosed(const char *bytes, size_t n, size_t *at, char open, char close)
{
    size_t depth = 1;
    for (size_t i = *at; i < n; i++) {
        if (is_control(bytes[i])) {
            return false;
        }
        if (bytes[i] == '\\' && i + 1 < n && !is_control(bytes[i + 1])) {
            i++;
        } else if (bytes[i] == close) {
            depth--;
        } else if (bytes[i] == open) {
            depth++;
        }
        if (depth == 0) {
            *at = i + 1;
            return true;
        }
    }
    return false;
}

static enum addrlist_fault take_enclosed(const char *bytes, size_t n, size_t *at, struct addrlist_token *token)
{
    bool is_quoted = token->kind == TOKEN_QUOTED;
    bool is_good = skip_enclosed(bytes, n, at, is_quoted ? '\0' : '[', is_quoted ? '"' : ']');
    token->end = *at;
    return is_good ? ADDRLIST_GOOD : is_quoted ? ADDRLIST_QUOTE : ADDRLIST_LITERAL;
}

/* Blanks, line ends, comments. */
static bool skip_white(const char *bytes, size_t n, size_t *at)
{
    while (*at < n && (is_blank(bytes[*at]) || bytes[*at] == '(')) {
        size_t next = *at + 1;
        if (bytes[*at] == '(' && !skip_enclosed(bytes, n, &next, '(', ')')) {
            return false;
        }
        *at = next;
    }
    return true;
}

enum addrlist_fault addrlist_token_next(const char *bytes, size_t n, size_t *at, struct addrlist_token *token)
{
    bool is_good = skip_white(bytes, n, at);
    *token = (struct addrlist_token){.kind = TOKEN_END, .begin = *at, .end = *at};
    if (!is_good) {
        return ADDRLIST_COMMENT;
    }
    if (*at == n) {
        return ADDRLIST_GOOD;
    }
    char c = bytes[(*at)++];
    token->kind = c;
    token->end = *at;
    if (c == TOKEN_QUOTED || c == TOKEN_LITERAL) {
        return take_enclosed(bytes, n, at, token);
    }
    if (c != '\0' && strchr("<>@,;:.", c) != NULL) {
        return ADDRLIST_GOOD;
    }
    if (!addrlist_is_atext(c)) {
        return ADDRLIST_BYTE;
    }
    while (*at < n && addrlist_is_atext(bytes[*at])) {
        (*at)++;
    }
    token->kind = TOKEN_ATOM;
    token->end = *at;
    return ADDRLIST_GOOD;
}
