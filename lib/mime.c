/* SPDX-License-Identifier: ISC */
/* The parser: lines, boundaries and the table of parts. Whom it trusts: nobody. Bytes are passed once, line by line by memchr;
 * only a line that may be special (a boundary, the end of a header) is held until enough of it is there, at most MIME_LINE_HELD
 * bytes.
 *
 *            ordinary             LF
 *   LINE_START -------> HEADER_LINE -----> LINE_START        no boundary open: LINE_START -> REST
 *    |     |    -------> BODY_LINE  ----->
 *    |     empty line of a header: the part's kind is known: LINE_START of the body, or of the embedded message's header
 *    boundary: parts end -> BOUNDARY_LINE -- LF --> LINE_START of the next part's header, or of what follows the last part
 */
#include "mime.h"
#include "crlf.h"
#include "str.h"

#include <string.h>

/* Bytes without LF. */
static void pass(struct mime *mime, const char *bytes, size_t n)
{
    if (n > 0) {
        mime->here.offset += n;
        mime->last = bytes[n - 1];
    }
}

static void pass_line_end(struct mime *mime)
{
    bool is_bare = mime->last != '\r';
    mime->line_end = is_bare ? 1 : 2;
    mime->here.offset++;
    mime->here.lines++;
    mime->here.bare += is_bare;
    mime->last = '\n';
    mime->is_first_line = false;
    mime->state = MIME_LINE_START;
}

/* Passes the rest of a line; returns behind its LF, or `end`. */
static const char *pass_line(struct mime *mime, const char *p, const char *end)
{
    const char *lf = memchr(p, '\n', (size_t)(end - p));
    if (lf == NULL) {
        pass(mime, p, (size_t)(end - p));
        return end;
    }
    pass(mime, p, (size_t)(lf - p));
    pass_line_end(mime);
    return lf + 1;
}

static void keep_header(struct mime *mime, const char *bytes, size_t n)
{
    size_t room = MIME_KEPT_MAX - mime->headers.len;
    str_cat(&mime->headers, bytes, n < room ? n : room);
}

static bool has_room_for_part(const struct mime *mime, uint32_t parent)
{
    return mime->n < MIME_PARTS_MAX && mime->parts[parent].depth + 1 < MIME_DEPTH_MAX;
}

/* A part begins here with its header; the caller has asked has_room_for_part. */
static void begin_part(struct mime *mime, uint32_t parent)
{
    if (mime->n == mime->room) {
        mime->room = mime->room == 0 ? 16 : mime->room * 2;
        mime->parts = memory_grow(mime->parts, mime->room, sizeof *mime->parts);
    }
    struct mime_part *part = &mime->parts[mime->n];
    *part = (struct mime_part){.start = mime->here, .parent = parent, .next = MIME_NONE, .number = 1};
    part->kept = (uint32_t)mime->headers.len;
    if (parent != MIME_NONE) {
        struct mime_part *above = &mime->parts[parent];
        part->depth = (uint8_t)(above->depth + 1);
        part->number = ++above->children;
        part->is_mime = above->kind == MIME_MULTIPART;
    }
    mime->current = mime->n++;
    mime->in_header = true;
    mime->is_first_line = true;
    mime->state = MIME_LINE_START;
}

/* The part behind a boundary line. */
static void begin_next_part(struct mime *mime)
{
    struct mime_boundary *boundary = &mime->open[mime->open_n - 1];
    uint32_t previous = boundary->last_child;
    begin_part(mime, boundary->part);
    boundary->last_child = mime->current;
    if (previous != MIME_NONE) {
        mime->parts[previous].next = mime->current;
    }
}

static void open_boundary(struct mime *mime, struct mime_slice text)
{
    struct mime_boundary *boundary = &mime->open[mime->open_n++];
    size_t n = text.n < MIME_BOUNDARY_MAX ? text.n : MIME_BOUNDARY_MAX;
    *boundary = (struct mime_boundary){.part = mime->current, .last_child = MIME_NONE, .at = mime->boundary_text.len, .n = n};
    str_cat(&mime->boundary_text, text.bytes, n);
    mime->longest = n > mime->longest ? n : mime->longest;
    mime->shortest = n < mime->shortest ? n : mime->shortest;
}

/* Only the first `n` boundaries stay open. */
static void close_boundaries(struct mime *mime, uint32_t n)
{
    if (n < mime->open_n) {
        mime->boundary_text.len = mime->open[n].at;
        mime->open_n = n;
    }
}

/* The kind that a Content-Type gives; *boundary_out: of a multipart, where it has one. */
static enum mime_kind kind_by_type(struct mime *mime, struct mime_slice value, struct mime_slice *boundary_out)
{
    struct mime_type *type = &mime->type;
    mime_type_read(type, value);
    if (mime_type_is(type, "message", "rfc822")) {
        return MIME_MESSAGE;
    }
    if (!mime_type_is(type, "multipart", NULL)) {
        return MIME_LEAF;
    }
    mime_type_read_params(type);
    (void)mime_params_find(&type->params, "boundary", boundary_out);
    return MIME_MULTIPART;
}

