/* SPDX-License-Identifier: ISC */
/* Content-Type: two tokens and a slash, in the tokenizer's words. */
#include "mime_type.h"
#include "str.h"

#include <string.h>

static struct mime_slice constant(const char *text)
{
    return (struct mime_slice){text, strlen(text)};
}

bool mime_type_is(const struct mime_type *type, const char *main_type, const char *subtype)
{
    return (main_type == NULL || str_equal_nocase(type->type.bytes, type->type.n, main_type, strlen(main_type))) &&
           (subtype == NULL || str_equal_nocase(type->subtype.bytes, type->subtype.n, subtype, strlen(subtype)));
}

/* No subtype was found behind the type in `text`. */
static void fall_back(struct mime_type *type, size_t type_len)
{
    type->type = (struct mime_slice){type->text.s, type_len};
    bool is_text = type_len == 0 || mime_type_is(type, "text", NULL) || mime_type_is(type, "multipart", NULL) ||
                   mime_type_is(type, "message", NULL);
    type->type = constant(is_text ? "text" : "application");
    type->subtype = constant(is_text ? "plain" : "octet-stream");
    type->is_broken = true;
}

static bool read_subtype(struct lexer *lexer, stralloc *text)
{
    if (*lexer->p != '/') {
        return false;
    }
    lexer->p++;
    size_t at = text->len;
    if (lexer_skip_space(lexer) != LEXED_MORE) {
        return false;
    }
    (void)lexer_token(lexer, text); /* a broken comment behind it spoils nothing */
    return text->len > at;
}

void mime_type_read(struct mime_type *type, struct mime_slice value)
{
    type->text.len = 0;
    type->is_broken = false;
    value = mime_unfolded(value, &type->value);
    struct lexer *lexer = &type->lexer;
    lexer_start(lexer, value.bytes, value.n, NULL);
    size_t type_len = 0;
    bool is_whole = false;
    if (lexer_skip_space(lexer) == LEXED_MORE) {
        enum lexed result = lexer_token(lexer, &type->text);
        type_len = type->text.len;
        is_whole = result == LEXED_MORE && type_len > 0 && read_subtype(lexer, &type->text);
    }
    if (!is_whole) {
        fall_back(type, type_len);
        return;
    }
    type->type = (struct mime_slice){type->text.s, type_len};
    type->subtype = (struct mime_slice){type->text.s + type_len, type->text.len - type_len};
}

void mime_type_read_params(struct mime_type *type)
{
    mime_params_read(&type->params, &type->lexer);
}
