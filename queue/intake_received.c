/* SPDX-License-Identifier: ISC */
/* The trace line in qmail's shape, which the analysers of many sites read: two lines, the second begins with two blanks. */
#include <stdbool.h>
#include <string.h>

#include "lib/date.h"
#include "lib/str.h"
#include "queue/intake_received.h"

enum { WORD_MAX = 255 };

static bool is_safe(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr(".-_:@/=%+[]", c) != NULL);
}

/* A word of the caller: no byte that could end the line, a comment or an address. */
static void append_foreign(stralloc *out, const char *word)
{
    for (size_t i = 0; i < WORD_MAX && word[i] != 0; i++) {
        str_catc(out, is_safe(word[i]) ? word[i] : '?');
    }
}

static bool is_known(const char *word)
{
    return word != NULL && *word != 0;
}

static void append_host(stralloc *out, const struct intake_origin *origin)
{
    const char *rdns = is_known(origin->rdns) ? origin->rdns : "unknown";
    str_cats(out, "from ");
    append_foreign(out, rdns);
    if (is_known(origin->helo) && !str_equal_nocase(rdns, strlen(rdns), origin->helo, strlen(origin->helo))) {
        str_cats(out, " (HELO ");
        append_foreign(out, origin->helo);
        str_catc(out, ')');
    }
    str_cats(out, " (");
    if (is_known(origin->auth)) {
        append_foreign(out, origin->auth);
        str_catc(out, '@');
    }
    append_foreign(out, origin->ip);
    str_catc(out, ')');
}

void intake_received_append(stralloc *out, const struct intake_origin *origin, const char *me, const char *id, uint64_t seconds)
{
    str_cats(out, "Received: ");
    if (is_known(origin->ip)) {
        append_host(out, origin);
    } else if (strcmp(origin->proto, "bounce") == 0) {
        str_catf(out, "(stafet %ld invoked for bounce)", (long)origin->pid);
    } else {
        str_catf(out, "(stafet %ld invoked by uid %lu)", (long)origin->pid, (unsigned long)origin->uid);
    }
    str_cats(out, "\n  by ");
    append_foreign(out, me);
    str_cats(out, " with ");
    append_foreign(out, origin->proto);
    str_cats(out, " id ");
    str_cats(out, id);
    str_cats(out, "; ");
    date_append(out, seconds);
    str_catc(out, '\n');
}
