/* SPDX-License-Identifier: ISC */
/* Parameter lists. First all are read in order, then the pieces of RFC 2231 are sorted behind the plain ones and joined. Pieces
 * with a gap stay as they came. */
#include "mime_params.h"
#include "str.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_DIGITS_MAX = 5 };

static struct mime_slice slice(const struct mime_params *params, size_t at, size_t n)
{
    return (struct mime_slice){params->text.s + at, n};
}

struct mime_slice mime_param_name(const struct mime_params *params, size_t i)
{
    return slice(params, params->list[i].name, params->list[i].name_len);
}

struct mime_slice mime_param_value(const struct mime_params *params, size_t i)
{
    return slice(params, params->list[i].value, params->list[i].value_len);
}

bool mime_params_find(const struct mime_params *params, const char *name, struct mime_slice *out)
{
    for (size_t i = 0; i < params->n; i++) {
        struct mime_slice one = mime_param_name(params, i);
        if (str_equal_nocase(one.bytes, one.n, name, strlen(name))) {
            *out = mime_param_value(params, i);
            return true;
        }
    }
    return false;
}

static void keep(struct mime_params *params, const struct mime_param *param)
{
    if (params->n == params->room) {
        params->room = params->room == 0 ? 16 : params->room * 2;
        params->list = memory_grow(params->list, params->room, sizeof *params->list);
    }
    params->list[params->n++] = *param;
}

/* An encoded word where a value should be: name==?utf-8?b?...?= */
static enum lexed raw_value(struct lexer *lexer, stralloc *out)
{
    while (lexer->p != lexer->end && memchr("; \t\r\n", *lexer->p, 5) == NULL) {
        str_catc(out, *lexer->p++);
    }
    return LEXED_MORE;
}

static enum lexed read_value(struct lexer *lexer, stralloc *out)
{
    enum lexed result = lexer_skip_space(lexer);
    if (result != LEXED_MORE) {
        return result;
    }
    switch (*lexer->p) {
    case '"':
        return lexer_quoted(lexer, out);
    case '=':
        return raw_value(lexer, out);
    default:
        return lexer_token(lexer, out);
    }
}

/* name "=" value */
static enum lexed read_one(struct mime_params *params, struct lexer *lexer, struct mime_param *param)
{
    if (lexer_skip_space(lexer) != LEXED_MORE) {
        return LEXED_BAD;
    }
    *param = (struct mime_param){.name = params->text.len};
    if (lexer_token(lexer, &params->text) != LEXED_MORE || *lexer->p != '=' || params->text.len == param->name) {
        return LEXED_BAD;
    }
    lexer->p++;
    param->value = params->text.len;
    param->name_len = param->value - param->name;
    if (read_value(lexer, &params->text) == LEXED_BAD) {
        return LEXED_BAD;
    }
    param->value_len = params->text.len - param->value;
    return LEXED_MORE;
}

/* name "*" [digits] ["*"]: cuts the name and tells which piece it is. */
static void recognise_piece(const struct mime_params *params, struct mime_param *param)
{
    const char *name = params->text.s + param->name;
    const char *end = name + param->name_len;
    const char *star = memchr(name, '*', param->name_len);
    if (star == NULL) {
        return;
    }
    const char *p = star + 1;
    uint32_t piece = 0;
    while (p < end && p <= star + PIECE_DIGITS_MAX && *p >= '0' && *p <= '9') {
        piece = piece * 10 + (uint32_t)(*p++ - '0');
    }
    bool has_digits = p > star + 1;
    bool is_extended = !has_digits || (p < end && *p == '*');
    p += has_digits && is_extended;
    if (p == end) {
        param->name_len = (size_t)(star - name);
        param->piece = piece;
        param->is_piece = true;
        param->is_extended = is_extended;
    }
}

