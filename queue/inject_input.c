/* SPDX-License-Identifier: ISC */
/* PHP and others write CR LF line ends into the pipe; stored mail has LF. */
#include "queue/inject_input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/str.h"
#include "queue/inject_header.h"

enum { CHUNK = 65536, NAME_MAX_BYTES = 1000 };

/* 0 at the end. */
static size_t read_some(char *to, size_t room, enum inject_name name)
{
    ssize_t n;
    do {
        n = read(0, to, room);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        inject_fail(name, &inject_unread, strerror(errno));
    }
    return (size_t)n;
}

static void keep(struct spill *spill, const char *bytes, size_t n, enum inject_name name)
{
    if (spill_add(spill, bytes, n) < 0) {
        inject_fail(name, &inject_unkept, strerror(errno));
    }
}

/* The line at input->line is whole (or is the last): does the header go on? */
static void end_line(struct inject_input *input)
{
    stralloc *header = &input->header;
    const char *line = header->s + input->line;
    size_t n = header->len - input->line;
    switch (inject_header_judge(line, n, input->line == 0)) {
    case INJECT_LINE_FIELD:
        input->line = header->len;
        return;
    case INJECT_LINE_MBOX:
        header->len = input->line;
        return;
    case INJECT_LINE_BLANK:
        break;
    case INJECT_LINE_BODY:
        keep(&input->body, line, n, input->name);
        break;
    }
    header->len = input->line;
    input->is_in_body = true;
}

/* A long beginning of a line that cannot be a field: no need to wait for its end. */
static bool is_surely_body(const struct inject_input *input)
{
    size_t n = input->header.len - input->line;
    return n > NAME_MAX_BYTES && inject_header_judge(input->header.s + input->line, n, input->line == 0) == INJECT_LINE_BODY;
}

static void take(struct inject_input *input, const char *bytes, size_t n)
{
    while (n > 0 && !input->is_in_body) {
        const char *lf = memchr(bytes, '\n', n);
        size_t len = lf == NULL ? n : (size_t)(lf - bytes) + 1;
        if (len > INJECT_HEADER_MAX - input->header.len) {
            inject_fail(input->name, &inject_long_header, "8388608");
        }
        str_cat(&input->header, bytes, len);
        bytes += len;
        n -= len;
        if (lf != NULL || is_surely_body(input)) {
            end_line(input);
        }
    }
    keep(&input->body, bytes, n, input->name);
}

/* Takes the CR out of each CR LF, across calls; room for one byte more. */
static size_t drop_crs(struct inject_input *input, const char *in, size_t n, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (input->after_cr && in[i] != '\n') {
            out[len++] = '\r';
        }
        input->after_cr = in[i] == '\r';
        if (!input->after_cr) {
            out[len++] = in[i];
        }
    }
    return len;
}

void inject_input_read(struct inject_input *input, enum inject_name name)
{
    static char raw[CHUNK], bytes[CHUNK + 1];
    size_t n;
    *input = (struct inject_input){.name = name};
    spill_init(&input->body);
    while ((n = read_some(raw, sizeof raw, name)) > 0) {
        take(input, bytes, drop_crs(input, raw, n, bytes));
    }
    if (input->after_cr) {
        take(input, "\r", 1);
    }
    if (!input->is_in_body && input->header.len > input->line) {
        str_catc(&input->header, '\n');
        end_line(input);
    }
}

void inject_input_read_raw(struct spill *spill, enum inject_name name)
{
    static char bytes[CHUNK];
    size_t n;
    spill_init(spill);
    while ((n = read_some(bytes, sizeof bytes, name)) > 0) {
        keep(spill, bytes, n, name);
    }
}
