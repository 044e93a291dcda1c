/* SPDX-License-Identifier: ISC */
/* The base part of stafet.index as bytes. Nothing is trusted that a sum does not cover: a header that does not fit its file is no
 * index, and each block of records is checked when it is first touched (folder_view.c). */
#include "imapd/index.h"

#include <string.h>

#include "lib/crc32c.h"
#include "lib/str.h"

_Static_assert(sizeof(struct index_header) == INDEX_HEADER, "the header has 256 bytes");
_Static_assert(sizeof(struct record) == 40, "a record has 40 bytes");
_Static_assert(INDEX_BLOCK % 8 == 0, "blocks are aligned");

uint32_t index_header_crc(const struct index_header *header)
{
    return crc32c(0, header, offsetof(struct index_header, crc));
}

size_t index_blocks(uint32_t n)
{
    return ((size_t)n * sizeof(struct record) + INDEX_BLOCK - 1) / INDEX_BLOCK;
}

void index_block_span(uint32_t n, size_t i, size_t *at_out, size_t *len_out)
{
    size_t whole = (size_t)n * sizeof(struct record);
    *at_out = i * INDEX_BLOCK;
    *len_out = whole - *at_out < INDEX_BLOCK ? whole - *at_out : INDEX_BLOCK;
}

static uint64_t text_len(const struct index_header *header)
{
    return header->journal_at - header->names_at;
}

size_t index_text_blocks(const struct index_header *header)
{
    return (text_len(header) + INDEX_BLOCK - 1) / INDEX_BLOCK;
}

void index_text_span(const struct index_header *header, size_t i, size_t *at_out, size_t *len_out)
{
    size_t left = text_len(header) - i * INDEX_BLOCK;
    *at_out = header->names_at + i * INDEX_BLOCK;
    *len_out = left < INDEX_BLOCK ? left : INDEX_BLOCK;
}

static bool is_place(uint64_t at, uint64_t len, uint64_t end)
{
    return at % 8 == 0 && at <= end && len <= end - at;
}

bool index_header_is_good(const struct index_header *header, uint64_t size)
{
    if (memcmp(header->magic, INDEX_MAGIC, sizeof header->magic) != 0 || index_header_crc(header) != header->crc) {
        return false;
    }
    uint64_t end = header->journal_at;
    if (header->names_at > end) {
        return false;
    }
    uint64_t sums_len = (index_blocks(header->n) + index_text_blocks(header)) * sizeof(uint32_t);
    return header->uidvalidity > 0 && header->uidnext > header->n && end <= size && end % 8 == 0 &&
           is_place(INDEX_HEADER, (uint64_t)header->n * sizeof(struct record), header->sums_at) &&
           is_place(header->sums_at, sums_len, header->names_at) &&
           is_place(header->names_at, header->names_len, header->keywords_at) &&
           is_place(header->keywords_at, header->keywords_len, end);
}

static void pad(stralloc *out)
{
    static const char zeros[8];
    str_cat(out, zeros, (8 - out->len % 8) % 8);
}

/* Zeros at `at`, to be filled in when what they cover is there. */
static void leave_room(stralloc *out, size_t n)
{
    memset(str_room(out, n), 0, n);
    out->len += n;
}

static void put_sum(stralloc *out, size_t at, const char *bytes, size_t n)
{
    uint32_t crc = crc32c(0, bytes, n);
    memcpy(out->s + at, &crc, sizeof crc);
}

static void put_sums(stralloc *out, size_t start, const struct index_base *base)
{
    const struct index_header *header = &base->header;
    size_t to = start + header->sums_at;
    size_t at;
    size_t len;
    for (size_t i = 0; i < index_blocks(header->n); i++, to += sizeof(uint32_t)) {
        index_block_span(header->n, i, &at, &len);
        put_sum(out, to, (const char *)base->records + at, len);
    }
    for (size_t i = 0; i < index_text_blocks(header); i++, to += sizeof(uint32_t)) {
        index_text_span(header, i, &at, &len);
        put_sum(out, to, out->s + start + at, len);
    }
}

static size_t padded(size_t n)
{
    return (n + 7) / 8 * 8;
}

void index_base_append(stralloc *out, struct index_base *base)
{
    struct index_header *header = &base->header;
    size_t start = out->len;
    memcpy(header->magic, INDEX_MAGIC, sizeof header->magic);
    size_t text = padded(base->names_len) + padded(base->keywords_len);
    size_t blocks = index_blocks(header->n) + (text + INDEX_BLOCK - 1) / INDEX_BLOCK;
    (void)str_room(out, sizeof *header + (size_t)header->n * sizeof(struct record) + padded(blocks * sizeof(uint32_t)) + text);
    str_cat(out, (const char *)header, sizeof *header);
    str_cat(out, (const char *)base->records, (size_t)header->n * sizeof(struct record));
    header->sums_at = out->len - start;
    leave_room(out, padded(blocks * sizeof(uint32_t)));
    header->names_at = out->len - start;
    header->names_len = base->names_len;
    str_cat(out, base->names, base->names_len);
    pad(out);
    header->keywords_at = out->len - start;
    header->keywords_len = base->keywords_len;
    str_cat(out, base->keywords, base->keywords_len);
    pad(out);
    header->journal_at = out->len - start;
    put_sums(out, start, base);
    header->crc = index_header_crc(header);
    memcpy(out->s + start, header, sizeof *header);
}
