/* SPDX-License-Identifier: ISC */
/* Frames, fields and verdicts: pure. Trusts nobody: refuses whatever is not exactly the grammar, keeps slices of the input only.
 */
#include "frame.h"
#include <string.h>
#include "die.h"
#include "scan.h"
#include "str.h"

enum { LEN_DIGITS = 5 };

enum frame_result frame_parse(const char *bytes, size_t n, struct frame *frame_out, size_t *used_out)
{
    size_t at = 0, len = 0;
    while (at < n && at < LEN_DIGITS && bytes[at] >= '0' && bytes[at] <= '9') {
        len = len * 10 + (size_t)(bytes[at++] - '0');
    }
    if (at > 0 && bytes[0] == '0') {
        return FRAME_BAD;
    }
    if (at == n) {
        return at <= LEN_DIGITS ? FRAME_MORE : FRAME_BAD;
    }
    if (at == 0 || bytes[at] != ':' || len < 1 || len > FRAME_LEN_MAX) {
        return FRAME_BAD;
    }
    at++;
    if (n - at < len + 1) {
        return FRAME_MORE;
    }
    if (bytes[at + len] != ',') {
        return FRAME_BAD;
    }
    frame_out->type = bytes[at];
    frame_out->payload = bytes + at + 1;
    frame_out->len = len - 1;
    *used_out = at + len + 1;
    return FRAME_WHOLE;
}

/* The length is not known before the payload: room for the longest is left, frame_end closes the gap. */
size_t frame_begin(stralloc *out, char type)
{
    size_t start = out->len;
    str_cat(out, "00000:", LEN_DIGITS + 1);
    str_catc(out, type);
    return start;
}

void frame_end(stralloc *out, size_t start)
{
    size_t len = out->len - start - LEN_DIGITS - 1;
    if (len > FRAME_LEN_MAX) {
        die_bug("frame of %zu bytes", len);
    }
    char digits[LEN_DIGITS];
    size_t used = 0;
    for (size_t left = len; left > 0; left /= 10) {
        digits[LEN_DIGITS - ++used] = (char)('0' + left % 10);
    }
    size_t gap = LEN_DIGITS - used;
    memcpy(out->s + start, digits + gap, used);
    memmove(out->s + start + used, out->s + start + LEN_DIGITS, len + 1);
    out->len -= gap;
    str_catc(out, ',');
}

void frame_put(stralloc *out, char type, const char *payload, size_t n)
{
    size_t start = frame_begin(out, type);
    str_cat(out, payload, n);
    frame_end(out, start);
}

void field_put(stralloc *out, const char *key, const char *value)
{
    if (value == NULL) {
        return;
    }
    str_cats(out, key);
    str_catc(out, '=');
    str_cat(out, value, strlen(value) + 1);
}

void field_put_number(stralloc *out, const char *key, uint64_t value)
{
    str_cats(out, key);
    str_catc(out, '=');
    str_catn(out, value);
    str_catc(out, '\0');
}

static bool key_is_good(const char *key, size_t n)
{
    if (n < 1 || n > 16) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!((key[i] >= 'a' && key[i] <= 'z') || (key[i] >= '0' && key[i] <= '9') || key[i] == '-')) {
            return false;
        }
    }
    return true;
}

static const struct field *find(const struct fields *fields, const char *key, size_t n)
{
    for (unsigned i = 0; i < fields->n; i++) {
        if (fields->field[i].key_len == n && memcmp(fields->field[i].key, key, n) == 0) {
            return &fields->field[i];
        }
    }
    return NULL;
}

static bool field_parse(const char *bytes, size_t n, struct field *out)
{
    const char *equals = memchr(bytes, '=', n);
    if (equals == NULL) {
        return false;
    }
    out->key = bytes;
    out->key_len = (size_t)(equals - bytes);
    out->value = equals + 1;
    out->value_len = n - out->key_len - 1;
    return key_is_good(out->key, out->key_len) && out->value_len <= FIELD_VALUE_MAX;
}

bool fields_parse(const char *payload, size_t n, struct fields *out)
{
    struct fields fields;
    fields.n = 0;
    while (n > 0) {
        const char *end = memchr(payload, '\0', n);
        struct field field;
        if (end == NULL || fields.n == FIELDS_MAX || !field_parse(payload, (size_t)(end - payload), &field) ||
            find(&fields, field.key, field.key_len) != NULL) {
            return false;
        }
        fields.field[fields.n++] = field;
        n -= (size_t)(end - payload) + 1;
        payload = end + 1;
    }
    out->n = fields.n;
    memcpy(out->field, fields.field, fields.n * sizeof fields.field[0]);
    return true;
}

const char *fields_get(const struct fields *fields, const char *key)
{
    const struct field *field = find(fields, key, strlen(key));
    return field == NULL ? NULL : field->value;
}

const char *fields_get_or(const struct fields *fields, const char *key, const char *otherwise)
{
    const char *value = fields_get(fields, key);
    return value == NULL ? otherwise : value;
}

bool fields_get_number(const struct fields *fields, const char *key, uint64_t max, uint64_t *out)
{
    const struct field *field = find(fields, key, strlen(key));
    return field != NULL && scan_decimal(field->value, field->value_len, max, out);
}

static bool is_in(const struct field *field, const char *const *known)
{
    for (; *known != NULL; known++) {
        if (strlen(*known) == field->key_len && memcmp(*known, field->key, field->key_len) == 0) {
            return true;
        }
    }
    return field->key_len > 2 && memcmp(field->key, "x-", 2) == 0;
}

bool fields_are_known(const struct fields *fields, const char *const *known)
{
    for (unsigned i = 0; i < fields->n; i++) {
        if (!is_in(&fields->field[i], known)) {
            return false;
        }
    }
    return true;
}

bool verdict_parse(char letter, const char *payload, size_t n, struct verdict *out)
{
    if (letter != 'K' && letter != 'Z' && letter != 'D' && letter != 'C') {
        return false;
    }
    const char *end = memchr(payload, '\0', n);
    if (end == NULL) {
        return false;
    }
    size_t text_len = (size_t)(end - payload);
    if (!fields_parse(end + 1, n - text_len - 1, &out->fields)) {
        return false;
    }
    out->letter = letter;
    out->text = payload;
    return true;
}

bool verdict_parse_numbered(const char *payload, size_t n, uint64_t *number_out, struct verdict *out)
{
    const char *end = memchr(payload, '\0', n);
    uint64_t number;
    if (end == NULL || !scan_decimal(payload, (size_t)(end - payload), UINT32_MAX, &number)) {
        return false;
    }
    size_t used = (size_t)(end - payload) + 1;
    if (used == n || !verdict_parse(payload[used], payload + used + 1, n - used - 1, out)) {
        return false;
    }
    *number_out = number;
    return true;
}

size_t verdict_begin(stralloc *out, char letter, const char *text)
{
    size_t start = frame_begin(out, letter);
    str_cat(out, text, strlen(text) + 1);
    return start;
}

size_t verdict_begin_numbered(stralloc *out, uint64_t number, char letter, const char *text)
{
    size_t start = frame_begin(out, 'P');
    str_catn(out, number);
    str_catc(out, '\0');
    str_catc(out, letter);
    str_cat(out, text, strlen(text) + 1);
    return start;
}
