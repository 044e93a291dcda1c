/* SPDX-License-Identifier: ISC */
/* Words, quoted strings, comments and domains. Whom it trusts: nobody; a byte that fits nowhere ends the word and is the
 * caller's. */
#include "header_lexer.h"
#include "str.h"

#include <stdbool.h>

enum { ATEXT = 1, TSPECIAL = 2 /* atext that no MIME token has */ };

static const unsigned char class_of[256] = {['!'] = ATEXT,
                                            ['#'] = ATEXT,
                                            ['$'] = ATEXT,
                                            ['%'] = ATEXT,
                                            ['&'] = ATEXT,
                                            ['\''] = ATEXT,
                                            ['*'] = ATEXT,
                                            ['+'] = ATEXT,
                                            ['-'] = ATEXT,
                                            ['/'] = ATEXT | TSPECIAL,
                                            ['='] = ATEXT | TSPECIAL,
                                            ['?'] = ATEXT | TSPECIAL,
                                            ['^'] = ATEXT,
                                            ['_'] = ATEXT,
                                            ['`'] = ATEXT,
                                            ['{'] = ATEXT,
                                            ['|'] = ATEXT,
                                            ['}'] = ATEXT,
                                            ['~'] = ATEXT,
                                            ['0' ... '9'] = ATEXT,
                                            ['A' ... 'Z'] = ATEXT,
                                            ['a' ... 'z'] = ATEXT,
                                            [0x80 ... 0xff] = ATEXT};

static bool is_atext(char c)
{
    return class_of[(unsigned char)c] != 0;
}

static bool is_token(char c)
{
    return class_of[(unsigned char)c] == ATEXT || c == '.';
}

void lexer_start(struct lexer *lexer, const char *bytes, size_t n, stralloc *comment)
{
    *lexer = (struct lexer){.p = bytes, .end = bytes + n, .comment = comment};
}

static enum lexed more(const struct lexer *lexer)
{
    return lexer->p != lexer->end ? LEXED_MORE : LEXED_END;
}

static void add(stralloc *out, const char *from, const char *to)
{
    str_cat(out, from, (size_t)(to - from));
}

static void add_comment(const struct lexer *lexer, const char *from)
{
    if (lexer->comment != NULL) {
        add(lexer->comment, from, lexer->p);
    }
}

/* At a `(`. Nested parentheses stay in the text. */
static enum lexed skip_comment(struct lexer *lexer)
{
    unsigned level = 1;
    if (lexer->comment != NULL) {
        lexer->comment->len = 0;
    }
    const char *start = ++lexer->p;
    for (; lexer->p != lexer->end; lexer->p++) {
        if (*lexer->p == '(') {
            level++;
        } else if (*lexer->p == ')' && --level == 0) {
            add_comment(lexer, start);
            lexer->p++;
            return more(lexer);
        } else if (*lexer->p == '\\') {
            add_comment(lexer, start);
            start = ++lexer->p;
            if (lexer->p == lexer->end) {
                break;
            }
        }
    }
    if (lexer->comment != NULL) {
        lexer->comment->len = 0;
    }
    return LEXED_BAD;
}

enum lexed lexer_skip_space(struct lexer *lexer)
{
    while (lexer->p != lexer->end) {
        char c = *lexer->p;
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            lexer->p++;
        } else if (c != '(') {
            break;
        } else if (skip_comment(lexer) == LEXED_BAD) {
            return LEXED_BAD;
        }
    }
    return more(lexer);
}

enum lexed lexer_atom(struct lexer *lexer, stralloc *out)
{
    const char *start = lexer->p;
    while (lexer->p != lexer->end && is_atext(*lexer->p)) {
        lexer->p++;
    }
    if (lexer->p == start) {
        return LEXED_BAD;
    }
    add(out, start, lexer->p);
    return lexer_skip_space(lexer);
}

enum lexed lexer_dot_atom(struct lexer *lexer, stralloc *out)
{
    if (lexer->p == lexer->end || !is_atext(*lexer->p)) {
        return LEXED_BAD;
    }
    for (;;) {
        const char *start = lexer->p;
        while (lexer->p != lexer->end && is_atext(*lexer->p)) {
            lexer->p++;
        }
        add(out, start, lexer->p);
        enum lexed result = lexer_skip_space(lexer);
        if (result != LEXED_MORE || *lexer->p != '.') {
            return result;
        }
        lexer->p++;
        str_catc(out, '.');
        result = lexer_skip_space(lexer);
        if (result != LEXED_MORE) {
            return result;
        }
    }
}

enum lexed lexer_token(struct lexer *lexer, stralloc *out)
{
    const char *start = lexer->p;
    while (lexer->p != lexer->end && is_token(*lexer->p)) {
        lexer->p++;
    }
    add(out, start, lexer->p);
    return lexer_skip_space(lexer);
}

enum lexed lexer_quoted(struct lexer *lexer, stralloc *out)
{
    const char *start = ++lexer->p;
    for (; lexer->p != lexer->end; lexer->p++) {
        if (*lexer->p == '"') {
            add(out, start, lexer->p);
            lexer->p++;
            return lexer_skip_space(lexer);
        }
        if (*lexer->p == '\\') {
            add(out, start, lexer->p);
            start = ++lexer->p;
            if (lexer->p == lexer->end) {
                break;
            }
        }
    }
    return LEXED_BAD;
}

/* atext and dots, as they stand; may be empty. */
static enum lexed atom_or_dots(struct lexer *lexer, stralloc *out)
{
    const char *start = lexer->p;
    while (lexer->p != lexer->end && (is_atext(*lexer->p) || *lexer->p == '.')) {
        lexer->p++;
    }
    add(out, start, lexer->p);
    return lexer_skip_space(lexer);
}

enum lexed lexer_phrase(struct lexer *lexer, stralloc *out)
{
    if (lexer->p == lexer->end) {
        return LEXED_END;
    }
    if (*lexer->p == '.') {
        return LEXED_BAD;
    }
    for (;;) {
        enum lexed result = *lexer->p == '"' ? lexer_quoted(lexer, out) : atom_or_dots(lexer, out);
        if (result != LEXED_MORE) {
            return result;
        }
        if (!is_atext(*lexer->p) && *lexer->p != '"' && *lexer->p != '.') {
            return LEXED_MORE;
        }
        str_catc(out, ' ');
    }
}

static enum lexed domain_literal(struct lexer *lexer, stralloc *out)
{
    const char *start = lexer->p;
    for (; lexer->p != lexer->end; lexer->p++) {
        if (*lexer->p == ']') {
            lexer->p++;
            add(out, start, lexer->p);
            return lexer_skip_space(lexer);
        }
        if (*lexer->p == '\\' && ++lexer->p == lexer->end) {
            break;
        }
    }
    return LEXED_BAD;
}

enum lexed lexer_domain(struct lexer *lexer, stralloc *out)
{
    lexer->p++;
    if (lexer_skip_space(lexer) != LEXED_MORE) {
        return LEXED_BAD;
    }
    return *lexer->p == '[' ? domain_literal(lexer, out) : lexer_dot_atom(lexer, out);
}
