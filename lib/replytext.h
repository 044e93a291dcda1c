/* SPDX-License-Identifier: ISC */
/* The words of a reply with their details: `%s` bytes, `%n` a number, `%t` what a service said. Whoever calls adds code and line
 * end. */
#ifndef REPLYTEXT_H
#define REPLYTEXT_H

#include <skalibs/stralloc.h>
#include <stddef.h>
#include <stdint.h>

/* What stands for %s, %n and %t (foreign bytes: escaped here, then cut at 200). */
struct reply_detail {
    const char *bytes;
    size_t len;
    uint64_t number;
    const char *told; /* the text of a service's verdict, its status code in front; NULL: none */
};
void reply_text_append(stralloc *out, const char *text, size_t n, const struct reply_detail *detail);

#endif
