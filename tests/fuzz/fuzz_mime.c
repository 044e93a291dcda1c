/* SPDX-License-Identifier: ISC */
/* lib/mime, lib/mime_text, lib/mime_summary: any bytes are a message, in whichever pieces they come. Its parts lie in each other,
 * their sizes are the encoder's, what is said of it to a client is well-formed, and its summary says the same. The first two
 * bytes say where it is cut. */
#include "lib/crlf.h"
#include "lib/mime_summary.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"

static struct mime mime, again;
static struct mime_text text;
static struct mime_summary_work work;

static void parse(struct mime *to, const char *bytes, size_t n, size_t cut)
{
    mime_start(to);
    mime_feed(to, bytes, cut);
    mime_feed(to, bytes + cut, n - cut);
    mime_end(to);
}

static bool are_equal(const struct mime_place *a, const struct mime_place *b)
{
    return a->offset == b->offset && a->lines == b->lines && a->bare == b->bare;
}

static void require_equal(void)
{
    require(mime.n == again.n && fuzz_equal(mime.headers.s, mime.headers.len, again.headers.s, again.headers.len));
    for (uint32_t i = 0; i < mime.n; i++) {
        const struct mime_part *a = &mime.parts[i];
        const struct mime_part *b = &again.parts[i];
        require(are_equal(&a->start, &b->start) && are_equal(&a->body, &b->body) && are_equal(&a->end, &b->end));
        require(a->parent == b->parent && a->next == b->next && a->number == b->number && a->children == b->children &&
                a->kind == b->kind);
    }
}

static uint64_t wire_bytes(const char *bytes, size_t n)
{
    struct crlf crlf;
    crlf_start(&crlf);
    crlf_count(&crlf, bytes, n);
    return crlf_wire_bytes(&crlf);
}

static void require_tree(const char *bytes, size_t n)
{
    require(mime.n >= 1 && mime.n <= MIME_PARTS_MAX && mime.parts[0].start.offset == 0 && mime.parts[0].end.offset == n);
    for (uint32_t i = 0; i < mime.n; i++) {
        const struct mime_part *part = &mime.parts[i];
        size_t header = part->body.offset - part->start.offset;
        size_t body = part->end.offset - part->body.offset;
        require(part->start.offset <= part->body.offset && part->body.offset <= part->end.offset && part->end.offset <= n);
        require(wire_bytes(bytes + part->start.offset, header) == mime_part_header_bytes(part));
        require(wire_bytes(bytes + part->body.offset, body) == mime_part_body_bytes(part));
        require((part->kind == MIME_LEAF) <= (part->children == 0) && (part->kind == MIME_MESSAGE) <= (part->children == 1));
        if (i > 0) {
            const struct mime_part *above = &mime.parts[part->parent];
            require(part->parent < i && part->depth == above->depth + 1 && part->depth < MIME_DEPTH_MAX);
            require(above->body.offset <= part->start.offset && part->end.offset <= above->end.offset);
        }
    }
}

/* Behind a string at p. */
static const char *skip_string(const char *p, const char *end)
{
    if (*p == '{') {
        char *rest;
        size_t n = strtoul(p + 1, &rest, 10);
        require(end - rest > 2 && memcmp(rest, "}\r\n", 3) == 0 && n <= (size_t)(end - rest - 3) &&
                memchr(rest + 3, '\0', n) == NULL);
        return rest + 3 + n;
    }
    for (p++; *p != '"'; p++) {
        require(p + 1 < end && *p != '\0' && *p != '\r' && *p != '\n' && (unsigned char)*p < 0x80);
        p += *p == '\\';
    }
    return p + 1;
}

/* One list of strings, numbers, NIL and lists. */
static void require_list(stralloc *out)
{
    const char *p = str_text(out);
    const char *end = p + out->len;
    size_t open = 0;
    require(*p == '(');
    do {
        require(p < end);
        if (*p == '"' || *p == '{') {
            p = skip_string(p, end);
        } else {
            require(strchr("() NIL0123456789", *p) != NULL);
            open += *p == '(';
            open -= *p == ')';
            p++;
        }
    } while (open > 0);
    require(p == end);
}

static void require_text(void)
{
    stralloc out = STRALLOC_ZERO;
    mime_envelope_append(&out, &text, &mime, 0);
    require_list(&out);
    stralloc plain = STRALLOC_ZERO;
    out.len = 0;
    mime_structures_append(&out, &plain, &text, &mime);
    require_list(&out);
    require_list(&plain);
    stralloc_free(&plain);
    stralloc_free(&out);
}

static void require_summary(const char *bytes, size_t n, size_t cut)
{
    stralloc blob = STRALLOC_ZERO;
    struct mime_summary summary;
    struct mime_summary_part part;
    mime_summary_start(&work);
    mime_summary_feed(&work, bytes, cut);
    mime_summary_feed(&work, bytes + cut, n - cut);
    require(mime_summary_end(&work, &blob) && mime_summary_open(&summary, blob.s, blob.len) && summary.n == blob.len);
    require(summary.wire_bytes == wire_bytes(bytes, n) && summary.parts == mime.n);
    for (uint32_t i = 0; i < mime.n; i++) {
        mime_summary_part(&summary, i, &part);
        require(part.part.end.offset == mime.parts[i].end.offset &&
                mime_part_body_bytes(&part.part) == mime_part_body_bytes(&mime.parts[i]));
        require(part.part.parent == mime.parts[i].parent && part.part.next == mime.parts[i].next &&
                part.part.kind == mime.parts[i].kind);
    }
    stralloc_free(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    size_t n = size - 2;
    size_t cut = (data[0] * 256U + data[1]) % (n + 1);
    char *bytes = fuzz_copy(data + 2, n);
    parse(&mime, bytes, n, n);
    require_tree(bytes, n);
    require_text();
    parse(&again, bytes, n, cut);
    require_equal();
    require_summary(bytes, n, cut);
    free(bytes);
    return 0;
}