/* Reads the current part's header block; *boundary_out as above. */
static void read_kind(struct mime *mime, struct mime_slice *boundary_out)
{
    struct mime_part *part = &mime->parts[mime->current];
    struct mime_fields fields;
    mime_fields_read(mime->headers.s + part->kept, part->kept_len, &fields);
    part->is_default = fields.count[MIME_CONTENT_TYPE] == 0;
    part->is_mime = part->is_mime || !part->is_default || fields.count[MIME_MIME_VERSION] > 0;
    enum mime_kind kind = MIME_LEAF;
    if (!part->is_default) {
        kind = kind_by_type(mime, fields.first[MIME_CONTENT_TYPE], boundary_out);
        part->is_digest = kind == MIME_MULTIPART && mime_type_is(&mime->type, NULL, "digest");
    } else if (part->parent != MIME_NONE && mime->parts[part->parent].is_digest) {
        kind = MIME_MESSAGE;
    }
    part->is_overflow = kind != MIME_LEAF && !has_room_for_part(mime, mime->current);
    part->kind = (uint8_t)(part->is_overflow ? MIME_LEAF : kind);
}

static void enter_body(struct mime *mime)
{
    mime->in_header = false;
    mime->is_first_line = true;
    mime->state = mime->open_n > 0 ? MIME_LINE_START : MIME_REST;
}

/* The current part's header ended here, with its empty line. */
static void end_header(struct mime *mime)
{
    struct mime_part *part = &mime->parts[mime->current];
    struct mime_slice boundary = {NULL, 0};
    part->body = mime->here;
    part->kept_len = (uint32_t)mime->headers.len - part->kept;
    read_kind(mime, &boundary);
    if (part->kind == MIME_MESSAGE) {
        begin_part(mime, mime->current);
        return;
    }
    if (part->kind == MIME_MULTIPART && boundary.bytes != NULL) {
        open_boundary(mime, boundary);
    }
    if (mime->n == MIME_PARTS_MAX) {
        close_boundaries(mime, 0);
    }
    enter_body(mime);
}

/* The current part's header ended at `where` without an empty line, by a boundary or the end of the message: its body is empty.
 */
static void cut_header(struct mime *mime, struct mime_place where)
{
    struct mime_part *part = &mime->parts[mime->current];
    struct mime_slice boundary = {NULL, 0};
    part->body = where;
    part->kept_len = (uint32_t)mime->headers.len - part->kept;
    read_kind(mime, &boundary);
    if (part->kind == MIME_MESSAGE) {
        begin_part(mime, mime->current);
        part = &mime->parts[mime->current];
        part->start = part->body = where;
        part->is_default = true;
    }
    mime->in_header = false;
}

/* Where the line before this one ends, without its line end. */
static struct mime_place before_line_end(const struct mime *mime)
{
    struct mime_place place = mime->here;
    if (!mime->is_first_line) {
        place.offset -= mime->line_end;
        place.lines--;
        place.bare -= mime->line_end == 1;
    }
    return place;
}

/* This line is the index-th boundary: the parts inside of its multipart end. */
static void meet_boundary(struct mime *mime, uint32_t index, bool is_last)
{
    struct mime_place where = before_line_end(mime);
    if (mime->in_header) {
        cut_header(mime, where);
    }
    uint32_t multipart = mime->open[index].part;
    for (uint32_t i = mime->current; i != multipart; i = mime->parts[i].parent) {
        mime->parts[i].end = where;
    }
    mime->current = multipart;
    close_boundaries(mime, is_last ? index : index + 1);
    mime->state = MIME_BOUNDARY_LINE;
}

/* The boundary that a line begins with: the longest one, the innermost of equal ones. False: none. */
static bool find_boundary(const struct mime *mime, const char *line, size_t n, uint32_t *index_out)
{
    const struct mime_boundary *best = NULL;
    if (n < mime->shortest + 2 || line[0] != '-' || line[1] != '-') {
        return false;
    }
    for (uint32_t i = mime->open_n; i-- > 0;) {
        const struct mime_boundary *one = &mime->open[i];
        if (one->n <= n - 2 && (best == NULL || one->n > best->n) &&
            memcmp(mime->boundary_text.s + one->at, line + 2, one->n) == 0) {
            best = one;
            *index_out = i;
        }
    }
    return best != NULL;
}

/* The first byte of a line: can the line be an empty one of a header, or a boundary? */
static bool may_be_special(const struct mime *mime, char c)
{
    return (c == '-' && mime->open_n > 0) || (mime->in_header && (c == '\n' || c == '\r'));
}

/* Behind the LF of a boundary line: the next part, or what follows the last one. */
static void leave_boundary_line(struct mime *mime)
{
    bool is_next = mime->open_n > 0 && mime->open[mime->open_n - 1].part == mime->current;
    if (is_next && mime->n < MIME_PARTS_MAX) {
        begin_next_part(mime);
        return;
    }
    if (is_next) {
        close_boundaries(mime, 0);
    }
    mime->state = mime->open_n > 0 ? MIME_LINE_START : MIME_REST;
}

