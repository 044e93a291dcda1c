/* SPDX-License-Identifier: ISC */
/* Choosing header fields by name. */
#include "mime_select.h"
#include "crlf.h"
#include "str.h"

void mime_field_append(stralloc *out, const struct mime_field *field)
{
    size_t n = (size_t)(field->end - field->start);
    char last = '\n';
    char *room = str_room(out, 2 * n + 2);
    size_t len = crlf_encode(&last, field->start, n, room);
    if (last != '\n') {
        room[len++] = '\r';
        room[len++] = '\n';
    }
    out->len += len;
}

static bool is_named(const struct mime_field *field, const struct mime_field_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        if (str_equal_nocase(field->start, field->name_len, names->list[i].bytes, names->list[i].n)) {
            return true;
        }
    }
    return false;
}

void mime_select_append(stralloc *out, const char *block, size_t n, const struct mime_field_names *names)
{
    struct mime_field field;
    const char *at = block;
    while (mime_field_next(&at, block + n, &field)) {
        bool is_chosen = field.value != NULL && is_named(&field, names);
        if (is_chosen != names->is_not) {
            mime_field_append(out, &field);
        }
    }
    if (at < block + n) {
        str_cat(out, "\r\n", 2);
    }
}
