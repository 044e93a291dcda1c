/* SPDX-License-Identifier: ISC */
/* Where TOP ends: the header, the empty line behind it, and so many lines of the body. Pure, any chunking. LF, CR and CRLF end a
 * line, as they do on the wire (lib/dot.h). */
#ifndef TOP_H
#define TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct top {
    uint64_t lines_left; /* of the body */
    bool in_body, in_line, after_cr, is_done;
};
void top_init(struct top *top, uint64_t lines);
/* How many of the next n bytes belong to it; fewer than n: is_done. */
size_t top_take(struct top *top, const char *bytes, size_t n);

#endif
