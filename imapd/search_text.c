/* SPDX-License-Identifier: ISC */
/* Search in a message's bytes: header fields decoded (RFC 2047), text parts decoded from their encoding and charset, both folded.
 * BODY looks into text parts, message/… parts that are no messages, and the headers of messages inside; TEXT into every header.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imapd/search.h"
#include "lib/casefold.h"
#include "lib/str.h"

enum { READ_MAX = 64 << 20, KEEP_MAX = 1 << 20, ASCII_MAX = 64 };

bool search_has(const char *bytes, size_t n, const stralloc *needle)
{
    return needle->len == 0 || (n >= needle->len && memmem(bytes, n, needle->s, needle->len) != NULL);
}

/* One message in memory, with its parts. */
struct reading {
    struct session *session;
    const struct search_key *key;
    stralloc *bytes;
    bool is_ascii; /* the needle, and short: bytes of a text can be compared without decoding where they are ASCII */
    stralloc decoded, folded, value;
};

/* A long one is for memmem: has_ascii may compare all of it at each byte. */
static bool is_short_ascii(const stralloc *text)
{
    for (size_t i = 0; i < text->len; i++) {
        if ((unsigned char)text->s[i] >= 0x80) {
            return false;
        }
    }
    return text->len <= ASCII_MAX;
}

