/* SPDX-License-Identifier: ISC */
/* What a table of parts answers: sizes on the wire, and which part a section number names. */
#include "mime.h"

uint64_t mime_part_header_bytes(const struct mime_part *part)
{
    return part->body.offset + part->body.bare - part->start.offset - part->start.bare;
}

uint64_t mime_part_body_bytes(const struct mime_part *part)
{
    return part->end.offset + part->end.bare - part->body.offset - part->body.bare;
}

uint64_t mime_part_body_lines(const struct mime_part *part)
{
    return part->end.lines - part->body.lines;
}

const struct mime_fields *mime_part_fields(const struct mime *mime, uint32_t i, struct mime_fields *work)
{
    const struct mime_part *part = &mime->parts[i];
    if (i == 0 && part->is_mime) {
        return &mime->root;
    }
    mime_fields_read(mime->headers.s + part->kept, part->is_mime ? part->kept_len : 0, work);
    return work;
}

/* Part number `number` of a multipart. */
static uint32_t find_child(const struct mime_part *parts, uint32_t multipart, uint32_t number)
{
    if (number == 0 || number > parts[multipart].children) {
        return MIME_NONE;
    }
    uint32_t child = multipart + 1;
    while (number-- > 1 && child != MIME_NONE) {
        child = parts[child].next;
    }
    return child;
}

uint32_t mime_find(const struct mime_part *parts, const uint32_t *numbers, size_t n)
{
    uint32_t at = 0;
    bool is_chosen = false; /* `at` was named; else it is a message whose parts are counted */
    for (size_t i = 0; i < n; i++) {
        if (is_chosen && parts[at].kind == MIME_MESSAGE) {
            at++;
            is_chosen = false;
        }
        if (parts[at].kind == MIME_MULTIPART) {
            at = find_child(parts, at, numbers[i]);
        } else if (is_chosen || numbers[i] != 1) {
            at = MIME_NONE;
        }
        if (at == MIME_NONE) {
            return MIME_NONE;
        }
        is_chosen = true;
    }
    return at;
}

bool mime_is_shown_only(const struct mime_part *parts, const uint32_t *numbers, size_t n)
{
    if (n == 0 || numbers[n - 1] != 1) {
        return false;
    }
    uint32_t above = n == 1 ? 0 : mime_find(parts, numbers, n - 1);
    above += above != MIME_NONE && n > 1 && parts[above].kind == MIME_MESSAGE;
    return above != MIME_NONE && parts[above].kind == MIME_MULTIPART && parts[above].children == 0;
}
