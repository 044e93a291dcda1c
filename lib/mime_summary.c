/* SPDX-License-Identifier: ISC */
/* Making a summary: the parser takes the message, then each section is appended and its place noted. mime_summary_read.c reads
 * it. */
#include "mime_summary.h"
#include "date.h"
#include "casefold.h"
#include "mime_select.h"
#include "mime_sort.h"
#include "str.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    struct mime_summary_work *work;
    stralloc *out;
    size_t start;             /* of the summary in out */
    struct mime_slice header; /* the root's, as stored */
    const struct mime_fields *fields;
};

void mime_summary_start(struct mime_summary_work *work)
{
    mime_start(&work->mime);
}

void mime_summary_feed(struct mime_summary_work *work, const char *bytes, size_t n)
{
    mime_feed(&work->mime, bytes, n);
}

static void put32(char *to, uint64_t number)
{
    uint32_t bytes = htole32((uint32_t)number);
    memcpy(to, &bytes, sizeof bytes);
}

static void put64(char *to, uint64_t number)
{
    uint64_t bytes = htole64(number);
    memcpy(to, &bytes, sizeof bytes);
}

/* What was appended since `at` is this section, where it is not longer than `most`. */
static void keep_section(struct builder *builder, enum mime_section section, size_t at, size_t most)
{
    stralloc *out = builder->out;
    size_t n = out->len - at;
    char *pair = out->s + builder->start + 48 + (size_t)section * 8;
    if (n > most) {
        out->len = at;
        return;
    }
    put32(pair, at - builder->start);
    put32(pair + 4, n);
}

static void end_section(struct builder *builder, enum mime_section section, size_t at)
{
    keep_section(builder, section, at, MIME_SECTION_MAX);
}

/* Of parts of five bytes each thirty times as much is to be told: no mail fills a disk behind its quota by that. */
static size_t structure_max(const struct mime_part *root)
{
    uint64_t most = 2 * root->end.offset;
    most = most < MIME_STRUCTURE_KEPT ? MIME_STRUCTURE_KEPT : most;
    return most < MIME_SECTION_MAX ? (size_t)most : MIME_SECTION_MAX;
}

/* True: no empty line ends the header. */
static bool append_fields(struct builder *builder)
{
    size_t at = builder->out->len;
    const char *p = builder->header.bytes;
    struct mime_field field;
    while (mime_field_next(&p, builder->header.bytes + builder->header.n, &field)) {
        if (field.value != NULL && mime_name_of(field.start, field.name_len) != MIME_OTHER) {
            mime_field_append(builder->out, &field);
        }
    }
    end_section(builder, MIME_FIELDS, at);
    return p == builder->header.bytes + builder->header.n;
}

static void append_folded(struct builder *builder, struct mime_slice text)
{
    struct mime_summary_work *work = builder->work;
    work->decoded.len = 0;
    mime_words_append(&work->decoded, &work->words, text.bytes, text.n);
    casefold_append(builder->out, work->decoded.s, work->decoded.len);
}

/* As ENVELOPE shows it, but decoded: folded lines and runs of blanks are one blank. */
static void append_shown(struct builder *builder, struct mime_slice text)
{
    stralloc *words = &builder->work->id;
    words->len = 0;
    mime_collapse(words, text.bytes, text.n);
    append_folded(builder, (struct mime_slice){words->s, words->len});
}

/* All fields of that name, one a line. */
static void append_column(struct builder *builder, enum mime_name name, enum mime_section section)
{
    size_t at = builder->out->len;
    const char *p = builder->header.bytes;
    const char *end = p + builder->header.n;
    struct mime_field field;
    if (builder->fields->count[name] == 1) {
        append_shown(builder, builder->fields->first[name]);
    }
    while (builder->fields->count[name] > 1 && mime_field_next(&p, end, &field)) {
        if (field.value != NULL && mime_name_of(field.start, field.name_len) == name) {
            append_shown(builder, (struct mime_slice){field.value, field.value_len});
            str_catc(builder->out, '\n');
        }
    }
    end_section(builder, section, at);
}