/* Plain ones first, by place; pieces by name, number, place. */
static int compare(const void *left, const void *right, void *text)
{
    const struct mime_param *a = left;
    const struct mime_param *b = right;
    const char *bytes = text;
    int order = (int)a->is_piece - (int)b->is_piece;
    if (order == 0 && a->is_piece) {
        size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
        order = memcmp(bytes + a->name, bytes + b->name, n);
        if (order == 0) {
            order = (a->name_len > b->name_len) - (a->name_len < b->name_len);
        }
        if (order == 0) {
            order = (a->piece > b->piece) - (a->piece < b->piece);
        }
    }
    return order != 0 ? order : (a->name > b->name) - (a->name < b->name);
}

static void append_escaped(struct mime_params *params, struct mime_param piece)
{
    for (size_t i = 0; i < piece.value_len; i++) {
        char c = params->text.s[piece.value + i];
        if (c == '%') {
            str_cats(&params->text, "%25");
        } else {
            str_catc(&params->text, c);
        }
    }
}

static struct mime_param join(struct mime_params *params, size_t from, size_t to, bool is_extended)
{
    stralloc *text = &params->text;
    struct mime_param out = {.name = text->len};
    str_repeat(text, params->list[from].name, params->list[from].name_len);
    if (is_extended) {
        str_catc(text, '*');
    }
    out.value = text->len;
    out.name_len = out.value - out.name;
    if (is_extended && !params->list[from].is_extended) {
        str_cats(text, "''");
    }
    for (size_t i = from; i < to; i++) {
        if (is_extended && !params->list[i].is_extended) {
            append_escaped(params, params->list[i]);
        } else {
            str_repeat(text, params->list[i].value, params->list[i].value_len);
        }
    }
    out.value_len = text->len - out.value;
    return out;
}

/* A piece that cannot be joined gets its number back. */
static void restore_name(struct mime_params *params, struct mime_param *piece)
{
    stralloc *text = &params->text;
    size_t at = text->len;
    str_repeat(text, piece->name, piece->name_len);
    str_catc(text, '*');
    str_catn(text, piece->piece);
    if (piece->is_extended) {
        str_catc(text, '*');
    }
    piece->name = at;
    piece->name_len = text->len - at;
}

/* Joins the pieces of one name, list[from..to), into list[*n]…: one, or all of them where a number is missing. */
static void join_group(struct mime_params *params, size_t from, size_t to, size_t *n)
{
    bool is_whole = true;
    bool is_extended = false;
    for (size_t i = from; i < to; i++) {
        is_whole = is_whole && params->list[i].piece == i - from;
        is_extended = is_extended || params->list[i].is_extended;
    }
    if (is_whole) {
        params->list[(*n)++] = join(params, from, to, is_extended);
        return;
    }
    for (size_t i = from; i < to; i++) {
        restore_name(params, &params->list[i]);
        params->list[(*n)++] = params->list[i];
    }
}

static void join_pieces(struct mime_params *params)
{
    size_t n = 0;
    for (size_t i = 0; i < params->n; i++) {
        n += !params->list[i].is_piece;
    }
    if (n == params->n) {
        return;
    }
    qsort_r(params->list, params->n, sizeof *params->list, compare, params->text.s);
    for (size_t from = n; from < params->n;) {
        struct mime_slice name = mime_param_name(params, from);
        size_t to = from + 1;
        while (to < params->n &&
               str_equal_nocase(name.bytes, name.n, params->text.s + params->list[to].name, params->list[to].name_len)) {
            to++;
        }
        join_group(params, from, to, &n);
        from = to;
    }
    params->n = n;
}

void mime_params_read(struct mime_params *params, struct lexer *lexer)
{
    params->text.len = 0;
    params->n = 0;
    bool is_at_param = true; /* at the start, and behind each `;` */
    while (lexer->p != lexer->end && params->n < MIME_PARAMS_MAX) {
        struct mime_param param;
        if (!is_at_param) {
            is_at_param = *lexer->p++ == ';';
        } else {
            is_at_param = false;
            if (read_one(params, lexer, &param) != LEXED_BAD) {
                recognise_piece(params, &param);
                keep(params, &param);
            }
        }
    }
    join_pieces(params);
}
