/* SPDX-License-Identifier: ISC */
/* BODY and BODYSTRUCTURE. The tree of parts is walked by its links, without recursion: open a part, its children, close it. */
#include "mime_text.h"
#include "str.h"

#include <string.h>

#define DEFAULT_CHARSET "\"charset\" \"us-ascii\""

struct writer {
    stralloc *out, *plain; /* BODYSTRUCTURE; BODY or NULL: what both say is written to out, then repeated */
    struct mime_text *text;
    const struct mime *mime;
    uint32_t fields_of; /* the part that `fields` is about */
    const struct mime_fields *fields;
};

/* What was written since `from` stands in BODY too. */
static void repeat_in_body(struct writer *writer, size_t from)
{
    if (writer->plain != NULL) {
        str_cat(writer->plain, writer->out->s + from, writer->out->len - from);
    }
}

static void close_both(struct writer *writer)
{
    size_t from = writer->out->len;
    str_catc(writer->out, ')');
    repeat_in_body(writer, from);
}

static const struct mime_fields *fields_of(struct writer *writer, uint32_t i)
{
    if (writer->fields_of != i) {
        writer->fields = mime_part_fields(writer->mime, i, &writer->text->fields);
        writer->fields_of = i;
    }
    return writer->fields;
}

static void append_string_or_nil(struct writer *writer, struct mime_slice value)
{
    str_catc(writer->out, ' ');
    if (value.bytes == NULL) {
        str_cats(writer->out, "NIL");
        return;
    }
    struct mime_slice line = mime_unfolded(value, &writer->text->value);
    mime_string_append(writer->out, line.bytes, line.n);
}

/* " (name value …)" or " NIL"; is_text: a charset is added where there is none. */
static void append_params(stralloc *out, const struct mime_params *params, bool is_text)
{
    struct mime_slice charset;
    bool is_charset_added = is_text && !mime_params_find(params, "charset", &charset);
    if (params->n == 0 && !is_charset_added) {
        str_cats(out, " NIL");
        return;
    }
    char before = '(';
    str_catc(out, ' ');
    for (size_t i = 0; i < params->n; i++) {
        struct mime_slice name = mime_param_name(params, i);
        struct mime_slice value = mime_param_value(params, i);
        str_catc(out, before);
        mime_string_append(out, name.bytes, name.n);
        str_catc(out, ' ');
        mime_string_append(out, value.bytes, value.n);
        before = ' ';
    }
    if (is_charset_added) {
        str_catc(out, before);
        str_cats(out, DEFAULT_CHARSET);
    }
    str_catc(out, ')');
}

static void append_token(stralloc *out, struct mime_slice token)
{
    mime_string_append(out, token.bytes, token.n);
}

/* A token, with nothing but perhaps a `;` behind it; else 7bit, as where there is none. */
static void append_encoding(struct writer *writer, struct mime_slice value)
{
    struct lexer lexer;
    stralloc *word = &writer->text->words;
    word->len = 0;
    if (value.bytes != NULL) {
        struct mime_slice line = mime_unfolded(value, &writer->text->value);
        lexer_start(&lexer, line.bytes, line.n, NULL);
        if (lexer_skip_space(&lexer) == LEXED_MORE && lexer_token(&lexer, word) != LEXED_END && *lexer.p != ';') {
            word->len = 0;
        }
    }
    str_catc(writer->out, ' ');
    if (word->len == 0) {
        str_cats(writer->out, "\"7bit\"");
    } else {
        mime_string_append(writer->out, word->s, word->len);
    }
}

/* Reads a disposition: its type into words, its parameters into params. */
static void read_disposition(struct mime_text *text, struct mime_slice value)
{
    struct lexer lexer;
    struct mime_slice line = mime_unfolded(value, &text->value);
    text->words.len = 0;
    lexer_start(&lexer, line.bytes, line.n, NULL);
    if (lexer_skip_space(&lexer) == LEXED_MORE) {
        (void)lexer_token(&lexer, &text->words);
    }
    mime_params_read(&text->params, &lexer);
}

