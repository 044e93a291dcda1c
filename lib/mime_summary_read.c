/* SPDX-License-Identifier: ISC */
/* Reading summaries. They come from files that may be damaged: all places are checked once, when one is opened. */
#include "mime_summary.h"

#include <endian.h>
#include <string.h>

static uint32_t get32(const char *from)
{
    uint32_t bytes;
    memcpy(&bytes, from, sizeof bytes);
    return le32toh(bytes);
}

static uint64_t get64(const char *from)
{
    uint64_t bytes;
    memcpy(&bytes, from, sizeof bytes);
    return le64toh(bytes);
}

/* The pair of a section: its place and length. */
static const char *pair(const char *bytes, size_t section)
{
    return bytes + 48 + 8 * section;
}

bool mime_summary_open(struct mime_summary *summary, const char *bytes, size_t n)
{
    if (n < MIME_SUMMARY_HEAD || memcmp(bytes, "MSM1", 4) != 0) {
        return false;
    }
    uint32_t whole = get32(bytes + 4);
    if (whole < MIME_SUMMARY_HEAD || whole > n) {
        return false;
    }
    for (size_t i = 0; i < MIME_SECTIONS; i++) {
        uint32_t at = get32(pair(bytes, i));
        uint32_t len = get32(pair(bytes, i) + 4);
        if (at > whole || len > whole - at || (at < MIME_SUMMARY_HEAD && at + len != 0)) {
            return false;
        }
    }
    *summary = (struct mime_summary){.bytes = bytes,
                                     .n = whole,
                                     .parts = get32(pair(bytes, MIME_PARTS) + 4) / MIME_SUMMARY_PART,
                                     .wire_bytes = get64(bytes + 8),
                                     .header_wire_bytes = get64(bytes + 16),
                                     .id_hash = get64(bytes + 32),
                                     .sent = (int64_t)get64(bytes + 24),
                                     .zone = (int32_t)get32(bytes + 40),
                                     .flags = get32(bytes + 44)};
    return true;
}

bool mime_summary_get(const struct mime_summary *summary, enum mime_section section, struct mime_slice *out)
{
    const char *place = pair(summary->bytes, section);
    uint32_t at = get32(place);
    if (at == 0) {
        return false;
    }
    *out = (struct mime_slice){summary->bytes + at, get32(place + 4)};
    return true;
}

/* A place behind another one, by its stored and wire bytes and lines. */
static struct mime_place place_behind(struct mime_place before, uint64_t offset, uint32_t wire, uint32_t lines)
{
    offset = offset < before.offset ? before.offset : offset; /* a damaged table: nothing ends before it begins */
    uint64_t stored = offset - before.offset;
    return (struct mime_place){.offset = offset, .lines = before.lines + lines, .bare = before.bare + wire - stored};
}

/* Links of a damaged table lead nowhere: forward only, and inside of it. */
static void bound_links(struct mime_part *part, uint32_t i, uint32_t parts)
{
    if (part->next <= i || part->next >= parts) {
        part->next = MIME_NONE;
    }
    if (part->parent >= i) {
        part->parent = i == 0 ? MIME_NONE : 0;
    }
    if (i + 1 >= parts) {
        part->children = 0;
        part->kind = part->kind == MIME_MESSAGE ? MIME_LEAF : part->kind;
    }
}

void mime_summary_part(const struct mime_summary *summary, uint32_t i, struct mime_summary_part *out)
{
    const char *from = summary->bytes + get32(pair(summary->bytes, MIME_PARTS)) + (size_t)i * MIME_SUMMARY_PART;
    unsigned char flags = (unsigned char)from[45];
    unsigned char encoding = (unsigned char)from[46];
    unsigned char kind = (unsigned char)from[44];
    struct mime_part part = {.start = {.offset = get32(from)},
                             .parent = get32(from + 28),
                             .next = get32(from + 32),
                             .children = get32(from + 36),
                             .number = get32(from + 40),
                             .kind = kind <= MIME_MESSAGE ? kind : MIME_LEAF,
                             .is_mime = flags & 1,
                             .is_default = flags & 2,
                             .is_digest = flags & 4,
                             .is_overflow = flags & 8};
    part.body = place_behind(part.start, get32(from + 4), get32(from + 12), get32(from + 20));
    part.end = place_behind(part.body, get32(from + 8), get32(from + 16), get32(from + 24));
    bound_links(&part, i, summary->parts);
    struct mime_slice charsets = {"", 0};
    (void)mime_summary_get(summary, MIME_CHARSETS, &charsets);
    uint32_t at = get32(from + 48);
    size_t len = (unsigned char)from[47];
    bool is_there = at <= charsets.n && len <= charsets.n - at;
    *out = (struct mime_summary_part){.part = part,
                                      .encoding = encoding <= MIME_BASE64 ? (enum mime_encoding)encoding : MIME_IDENTITY,
                                      .is_text = flags & 16,
                                      .charset = {charsets.bytes + (is_there ? at : 0), is_there ? len : 0}};
}

void mime_summary_parts(const struct mime_summary *summary, struct mime_part *out)
{
    for (uint32_t i = 0; i < summary->parts; i++) {
        struct mime_summary_part part;
        mime_summary_part(summary, i, &part);
        out[i] = part.part;
    }
}
