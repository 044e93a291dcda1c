/* SPDX-License-Identifier: ISC */
/* ENVELOPE, and the strings of all FETCH replies. */
#include "mime_text.h"
#include "str.h"

#include <string.h>

enum { PLAIN, ESCAPED, NUL, LITERAL };
static const unsigned char class_of[256] = {
    ['"'] = ESCAPED, ['\\'] = ESCAPED, ['\r'] = LITERAL, ['\n'] = LITERAL, [0] = NUL, [0x80 ... 0xff] = LITERAL};

static void append_literal(stralloc *out, const char *bytes, size_t n, size_t nuls)
{
    str_catf(out, "{%zu}\r\n", n + 2 * nuls);
    const char *p = bytes;
    const char *end = bytes + n;
    while (p < end) {
        const char *nul = nuls > 0 ? memchr(p, '\0', (size_t)(end - p)) : NULL;
        const char *stop = nul != NULL ? nul : end;
        str_cat(out, p, (size_t)(stop - p));
        if (nul != NULL) {
            str_cat(out, "\xef\xbf\xbd", 3);
        }
        p = nul != NULL ? nul + 1 : end;
    }
}

static void append_quoted(stralloc *out, const char *bytes, size_t n, size_t escapes)
{
    char *start = str_room(out, n + escapes + 2);
    char *to = start;
    *to++ = '"';
    if (escapes == 0) {
        memcpy(to, bytes, n);
        to += n;
    }
    for (size_t i = 0; escapes > 0 && i < n; i++) {
        if (class_of[(unsigned char)bytes[i]] == ESCAPED) {
            *to++ = '\\';
        }
        *to++ = bytes[i];
    }
    *to++ = '"';
    out->len += (size_t)(to - start);
}

void mime_string_append(stralloc *out, const char *bytes, size_t n)
{
    size_t counts[4] = {0};
    for (size_t i = 0; i < n; i++) {
        counts[class_of[(unsigned char)bytes[i]]]++;
    }
    if (counts[NUL] + counts[LITERAL] > 0) {
        append_literal(out, bytes, n, counts[NUL]);
    } else {
        append_quoted(out, bytes, n, counts[ESCAPED]);
    }
}

/* For people. */
static void append_words(stralloc *out, struct mime_text *text, const char *bytes, size_t n)
{
    text->words.len = 0;
    mime_collapse(&text->words, bytes, n);
    mime_string_append(out, text->words.s, text->words.len);
}

static void append_text(stralloc *out, struct mime_text *text, struct mime_slice value)
{
    if (value.bytes == NULL) {
        str_cats(out, "NIL");
        return;
    }
    struct mime_slice line = mime_unfolded(value, &text->value);
    mime_string_append(out, line.bytes, line.n);
}

static void append_nil_or_string(stralloc *out, struct mime_slice value)
{
    str_catc(out, ' ');
    if (value.bytes == NULL) {
        str_cats(out, "NIL");
    } else {
        mime_string_append(out, value.bytes, value.n);
    }
}

/* The addresses of one field, each in its parentheses. */
static void append_addresses(stralloc *out, struct mime_text *text, struct mime_slice value)
{
    struct mime_slice line = mime_unfolded(value, &text->value);
    struct mime_address address;
    mime_addresses_start(&text->addresses, line.bytes, line.n);
    while (text->addresses_left > 0 && mime_addresses_next(&text->addresses, &address)) {
        text->addresses_left--;
        str_catc(out, '(');
        if (address.name.bytes == NULL) {
            str_cats(out, "NIL");
        } else {
            append_words(out, text, address.name.bytes, address.name.n);
        }
        append_nil_or_string(out, address.route);
        append_nil_or_string(out, address.mailbox);
        append_nil_or_string(out, address.domain);
        str_catc(out, ')');
    }
}

/* All fields of that name in the block. */
static void append_all_addresses(stralloc *out, struct mime_text *text, enum mime_name name, struct mime_slice header)
{
    const char *at = header.bytes;
    struct mime_field field;
    while (mime_field_next(&at, header.bytes + header.n, &field)) {
        if (field.value != NULL && mime_name_of(field.start, field.name_len) == name) {
            append_addresses(out, text, (struct mime_slice){field.value, field.value_len});
        }
    }
}

struct envelope {
    stralloc *out;
    struct mime_text *text;
    struct mime_slice header;
    const struct mime_fields *fields;
};

/* " (…)" or " NIL". False: NIL. */
static bool append_list(const struct envelope *envelope, enum mime_name name)
{
    stralloc *out = envelope->out;
    str_cats(out, " (");
    size_t start = out->len;
    if (envelope->fields->count[name] == 1) {
        append_addresses(out, envelope->text, envelope->fields->first[name]);
    } else if (envelope->fields->count[name] > 1) {
        append_all_addresses(out, envelope->text, name, envelope->header);
    }
    bool is_there = out->len > start;
    if (!is_there) {
        out->len--;
    }
    str_cats(out, is_there ? ")" : "NIL");
    return is_there;
}

/* Sender and Reply-To stand for From where they are missing or empty; its list is out[from..from + n). */
static void append_list_or_from(const struct envelope *envelope, enum mime_name name, size_t from, size_t n)
{
    size_t start = envelope->out->len;
    if (envelope->fields->count[name] == 0 || !append_list(envelope, name)) {
        envelope->out->len = start;
        str_repeat(envelope->out, from, n);
    }
}

void mime_envelope_append(stralloc *out, struct mime_text *text, const struct mime *mime, uint32_t part)
{
    struct envelope envelope = {.out = out,
                                .text = text,
                                .header = {mime->headers.s + mime->parts[part].kept, mime->parts[part].kept_len},
                                .fields = part == 0 ? &mime->root : &text->fields};
    if (part == 0) {
        text->addresses_left = MIME_ADDRESSES_MAX;
    } else {
        mime_fields_read(envelope.header.bytes, envelope.header.n, &text->fields);
    }
    const struct mime_slice *last = envelope.fields->last;
    str_catc(out, '(');
    append_text(out, text, last[MIME_DATE]);
    str_catc(out, ' ');
    if (last[MIME_SUBJECT].bytes == NULL) {
        str_cats(out, "NIL");
    } else {
        append_words(out, text, last[MIME_SUBJECT].bytes, last[MIME_SUBJECT].n);
    }
    size_t from = out->len;
    (void)append_list(&envelope, MIME_FROM);
    size_t from_len = out->len - from;
    append_list_or_from(&envelope, MIME_SENDER, from, from_len);
    append_list_or_from(&envelope, MIME_REPLY_TO, from, from_len);
    (void)append_list(&envelope, MIME_TO);
    (void)append_list(&envelope, MIME_CC);
    (void)append_list(&envelope, MIME_BCC);
    str_catc(out, ' ');
    append_text(out, text, last[MIME_IN_REPLY_TO]);
    str_catc(out, ' ');
    append_text(out, text, last[MIME_MESSAGE_ID]);
    str_catc(out, ')');
}
