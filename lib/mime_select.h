/* SPDX-License-Identifier: ISC */
/* HEADER.FIELDS and HEADER.FIELDS.NOT (RFC 3501 6.4.5). */
#ifndef MIME_SELECT_H
#define MIME_SELECT_H

#include "mime_header.h"

struct mime_field_names {
    const struct mime_slice *list; /* any case */
    size_t n;
    bool is_not;
};
/* Appends the fields of a block whose name is in the list (is_not: is not), in their order, as they go over the wire, and
 * the empty line if the block has one. The block may be the stored header, or a summary's fields (which have none) where all
 * names are known to it. */
void mime_select_append(stralloc *out, const char *block, size_t n, const struct mime_field_names *names);
/* One field as it goes over the wire, with a line end where it has none. */
void mime_field_append(stralloc *out, const struct mime_field *field);

#endif