static char lower_of(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* The place in the needle whose letter is the rarest in text: candidates are found by it. */
static size_t rarest_place(const stralloc *needle)
{
    static const char by_frequency[] = " etaoinsrhldcumfpgwyb,.vk-0123456789xjqz";
    size_t best = 0;
    size_t best_rank = 0;
    for (size_t i = 0; i < needle->len; i++) {
        const char *at = strchr(by_frequency, lower_of(needle->s[i]));
        size_t rank = at == NULL || *at == '\0' ? sizeof by_frequency : (size_t)(at - by_frequency) + 1;
        if (rank > best_rank) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}

/* An ASCII needle in bytes of any case: candidates by its rarest letter's two forms. */
static bool has_ascii(const char *bytes, size_t n, const stralloc *needle)
{
    if (needle->len == 0 || n < needle->len) {
        return needle->len == 0;
    }
    size_t place = rarest_place(needle);
    const char *start = bytes + place;
    const char *end = bytes + n - needle->len + 1 + place;
    char lower = lower_of(needle->s[place]);
    char upper = (char)(lower >= 'a' && lower <= 'z' ? lower - 'a' + 'A' : lower);
    const char *low = memchr(start, lower, (size_t)(end - start));
    const char *up = upper == lower ? NULL : memchr(start, upper, (size_t)(end - start));
    while (low != NULL || up != NULL) {
        const char *at = low == NULL || (up != NULL && up < low) ? up : low;
        if (str_equal_nocase(at - place, needle->len, needle->s, needle->len)) {
            return true;
        }
        if (at == low) {
            low = memchr(at + 1, lower, (size_t)(end - at - 1));
        } else {
            up = memchr(at + 1, upper, (size_t)(end - at - 1));
        }
    }
    return false;
}

static bool has_folded(struct reading *reading, const char *bytes, size_t n)
{
    if (reading->is_ascii && has_ascii(bytes, n, &reading->key->text)) {
        return true; /* the plain bytes have it: no need to fold */
    }
    reading->folded.len = 0;
    casefold_append(&reading->folded, bytes, n);
    return search_has(reading->folded.s, reading->folded.len, &reading->key->text);
}

/* A tab that a folded line begins with counts as a blank. */
static void unfold(struct reading *reading, const struct mime_field *field)
{
    stralloc *line = &reading->folded;
    str_copy(line, field->value, field->value_len);
    for (size_t i = 1; field->is_folded && i < line->len; i++) {
        line->s[i] = (char)(line->s[i] == '\t' && line->s[i - 1] == '\n' ? ' ' : line->s[i]);
    }
    mime_unfold(&reading->value, line->s, line->len);
}

/* Fields of a header block: of one name, or all with their names. */
static bool in_header(struct reading *reading, const char *bytes, size_t n, const struct slice *name)
{
    struct mime_words *words = &reading->session->folder.work->words;
    const char *at = bytes;
    struct mime_field field;
    while (mime_field_next(&at, bytes + n, &field)) {
        bool is_wanted = name == NULL || str_equal_nocase(field.start, field.name_len, name->bytes, name->len);
        if (!is_wanted || (name != NULL && field.value == NULL)) {
            continue;
        }
        reading->value.len = reading->decoded.len = 0;
        if (field.value == NULL) { /* no field: as it is */
            field.value = field.start;
            field.value_len = (size_t)(field.end - field.start);
        } else if (name == NULL) {
            str_cat(&reading->decoded, field.start, field.name_len);
            str_cats(&reading->decoded, ": ");
        }
        unfold(reading, &field);
        mime_words_append(&reading->decoded, words, reading->value.s, reading->value.len);
        if (has_folded(reading, reading->decoded.s, reading->decoded.len)) {
            return true;
        }
    }
    return false;
}

static bool is_plain_charset(struct mime_slice charset)
{
    return charset.n == 0 || str_equal_nocase(charset.bytes, charset.n, "utf-8", 5) ||
           str_equal_nocase(charset.bytes, charset.n, "us-ascii", 8);
}

/* A text part. Unencoded text in UTF-8 or ASCII is compared where it lies. */
static bool in_part(struct reading *reading, const struct mime_summary_part *part)
{
    struct mime_words *words = &reading->session->folder.work->words;
    const char *bytes = reading->bytes->s + part->part.body.offset;
    size_t n = (size_t)(part->part.end.offset - part->part.body.offset);
    bool is_plain = is_plain_charset(part->charset);
    if (part->encoding == MIME_IDENTITY && is_plain) {
        return reading->is_ascii ? has_ascii(bytes, n, &reading->key->text) : has_folded(reading, bytes, n);
    }
    stralloc raw = STRALLOC_ZERO;
    mime_decoder_start(&words->decoder, part->encoding);
    mime_decoder_add(&words->decoder, bytes, n, &raw);
    mime_decoder_end(&words->decoder, &raw);
    bool has;
    if (is_plain) {
        has = reading->is_ascii ? has_ascii(raw.s, raw.len, &reading->key->text) : has_folded(reading, raw.s, raw.len);
    } else {
        struct charset_stream stream;
        reading->decoded.len = 0;
        charset_start(&stream, charsets_find(&words->charsets, part->charset.bytes, part->charset.n));
        charset_add(&stream, raw.s, raw.len, &reading->decoded);
        charset_end(&stream, &reading->decoded);
        has = has_folded(reading, reading->decoded.s, reading->decoded.len);
    }
    stralloc_free(&raw);
    return has;
}

/* To what was read of the message. False: nothing of the part was. */
static bool clip(struct mime_part *part, size_t n)
{
    part->end.offset = part->end.offset < n ? part->end.offset : n;
    part->body.offset = part->body.offset < n ? part->body.offset : n;
    return part->start.offset < n;
}

static bool in_parts(struct reading *reading, const struct mime_summary *summary)
{
    bool is_text_search = reading->key->kind == SEARCH_TEXT;
    for (uint32_t i = 0; i < summary->parts; i++) {
        struct mime_summary_part part;
        mime_summary_part(summary, i, &part);
        if (!clip(&part.part, reading->bytes->len)) {
            continue;
        }
        const char *header = reading->bytes->s + part.part.start.offset;
        size_t header_len = (size_t)(part.part.body.offset - part.part.start.offset);
        struct mime_summary_part above = {0};
        if (part.part.parent != MIME_NONE) {
            mime_summary_part(summary, part.part.parent, &above);
        }
        /* The header of a message inside is text of the body. */
        bool is_wanted = is_text_search || (part.part.parent != MIME_NONE && above.part.kind == MIME_MESSAGE);
        if (is_wanted && in_header(reading, header, header_len, NULL)) {
            return true;
        }
        if (part.is_text && in_part(reading, &part)) {
            return true;
        }
    }
    return false;
}

/* Up to READ_MAX bytes: memory has an end, and a message need not. */
static int read_message(struct folder *folder, uint32_t index, stralloc *out)
{
    uint64_t bytes;
    int fd = folder_open_message(folder, index, &bytes);
    if (fd < 0) {
        return -1;
    }
    out->len = 0;
    int result = 0;
    size_t size = bytes < READ_MAX ? (size_t)bytes : READ_MAX;
    char *room = str_room(out, size + 1);
    while (result == 0 && out->len < size) {
        ssize_t n = read(fd, room + out->len, size - out->len);
        if (n <= 0) {
            result = n < 0 ? -1 : 0;
            break;
        }
        out->len += (size_t)n;
    }
    close(fd);
    return result;
}

static bool in_bytes(struct reading *reading, const struct mime_summary *summary)
{
    if (reading->key->kind != SEARCH_HEADER) {
        return in_parts(reading, summary);
    }
    struct mime_summary_part root;
    mime_summary_part(summary, 0, &root);
    size_t n = (size_t)root.part.body.offset;
    return n <= reading->bytes->len && in_header(reading, reading->bytes->s, n, &reading->key->field);
}

/* A field that every summary keeps need not open the message. */
static bool in_cached_fields(struct reading *reading, const struct mime_summary *summary, bool *has_out)
{
    struct mime_slice fields;
    const struct slice *field = &reading->key->field;
    if (reading->key->kind != SEARCH_HEADER || mime_name_of(field->bytes, field->len) == MIME_OTHER ||
        !mime_summary_get(summary, MIME_FIELDS, &fields)) {
        return false;
    }
    *has_out = in_header(reading, fields.bytes, fields.n, field);
    return true;
}

bool search_in_message(struct session *session, uint32_t index, const struct search_key *key)
{
    static stralloc bytes;
    static stralloc copy; /* of the summary: reading the message may move the cache */
    struct mime_summary summary;
    const char *found;
    size_t len;
    struct folder *folder = &session->folder;
    if (folder->work == NULL) {
        folder->work = memory_get(1, sizeof *folder->work);
    }
    if (folder_summary(folder, index, &found, &len) < 0) {
        return false;
    }
    str_copy(&copy, found, len);
    if (!mime_summary_open(&summary, copy.s, copy.len)) {
        return false;
    }
    struct reading reading = {.session = session, .key = key, .bytes = &bytes, .is_ascii = is_short_ascii(&key->text)};
    bool has = false;
    if (!in_cached_fields(&reading, &summary, &has) && read_message(folder, index, &bytes) == 0) {
        has = in_bytes(&reading, &summary);
    }
    if (bytes.a > KEEP_MAX) {
        stralloc_free(&bytes);
    }
    stralloc_free(&reading.decoded);
    stralloc_free(&reading.folded);
    stralloc_free(&reading.value);
    return has;
}