/* Where the field is there twice, the first one with parameters is read, as other servers do. */
static void read_dispositions(struct writer *writer, uint32_t i)
{
    const struct mime_part *part = &writer->mime->parts[i];
    const char *at = writer->mime->headers.s + part->kept;
    const char *end = at + part->kept_len;
    struct mime_field field;
    writer->text->params.n = 0;
    while (writer->text->params.n == 0 && mime_field_next(&at, end, &field)) {
        if (field.value != NULL && mime_name_of(field.start, field.name_len) == MIME_CONTENT_DISPOSITION) {
            read_disposition(writer->text, (struct mime_slice){field.value, field.value_len});
        }
    }
}

/* (type params), RFC 2183; what cannot be read is an attachment. */
static void append_disposition(struct writer *writer, uint32_t i)
{
    const struct mime_fields *fields = fields_of(writer, i);
    struct mime_text *text = writer->text;
    if (fields->count[MIME_CONTENT_DISPOSITION] == 0) {
        str_cats(writer->out, " NIL");
        return;
    }
    if (fields->count[MIME_CONTENT_DISPOSITION] == 1) {
        read_disposition(text, fields->first[MIME_CONTENT_DISPOSITION]);
    } else {
        read_dispositions(writer, i);
    }
    if (text->words.len == 0) {
        str_cats(&text->words, "attachment");
    }
    str_cats(writer->out, " (");
    mime_string_append(writer->out, text->words.s, text->words.len);
    append_params(writer->out, &text->params, false);
    str_catc(writer->out, ')');
}

/* ("en" "de"), RFC 3282 */
static void append_language(struct writer *writer, struct mime_slice value)
{
    struct lexer lexer;
    stralloc *word = &writer->text->words;
    size_t start = writer->out->len;
    char before = '(';
    struct mime_slice line = value.bytes != NULL ? mime_unfolded(value, &writer->text->value) : (struct mime_slice){"", 0};
    lexer_start(&lexer, line.bytes, line.n, NULL);
    (void)lexer_skip_space(&lexer);
    str_catc(writer->out, ' ');
    for (;;) {
        word->len = 0;
        if (lexer_atom(&lexer, word) == LEXED_BAD && word->len == 0) {
            break;
        }
        str_catc(writer->out, before);
        mime_string_append(writer->out, word->s, word->len);
        before = ' ';
        if (lexer.p == lexer.end || *lexer.p != ',') {
            break;
        }
        lexer.p++;
        (void)lexer_skip_space(&lexer);
    }
    if (before == '(') {
        writer->out->len = start;
        str_cats(writer->out, " NIL");
    } else {
        str_catc(writer->out, ')');
    }
}

/* Disposition, language and location: the end of every part's extension data. */
static void append_extension(struct writer *writer, uint32_t i)
{
    const struct mime_fields *fields = fields_of(writer, i);
    append_disposition(writer, i);
    append_language(writer, fields->first[MIME_CONTENT_LANGUAGE]);
    append_string_or_nil(writer, fields->first[MIME_CONTENT_LOCATION]);
}

/* Reads the Content-Type of a part into text->type; text/plain where there is none. */
static const struct mime_type *type_of(struct writer *writer, uint32_t i)
{
    struct mime_slice value = fields_of(writer, i)->first[MIME_CONTENT_TYPE];
    struct mime_type *type = &writer->text->type;
    if (value.bytes == NULL) {
        value = (struct mime_slice){"text/plain", 10};
    }
    mime_type_read(type, value);
    mime_type_read_params(type);
    return type;
}

static bool is_text(const struct mime_part *part, const struct mime_type *type)
{
    return part->kind == MIME_LEAF && !part->is_overflow && mime_type_is(type, "text", NULL);
}

static void append_type(struct writer *writer, uint32_t i)
{
    const struct mime_part *part = &writer->mime->parts[i];
    const struct mime_type *type = type_of(writer, i);
    stralloc *out = writer->out;
    if (part->kind == MIME_MESSAGE) {
        str_cats(out, "\"message\" \"rfc822\"");
    } else if (part->is_overflow) {
        str_cats(out, "\"application\" \"octet-stream\"");
    } else {
        append_token(out, type->type);
        str_catc(out, ' ');
        append_token(out, type->subtype);
    }
    append_params(out, &type->params, is_text(part, type));
}

