/* SPDX-License-Identifier: ISC */
/* For tests that want each reply of a room spoken in its dialogue scripts. Run from the root of the tree. */
#ifndef SCRIPTS_H
#define SCRIPTS_H

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/str.h"

enum { SCRIPTS_LINE_MAX = 1024 };

/* All files of the pattern, one behind the other. */
static inline void scripts_read(const char *pattern, stralloc *out)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0) {
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *file = fopen(found.gl_pathv[i], "r");
        size_t n;
        do {
            n = fread(str_room(out, 4096), 1, 4096, file);
            out->len += n;
        } while (n > 0);
        fclose(file);
        str_catc(out, '\n');
    }
    globfree(&found);
}

/* Is `line` the text of a reply, with any bytes for its placeholders? Expectations by regular expression are read without their
 * \. */
static inline bool scripts_line_speaks(const char *line, size_t n, const char *text, size_t text_len)
{
    const char *end = line + n;
    const char *text_end = text + text_len;
    bool is_free = false;
    while (text < text_end) {
        const char *percent = memchr(text, '%', (size_t)(text_end - text));
        size_t plain = percent ? (size_t)(percent - text) : (size_t)(text_end - text);
        const char *at = memmem(line, (size_t)(end - line), text, plain);
        if (at == NULL || (!is_free && at != line)) {
            return false;
        }
        line = at + plain;
        text += plain;
        is_free = percent != NULL;
        text += is_free ? 2 : 0;
    }
    return is_free || line == end;
}

/* Does a script expect this reply line? */
static inline bool scripts_speak(const stralloc *scripts, const char *wanted, size_t n)
{
    const char *end = scripts->s + scripts->len;
    for (const char *line = scripts->s; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (line[0] == 'S' && (line[1] == ':' || line[1] == '~')) {
            char plain[SCRIPTS_LINE_MAX];
            size_t len = 0;
            for (const char *p = line + 3; p < stop && len < sizeof plain; p++) {
                if (line[1] == ':' || *p != '\\') {
                    plain[len++] = *p;
                }
            }
            if (scripts_line_speaks(plain, len, wanted, n)) {
                return true;
            }
        }
        line = stop + 1;
    }
    return false;
}

#endif
