/* SPDX-License-Identifier: ISC */
/* Header blocks cut into fields, and fields into name and value. Nothing is refused: a line that is no field is one without a
 * value, as other servers see it. */
#include "mime_header.h"
#include "str.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Behind the line end, or `end`. */
static const char *line_end(const char *p, const char *end)
{
    const char *lf = memchr(p, '\n', (size_t)(end - p));
    return lf != NULL ? lf + 1 : end;
}

/* Before the line end that stands right before `end`. */
static const char *without_line_end(const char *start, const char *end)
{
    if (end > start && end[-1] == '\n') {
        end--;
        if (end > start && end[-1] == '\r') {
            end--;
        }
    }
    return end;
}

static bool is_empty_line(const char *p, const char *end)
{
    return *p == '\n' || (*p == '\r' && end - p > 1 && p[1] == '\n');
}

bool mime_field_next(const char **at, const char *end, struct mime_field *out)
{
    const char *start = *at;
    if (start == end || is_empty_line(start, end)) {
        return false;
    }
    *out = (struct mime_field){.start = start};
    const char *p = line_end(start, end);
    const char *first_line = without_line_end(start, p);
    while (p != end && is_blank(*p)) {
        out->is_folded = true;
        p = line_end(p, end);
    }
    out->end = *at = p;
    const char *colon = memchr(start, ':', (size_t)(first_line - start));
    const char *name_end = colon != NULL ? colon : first_line;
    if (colon != NULL) {
        while (name_end > start && is_blank(name_end[-1])) {
            name_end--;
        }
        const char *stop = without_line_end(start, p);
        const char *value = colon + 1;
        while (value < stop && is_blank(*value)) {
            value++;
        }
        while (stop > value && (is_blank(stop[-1]) || stop[-1] == '\r')) {
            stop--;
        }
        out->value = value;
        out->value_len = (size_t)(stop - value);
    }
    out->name_len = (size_t)(name_end - start);
    return true;
}

void mime_unfold(stralloc *out, const char *value, size_t n)
{
    size_t start = out->len;
    const char *p = value;
    const char *end = value + n;
    while (p < end) {
        const char *next = line_end(p, end);
        const char *stop = without_line_end(p, next);
        if (out->len == start) {
            while (p < stop && is_blank(*p)) {
                p++;
            }
        }
        str_cat(out, p, (size_t)(stop - p));
        p = next;
    }
    while (out->len > start && is_blank(out->s[out->len - 1])) {
        out->len--;
    }
}

static bool is_white(char c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

void mime_collapse(stralloc *out, const char *bytes, size_t n)
{
    size_t at = out->len;
    for (size_t i = 0; i < n;) {
        size_t start = i;
        while (i < n && !is_white(bytes[i])) {
            i++;
        }
        if (i > start) {
            if (out->len > at) {
                str_catc(out, ' ');
            }
            str_cat(out, bytes + start, i - start);
        }
        while (i < n && is_white(bytes[i])) {
            i++;
        }
    }
}

struct mime_slice mime_unfolded(struct mime_slice value, stralloc *work)
{
    if (memchr(value.bytes, '\n', value.n) == NULL) {
        return value;
    }
    work->len = 0;
    (void)str_room(work, value.n);
    mime_unfold(work, value.bytes, value.n);
    return (struct mime_slice){work->s, work->len};
}

void mime_fields_read(const char *block, size_t n, struct mime_fields *out)
{
    *out = (struct mime_fields){.count = {0}};
    const char *at = block;
    struct mime_field field;
    while (mime_field_next(&at, block + n, &field)) {
        enum mime_name name = mime_name_of(field.start, field.name_len);
        if (name >= MIME_NAMES || field.value == NULL) {
            continue;
        }
        out->last[name] = (struct mime_slice){field.value, field.value_len};
        if (out->count[name]++ == 0) {
            out->first[name] = out->last[name];
        }
        out->is_folded[name] |= field.is_folded;
    }
}
