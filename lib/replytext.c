/* SPDX-License-Identifier: ISC */
/* Foreign bytes reach a client in one place: here, escaped and cut. */
#include "lib/replytext.h"

#include <string.h>

#include "lib/str.h"

enum { DETAIL_MAX = 200 };

static void append_foreign(stralloc *out, const char *bytes, size_t n)
{
    size_t start = out->len;
    str_cat_printable(out, bytes, n > DETAIL_MAX ? DETAIL_MAX : n);
    if (n > DETAIL_MAX || out->len - start > DETAIL_MAX) {
        out->len = out->len - start > DETAIL_MAX ? start + DETAIL_MAX : out->len;
        str_cats(out, "...");
    }
}

static void append_detail(stralloc *out, char which, const struct reply_detail *detail)
{
    if (which == 's') {
        append_foreign(out, detail->bytes, detail->len);
    } else if (which == 'n') {
        str_catn(out, detail->number);
    } else if (detail->told != NULL) {
        append_foreign(out, detail->told, strlen(detail->told));
    }
}

void reply_text_append(stralloc *out, const char *text, size_t n, const struct reply_detail *detail)
{
    const char *end = text + n;
    while (text < end) {
        const char *percent = memchr(text, '%', (size_t)(end - text));
        size_t plain = percent ? (size_t)(percent - text) : (size_t)(end - text);
        str_cat(out, text, plain);
        text += plain;
        if (percent) {
            append_detail(out, percent[1], detail);
            text += 2;
        }
    }
}