/* type subtype params id description encoding octets [lines | envelope]: what stands before the embedded message or the extension
 * data */
static void open_single(struct writer *writer, uint32_t i)
{
    const struct mime_part *part = &writer->mime->parts[i];
    const struct mime_fields *fields = fields_of(writer, i);
    append_type(writer, i);
    append_string_or_nil(writer, fields->first[MIME_CONTENT_ID]);
    append_string_or_nil(writer, fields->first[MIME_CONTENT_DESCRIPTION]);
    append_encoding(writer, fields->first[MIME_CONTENT_ENCODING]);
    str_catc(writer->out, ' ');
    str_catn(writer->out, mime_part_body_bytes(part));
    if (part->kind == MIME_MESSAGE) {
        str_catc(writer->out, ' ');
        mime_envelope_append(writer->out, writer->text, writer->mime, i + 1);
        str_catc(writer->out, ' ');
        writer->fields_of = MIME_NONE;
    } else if (is_text(part, &writer->text->type)) {
        str_catc(writer->out, ' ');
        str_catn(writer->out, mime_part_body_lines(part));
    }
}

static void close_single(struct writer *writer, uint32_t i)
{
    const struct mime_part *part = &writer->mime->parts[i];
    if (part->kind == MIME_MESSAGE) {
        size_t from = writer->out->len;
        str_catc(writer->out, ' ');
        str_catn(writer->out, mime_part_body_lines(part));
        repeat_in_body(writer, from);
    }
    append_string_or_nil(writer, fields_of(writer, i)->first[MIME_CONTENT_MD5]);
    append_extension(writer, i);
    close_both(writer);
}

static void close_multipart(struct writer *writer, uint32_t i)
{
    const struct mime_type *type = type_of(writer, i);
    size_t from = writer->out->len;
    str_catc(writer->out, ' ');
    append_token(writer->out, type->subtype);
    repeat_in_body(writer, from);
    append_params(writer->out, &type->params, false);
    append_extension(writer, i);
    close_both(writer);
}

/* A multipart must have a part: one empty text stands where none is. */
static void append_empty_text(struct writer *writer)
{
    size_t from = writer->out->len;
    str_cats(writer->out, "(\"text\" \"plain\" (" DEFAULT_CHARSET ") NIL NIL \"7bit\" 0 0");
    repeat_in_body(writer, from);
    str_cats(writer->out, " NIL NIL NIL NIL");
    close_both(writer);
}

static void open_part(struct writer *writer, uint32_t i)
{
    const struct mime_part *part = &writer->mime->parts[i];
    size_t from = writer->out->len;
    str_catc(writer->out, '(');
    if (part->kind != MIME_MULTIPART) {
        open_single(writer, i);
    }
    repeat_in_body(writer, from);
    if (part->kind == MIME_MULTIPART && part->children == 0) {
        append_empty_text(writer);
    }
}

static void close_part(struct writer *writer, uint32_t i)
{
    if (writer->mime->parts[i].kind == MIME_MULTIPART) {
        close_multipart(writer, i);
    } else {
        close_single(writer, i);
    }
}

void mime_structures_append(stralloc *extended, stralloc *plain, struct mime_text *text, const struct mime *mime)
{
    struct writer writer = {.out = extended, .plain = plain, .text = text, .mime = mime, .fields_of = MIME_NONE};
    const struct mime_part *parts = mime->parts;
    uint32_t i = 0;
    text->addresses_left = MIME_ADDRESSES_MAX;
    for (;;) {
        open_part(&writer, i);
        if (parts[i].children > 0) {
            i++;
            continue;
        }
        close_part(&writer, i);
        while (parts[i].next == MIME_NONE && parts[i].parent != MIME_NONE) {
            i = parts[i].parent;
            close_part(&writer, i);
        }
        if (parts[i].next == MIME_NONE) {
            return;
        }
        i = parts[i].next;
    }
}

void mime_structure_append(stralloc *out, struct mime_text *text, const struct mime *mime, bool is_extended)
{
    text->unwanted.len = 0;
    mime_structures_append(is_extended ? out : &text->unwanted, is_extended ? NULL : out, text, mime);
}