/* The first address of a field; false: none. */
static bool first_address(struct builder *builder, enum mime_name name, struct mime_address *out)
{
    struct mime_summary_work *work = builder->work;
    if (builder->fields->count[name] == 0) {
        return false;
    }
    struct mime_slice line = mime_unfolded(builder->fields->first[name], &work->line);
    mime_addresses_start(&work->addresses, line.bytes, line.n);
    return mime_addresses_next(&work->addresses, out);
}

/* The first mailbox, folded; and its name for people. */
static void append_sort_keys(struct builder *builder, enum mime_name name, enum mime_section mailbox, enum mime_section display)
{
    stralloc *out = builder->out;
    struct mime_address address = {.kind = MIME_ADDRESS};
    bool is_there = first_address(builder, name, &address);
    size_t at = out->len;
    if (is_there && address.mailbox.bytes != NULL) {
        casefold_append(out, address.mailbox.bytes, address.mailbox.n);
    }
    end_section(builder, mailbox, at);
    if (display == MIME_SECTIONS) {
        return;
    }
    at = out->len;
    if (is_there && address.name.bytes != NULL) {
        append_folded(builder, address.name);
    } else if (is_there && address.mailbox.bytes != NULL) {
        casefold_append(out, address.mailbox.bytes, address.mailbox.n);
        if (address.domain.bytes != NULL) {
            str_catc(out, '@');
            casefold_append(out, address.domain.bytes, address.domain.n);
        }
    }
    end_section(builder, display, at);
}

/* The base subject; true: of a reply. */
static bool append_sort_subject(struct builder *builder)
{
    struct mime_summary_work *work = builder->work;
    size_t at = builder->out->len;
    bool is_reply = false;
    if (builder->fields->count[MIME_SUBJECT] > 0) {
        struct mime_slice line = mime_unfolded(builder->fields->last[MIME_SUBJECT], &work->line);
        work->decoded.len = work->id.len = 0;
        mime_words_append(&work->decoded, &work->words, line.bytes, line.n);
        is_reply = mime_base_subject_append(&work->id, work->decoded.s, work->decoded.len);
        casefold_append(builder->out, work->id.s, work->id.len);
    }
    end_section(builder, MIME_SORT_SUBJECT, at);
    return is_reply;
}

/* Appends the hashes of a field's ids, at most `max`; how many. */
static unsigned append_ids(struct builder *builder, enum mime_name name, unsigned max)
{
    unsigned n = 0;
    if (builder->fields->count[name] > 0) {
        struct mime_slice line = mime_unfolded(builder->fields->last[name], &builder->work->line);
        const char *at = line.bytes;
        while (n < max && mime_id_next(&at, line.bytes + line.n, &builder->work->id)) {
            char *to = str_room(builder->out, 8);
            put64(to, mime_id_hash(builder->work->id.s, builder->work->id.len));
            builder->out->len += 8;
            n++;
        }
    }
    return n;
}

static uint64_t own_id(struct builder *builder)
{
    if (builder->fields->count[MIME_MESSAGE_ID] == 0) {
        return 0;
    }
    struct mime_slice line = mime_unfolded(builder->fields->last[MIME_MESSAGE_ID], &builder->work->line);
    const char *at = line.bytes;
    stralloc *id = &builder->work->id;
    return mime_id_next(&at, line.bytes + line.n, id) ? mime_id_hash(id->s, id->len) : 0;
}

static void append_thread(struct builder *builder)
{
    size_t at = builder->out->len;
    if (append_ids(builder, MIME_REFERENCES, MIME_SECTION_MAX / 8 + 1) == 0) {
        (void)append_ids(builder, MIME_IN_REPLY_TO, 1);
    }
    end_section(builder, MIME_THREAD, at);
}

static enum mime_encoding encoding_of(struct builder *builder, struct mime_slice value)
{
    struct lexer lexer;
    stralloc *word = &builder->work->id;
    if (value.bytes == NULL) {
        return MIME_IDENTITY;
    }
    word->len = 0;
    struct mime_slice line = mime_unfolded(value, &builder->work->line);
    lexer_start(&lexer, line.bytes, line.n, NULL);
    (void)lexer_skip_space(&lexer);
    (void)lexer_token(&lexer, word);
    return mime_encoding_of(word->s, word->len);
}