static const char *take_boundary_line(struct mime *mime, const char *p, const char *end)
{
    p = pass_line(mime, p, end);
    if (mime->state == MIME_LINE_START) {
        leave_boundary_line(mime);
    }
    return p;
}

/* Whole lines as long as none may be special. */
static const char *take_lines(struct mime *mime, const char *p, const char *end)
{
    enum mime_state inside = mime->state;
    const char *start = p;
    do {
        mime->state = inside;
        p = pass_line(mime, p, end);
    } while (p != end && !may_be_special(mime, *p));
    if (inside == MIME_HEADER_LINE) {
        keep_header(mime, start, (size_t)(p - start));
    }
    return p;
}

/* Enough of a line is known to tell what it is. Its bytes are not passed yet. */
static void recognise_line(struct mime *mime, const char *line, size_t n)
{
    uint32_t index;
    if (find_boundary(mime, line, n, &index)) {
        const struct mime_boundary *boundary = &mime->open[index];
        bool is_last = n >= boundary->n + 4 && memcmp(line + 2 + boundary->n, "--", 2) == 0;
        meet_boundary(mime, index, is_last);
    } else if (mime->in_header && (line[0] == '\n' || (n > 1 && line[0] == '\r' && line[1] == '\n'))) {
        mime->state = MIME_EMPTY_LINE;
    } else {
        mime->state = mime->in_header ? MIME_HEADER_LINE : MIME_BODY_LINE;
    }
}

static const char *step(struct mime *mime, const char *p, const char *end);

/* The held bytes are known for what they are: at most one line. */
static void pass_held(struct mime *mime)
{
    size_t n = mime->held_len;
    mime->held_len = 0;
    recognise_line(mime, mime->held, n);
    for (const char *p = mime->held; p != mime->held + n;) {
        p = step(mime, p, mime->held + n);
    }
}

static const char *take_line_start(struct mime *mime, const char *p, const char *end)
{
    if (mime->held_len == 0 && !may_be_special(mime, *p)) {
        mime->state = mime->in_header ? MIME_HEADER_LINE : MIME_BODY_LINE;
        return p;
    }
    size_t wanted = mime->longest + 4 - mime->held_len;
    size_t n = (size_t)(end - p) < wanted ? (size_t)(end - p) : wanted;
    const char *lf = memchr(p, '\n', n);
    bool is_enough = lf != NULL || n == wanted;
    n = lf != NULL ? (size_t)(lf + 1 - p) : n;
    if (is_enough && mime->held_len == 0) {
        recognise_line(mime, p, n);
        return p;
    }
    memcpy(mime->held + mime->held_len, p, n);
    mime->held_len += n;
    if (is_enough) {
        pass_held(mime);
    }
    return p + n;
}

static const char *take_empty_line(struct mime *mime, const char *p, const char *end)
{
    const char *next = pass_line(mime, p, end);
    keep_header(mime, p, (size_t)(next - p));
    end_header(mime);
    return next;
}

static const char *take_rest(struct mime *mime, const char *p, const char *end)
{
    struct crlf crlf = {.last = mime->last};
    crlf_count(&crlf, p, (size_t)(end - p));
    mime->here.offset += crlf.bytes;
    mime->here.lines += crlf.lines;
    mime->here.bare += crlf.bare;
    mime->last = crlf.last;
    return end;
}

/* Passes some of p..end (at least one byte, or the state moves on); returns behind it. */
static const char *step(struct mime *mime, const char *p, const char *end)
{
    switch (mime->state) {
    case MIME_LINE_START:
        return take_line_start(mime, p, end);
    case MIME_HEADER_LINE:
    case MIME_BODY_LINE:
        return take_lines(mime, p, end);
    case MIME_EMPTY_LINE:
        return take_empty_line(mime, p, end);
    case MIME_BOUNDARY_LINE:
        return take_boundary_line(mime, p, end);
    case MIME_REST:
        return take_rest(mime, p, end);
    }
    return end;
}

void mime_start(struct mime *mime)
{
    mime->n = 0;
    mime->headers.len = 0;
    (void)str_room(&mime->headers, 1); /* so that an empty header is a slice too */
    mime->boundary_text.len = 0;
    mime->here = (struct mime_place){0};
    mime->open_n = 0;
    mime->longest = 0;
    mime->shortest = MIME_BOUNDARY_MAX;
    mime->held_len = 0;
    mime->last = '\n';
    begin_part(mime, MIME_NONE);
}

void mime_feed(struct mime *mime, const char *bytes, size_t n)
{
    const char *end = bytes + n;
    while (bytes != end) {
        bytes = step(mime, bytes, end);
    }
}

void mime_end(struct mime *mime)
{
    if (mime->held_len > 0) {
        pass_held(mime);
    }
    if (mime->in_header) {
        cut_header(mime, mime->here);
    }
    for (uint32_t i = mime->current; i != MIME_NONE; i = mime->parts[i].parent) {
        mime->parts[i].end = mime->here;
    }
    mime_fields_read(mime->headers.s, mime->parts[0].kept_len, &mime->root);
}
