/* SPDX-License-Identifier: ISC */
/* Reads the original by windows, at most BOUNCE_FULL_MAX of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/str.h"
#include "queue/bounce_copy.h"

/* ---- how much ---- */

/* Length of the header in n bytes, its blank line not counted; n when there is none. */
static size_t header_len(const char *bytes, size_t n)
{
    if (n > 0 && bytes[0] == '\n') {
        return 0;
    }
    const char *blank = memmem(bytes, n, "\n\n", 2);
    return blank == NULL ? n : (size_t)(blank - bytes) + 1;
}

static enum bounce_copy choose(const struct bounce_file *file)
{
    const char *ret = file->envelope.ret;
    bool is_full = ret != NULL && strcmp(ret, "FULL") == 0;
    if (ret != NULL && strcmp(ret, "HDRS") == 0) {
        return BOUNCE_COPY_ASKED;
    }
    return file->header.mlen <= (is_full ? BOUNCE_FULL_MAX : BOUNCE_COPY_MAX) ? BOUNCE_COPY_WHOLE : BOUNCE_COPY_LARGE;
}

static void measure(struct bounce_copy_range *range, const struct bounce_file *file, struct bounce_text *text,
                    const stralloc *start)
{
    size_t header = header_len(start->s, start->len);
    text->copy = choose(file);
    range->len = file->header.mlen;
    if (text->copy == BOUNCE_COPY_WHOLE) {
        return;
    }
    range->len = header;
    if (header == start->len && header < file->header.mlen) {
        const char *line = memrchr(start->s, '\n', header);
        range->len = line == NULL ? header : (uint64_t)(line - start->s) + 1;
        text->copy = BOUNCE_COPY_HUGE;
    }
}

/* ---- its Message-ID ---- */

/* The <…> of a field's value: printable, no blank, nothing that needs quoting here. */
static void take_message_id(stralloc *out, const char *value, size_t n)
{
    enum { LEN_MAX = 250 };
    const char *open = memchr(value, '<', n);
    const char *close = open == NULL ? NULL : memchr(open, '>', n - (size_t)(open - value));
    if (close == NULL || close - open > LEN_MAX) {
        return;
    }
    for (const char *p = open; p <= close; p++) {
        if (*p <= 0x20 || *p > 0x7e || (*p == '<' && p != open)) {
            return;
        }
    }
    str_cat(out, open, (size_t)(close - open) + 1);
}

static void find_message_id(stralloc *out, const char *bytes, size_t n)
{
    static const char name[] = "message-id:";
    const size_t name_len = sizeof name - 1;
    for (size_t at = 0; at < n && out->len == 0;) {
        const char *end = memchr(bytes + at, '\n', n - at);
        size_t len = end == NULL ? n - at : (size_t)(end - bytes) - at;
        if (len > name_len && str_equal_nocase(bytes + at, name_len, name, name_len)) {
            take_message_id(out, bytes + at + name_len, len - name_len);
        }
        at += len + 1;
    }
}

/* ---- the boundary ---- */

/* 1: `what` stands in the first `len` bytes of the message; 0; -1 errno. */
static int message_has(const struct bounce_file *file, uint64_t len, const char *what)
{
    enum { STEP = 65536 };
    size_t overlap = strlen(what) - 1;
    stralloc window = STRALLOC_ZERO;
    int found = 0;
    for (uint64_t at = 0; at < len && found == 0; at += STEP) {
        ssize_t n = pread(file->fd, str_room(&window, STEP + overlap), STEP + overlap, (off_t)(spoolfile_message_at() + at));
        found = n < 0 ? -1 : memmem(window.s, (size_t)n, what, overlap + 1) != NULL;
    }
    stralloc_free(&window);
    return found;
}

/* The id is random and younger than the message, so the first try is good; a note may quote the id, so it is looked at. */
static int find_boundary(const struct bounce_copy_range *range, const struct bounce_file *file, struct bounce_text *text)
{
    int found;
    unsigned try = 0;
    do {
        int n = snprintf(text->boundary, sizeof text->boundary, "=_%s_%u", text->id, try++);
        found = memmem(file->notes.s, file->notes.len, text->boundary, (size_t)n) != NULL;
        found = found ? found : message_has(file, range->len, text->boundary);
    } while (found == 1);
    return found;
}

int bounce_copy_find(struct bounce_copy_range *range, const struct bounce_file *file, struct bounce_text *text)
{
    stralloc start = STRALLOC_ZERO;
    size_t wanted = file->header.mlen < BOUNCE_HEADER_MAX ? (size_t)file->header.mlen : BOUNCE_HEADER_MAX;
    ssize_t n = pread(file->fd, str_room(&start, wanted), wanted, (off_t)spoolfile_message_at());
    int result = n < 0 ? -1 : 0;
    if (n >= 0) {
        start.len = (size_t)n;
        measure(range, file, text, &start);
        find_message_id(&range->message_id, start.s, header_len(start.s, start.len));
        text->message_id = str_text(&range->message_id);
        result = find_boundary(range, file, text);
    }
    stralloc_free(&start);
    return result;
}

void bounce_copy_free(struct bounce_copy_range *range)
{
    stralloc_free(&range->message_id);
}
