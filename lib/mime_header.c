/* SPDX-License-Identifier: ISC */
/* Header blocks cut into fields, and fields into name and value. Nothing is refused: a line that is no field is one without a
 * value, as other servers see it. */
#include "mime_header.h"
#include "str.h"

#include <string.h>

static const struct {
    const char *text;
    size_t n;
} names[MIME_NAMES] = {
    [MIME_DATE] = {"date", 4},
    [MIME_SUBJECT] = {"subject", 7},
    [MIME_FROM] = {"from", 4},
    [MIME_SENDER] = {"sender", 6},
    [MIME_REPLY_TO] = {"reply-to", 8},
    [MIME_TO] = {"to", 2},
    [MIME_CC] = {"cc", 2},
    [MIME_BCC] = {"bcc", 3},
    [MIME_IN_REPLY_TO] = {"in-reply-to", 11},
    [MIME_MESSAGE_ID] = {"message-id", 10},
    [MIME_REFERENCES] = {"references", 10},
    [MIME_MIME_VERSION] = {"mime-version", 12},
    [MIME_CONTENT_TYPE] = {"content-type", 12},
    [MIME_CONTENT_ENCODING] = {"content-transfer-encoding", 25},
    [MIME_CONTENT_ID] = {"content-id", 10},
    [MIME_CONTENT_DESCRIPTION] = {"content-description", 19},
    [MIME_CONTENT_DISPOSITION] = {"content-disposition", 19},
    [MIME_CONTENT_LANGUAGE] = {"content-language", 16},
    [MIME_CONTENT_LOCATION] = {"content-location", 16},
    [MIME_CONTENT_MD5] = {"content-md5", 11},
};
/* Lengths that known names have: most other fields need no comparison. */
static const unsigned lengths_known =
    1U << 2 | 1U << 3 | 1U << 4 | 1U << 6 | 1U << 7 | 1U << 8 | 1U << 10 | 1U << 11 | 1U << 12 | 1U << 16 | 1U << 19 | 1U << 25;

enum mime_name mime_name_of(const char *name, size_t n)
{
    if (n > 25 || !(lengths_known >> n & 1)) {
        return MIME_OTHER;
    }
    for (unsigned i = 0; i < MIME_NAMES; i++) {
        if (names[i].n == n && (name[0] | 0x20) == names[i].text[0] && str_equal_nocase(name, n, names[i].text, n)) {
            return (enum mime_name)i;
        }
    }
    return MIME_OTHER;
}

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
        if (name == MIME_OTHER || field.value == NULL) {
            continue;
        }
        out->last[name] = (struct mime_slice){field.value, field.value_len};
        if (out->count[name]++ == 0) {
            out->first[name] = out->last[name];
        }
        out->is_folded[name] |= field.is_folded;
    }
}