/* Reads a part's Content-Type; true: there is text in it to be found. *charset_out: into the type's work memory. */
static bool read_type(struct mime_type *type, struct mime_slice value, struct mime_slice *charset_out)
{
    *charset_out = (struct mime_slice){"", 0};
    if (value.bytes == NULL) {
        return true;
    }
    mime_type_read(type, value);
    bool is_text = mime_type_is(type, "text", NULL);
    if (is_text) {
        mime_type_read_params(type);
        (void)mime_params_find(&type->params, "charset", charset_out);
    }
    return is_text || mime_type_is(type, "message", NULL);
}

static unsigned part_flags(const struct mime_part *part, bool is_text)
{
    return (part->is_mime ? 1U : 0) | (part->is_default ? 2U : 0) | (part->is_digest ? 4U : 0) | (part->is_overflow ? 8U : 0) |
           (is_text ? 16U : 0);
}

static void append_part(struct builder *builder, uint32_t i)
{
    struct mime_summary_work *work = builder->work;
    const struct mime_part *part = &work->mime.parts[i];
    const struct mime_fields *fields = mime_part_fields(&work->mime, i, &work->text.fields);
    struct mime_slice charset;
    enum mime_encoding encoding = encoding_of(builder, fields->first[MIME_CONTENT_ENCODING]);
    bool is_text = read_type(&work->text.type, fields->first[MIME_CONTENT_TYPE], &charset) && part->kind == MIME_LEAF;
    const uint64_t numbers[11] = {part->start.offset,
                                  part->body.offset,
                                  part->end.offset,
                                  mime_part_header_bytes(part),
                                  mime_part_body_bytes(part),
                                  part->body.lines - part->start.lines,
                                  mime_part_body_lines(part),
                                  part->parent,
                                  part->next,
                                  part->children,
                                  part->number};
    char *to = str_room(builder->out, MIME_SUMMARY_PART);
    for (size_t k = 0; k < 11; k++) {
        put32(to + 4 * k, numbers[k]);
    }
    size_t charset_len = charset.n <= CHARSET_NAME_MAX ? charset.n : 0;
    to[44] = (char)part->kind;
    to[45] = (char)part_flags(part, is_text);
    to[46] = (char)encoding;
    to[47] = (char)charset_len;
    put32(to + 48, work->charsets.len);
    str_cat(&work->charsets, charset.bytes, charset_len);
    builder->out->len += MIME_SUMMARY_PART;
}

static void append_parts(struct builder *builder)
{
    stralloc *charsets = &builder->work->charsets;
    size_t at = builder->out->len;
    charsets->len = 0;
    for (uint32_t i = 0; i < builder->work->mime.n; i++) {
        append_part(builder, i);
    }
    keep_section(builder, MIME_PARTS, at, (size_t)MIME_PARTS_MAX * MIME_SUMMARY_PART); /* all: nothing else finds a part */
    at = builder->out->len;
    str_cat(builder->out, charsets->s, charsets->len);
    end_section(builder, MIME_CHARSETS, at);
}

static void append_texts(struct builder *builder)
{
    struct mime_summary_work *work = builder->work;
    size_t most = structure_max(&work->mime.parts[0]);
    size_t at = builder->out->len;
    mime_envelope_append(builder->out, &work->text, &work->mime, 0);
    end_section(builder, MIME_ENVELOPE, at);
    at = builder->out->len;
    work->decoded.len = 0;
    mime_structures_append(builder->out, &work->decoded, &work->text, &work->mime);
    keep_section(builder, MIME_BODYSTRUCTURE, at, most);
    at = builder->out->len;
    str_cat(builder->out, work->decoded.s, work->decoded.len);
    keep_section(builder, MIME_BODY, at, most);
}

