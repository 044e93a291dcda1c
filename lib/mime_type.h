/* SPDX-License-Identifier: ISC */
/* A Content-Type field (RFC 2045 5.1). Broken ones are read as well as they can be: text/plain stands for what has no type and
 * subtype at all, for `text`, `multipart` and `message` alone; application/octet-stream for another type alone; what stands
 * behind the subtype and is no `;` is skipped, a first parameter without `;` taken. */
#ifndef MIME_TYPE_H
#define MIME_TYPE_H

#include "mime_params.h"

struct mime_type {
    struct mime_slice type, subtype; /* as written; slices of `text`, or constants */
    bool is_broken;                  /* one of the fallbacks above */
    struct mime_params params;       /* after mime_type_read_params */
    struct lexer lexer;
    stralloc value, text;
};
/* Zero the struct before the first use; its memory is used again. The value's bytes must live on until mime_type_read_params. */
void mime_type_read(struct mime_type *type, struct mime_slice value);
void mime_type_read_params(struct mime_type *type);
bool mime_type_is(const struct mime_type *type, const char *main_type, const char *subtype); /* any case; NULL: any */

#endif
