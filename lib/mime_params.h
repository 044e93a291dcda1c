/* SPDX-License-Identifier: ISC */
/* Parameters of Content-Type and Content-Disposition (RFC 2045 5.1), with the pieces of RFC 2231 put together: name*0, name*1
 * become one `name`, or `name*` (still percent-encoded, charset and all) when one of them is extended. Plain ones first, in their
 * order; then joined ones by name. */
#ifndef MIME_PARAMS_H
#define MIME_PARAMS_H

#include "header_lexer.h"
#include "mime_header.h"

enum { MIME_PARAMS_MAX = 1000 }; /* further ones are ignored */
struct mime_param {
    size_t name, name_len, value, value_len; /* places in text */
    uint32_t piece;
    bool is_piece, is_extended;
};
struct mime_params {
    stralloc text;
    struct mime_param *list;
    size_t n, room;
};
/* Reads to the end of the lexer's input, which stands at the first `;` (or at the first name: some forget it). Memory is kept
 * from call to call. */
void mime_params_read(struct mime_params *params, struct lexer *lexer);
struct mime_slice mime_param_name(const struct mime_params *params, size_t i);
struct mime_slice mime_param_value(const struct mime_params *params, size_t i);
/* The first one of that name, any case. */
bool mime_params_find(const struct mime_params *params, const char *name, struct mime_slice *out);

#endif