/* Everything that comes from the root's header. Returns the flags. */
static unsigned append_header_sections(struct builder *builder)
{
    unsigned flags = append_fields(builder) ? MIME_SUMMARY_IS_ALL_HEADER : 0;
    append_column(builder, MIME_FROM, MIME_SEARCH_FROM);
    append_column(builder, MIME_TO, MIME_SEARCH_TO);
    append_column(builder, MIME_CC, MIME_SEARCH_CC);
    append_column(builder, MIME_BCC, MIME_SEARCH_BCC);
    append_column(builder, MIME_SUBJECT, MIME_SEARCH_SUBJECT);
    append_sort_keys(builder, MIME_FROM, MIME_SORT_FROM, MIME_DISPLAY_FROM);
    append_sort_keys(builder, MIME_TO, MIME_SORT_TO, MIME_DISPLAY_TO);
    append_sort_keys(builder, MIME_CC, MIME_SORT_CC, MIME_SECTIONS);
    append_thread(builder);
    return flags | (append_sort_subject(builder) ? MIME_SUMMARY_IS_REPLY : 0);
}

static void put_head(struct builder *builder, unsigned flags)
{
    struct mime_summary_work *work = builder->work;
    const struct mime_part *root = &work->mime.parts[0];
    int64_t seconds = 0;
    int zone = 0;
    uint64_t id = own_id(builder);
    if (builder->fields->count[MIME_DATE] > 0) {
        struct mime_slice line = mime_unfolded(builder->fields->last[MIME_DATE], &work->line);
        flags |= date_parse(line.bytes, line.n, &seconds, &zone) ? MIME_SUMMARY_HAS_DATE : 0;
    }
    char *head = builder->out->s + builder->start;
    memcpy(head, "MSM1", 4);
    put32(head + 4, builder->out->len - builder->start);
    put64(head + 8, mime_part_header_bytes(root) + mime_part_body_bytes(root));
    put64(head + 16, mime_part_header_bytes(root));
    put64(head + 24, (uint64_t)seconds);
    put64(head + 32, id);
    put32(head + 40, (uint32_t)zone);
    put32(head + 44, flags);
}

bool mime_summary_end(struct mime_summary_work *work, stralloc *out)
{
    mime_end(&work->mime);
    const struct mime_part *root = &work->mime.parts[0];
    if (root->end.offset + root->end.bare > UINT32_MAX) {
        return false;
    }
    struct builder builder = {.work = work,
                              .out = out,
                              .start = out->len,
                              .header = {work->mime.headers.s, root->kept_len},
                              .fields = &work->mime.root};
    memset(str_room(out, MIME_SUMMARY_HEAD), 0, MIME_SUMMARY_HEAD);
    out->len += MIME_SUMMARY_HEAD;
    unsigned flags = 0;
    if (root->kept_len == root->body.offset) { /* else fields are missing, and nothing of them can be told */
        append_texts(&builder);
        flags = append_header_sections(&builder);
    }
    append_parts(&builder);
    put_head(&builder, flags);
    return true;
}

static void free_params(struct mime_params *params)
{
    free(params->list);
    params->list = NULL;
    params->n = params->room = 0;
    stralloc_free(&params->text);
}

static void free_type(struct mime_type *type)
{
    free_params(&type->params);
    stralloc_free(&type->value);
    stralloc_free(&type->text);
}

static void free_addresses(struct mime_addresses *addresses)
{
    stralloc_free(&addresses->text);
    stralloc_free(&addresses->comment);
}

void mime_summary_free(struct mime_summary_work *work)
{
    free(work->mime.parts);
    work->mime.parts = NULL;
    work->mime.n = work->mime.room = 0;
    stralloc_free(&work->mime.headers);
    stralloc_free(&work->mime.boundary_text);
    free_type(&work->mime.type);
    free_addresses(&work->text.addresses);
    free_type(&work->text.type);
    free_params(&work->text.params);
    stralloc_free(&work->text.value);
    stralloc_free(&work->text.words);
    stralloc_free(&work->text.unwanted);
    stralloc_free(&work->words.bytes);
    stralloc_free(&work->words.decoder.held);
    free_addresses(&work->addresses);
    stralloc_free(&work->line);
    stralloc_free(&work->decoded);
    stralloc_free(&work->id);
    stralloc_free(&work->charsets);
}
