/* SPDX-License-Identifier: ISC */
/* Entries of the journal: built under stafet.lock, appended by one write, read without a lock. A reader may see the beginning of
 * an entry whose end is on its way; only the holder of the lock may call such a tail torn and cut it off. */
#include "imapd/index.h"

#include <string.h>

#include "lib/crc32c.h"
#include "lib/die.h"
#include "lib/str.h"

enum { CRC_FROM = offsetof(struct entry_head, modseq) };

size_t entry_begin(stralloc *out, enum index_kind kind, uint64_t modseq)
{
    size_t start = out->len;
    struct entry_head head = {.modseq = modseq, .kind = kind};
    str_cat(out, (const char *)&head, sizeof head);
    return start;
}

void entry_put(stralloc *out, const void *bytes, size_t n)
{
    str_cat(out, bytes, n);
}

void entry_end(stralloc *out, size_t start, uint32_t n)
{
    static const char zeros[8];
    str_cat(out, zeros, (8 - (out->len - start) % 8) % 8);
    size_t len = out->len - start;
    if (len > INDEX_ENTRY_MAX) {
        die_bug("index entry of %zu bytes", len);
    }
    struct entry_head head;
    memcpy(&head, out->s + start, sizeof head);
    head.len = (uint32_t)len;
    head.n = n;
    memcpy(out->s + start, &head, sizeof head);
    head.crc = crc32c(0, out->s + start + CRC_FROM, len - CRC_FROM);
    memcpy(out->s + start, &head, sizeof head);
}

static size_t item_size(uint32_t kind)
{
    switch (kind) {
    case ENTRY_APPEND:
        return sizeof(struct record);
    case ENTRY_FLAGS:
        return sizeof(struct entry_flags);
    case ENTRY_EXPUNGE:
        return sizeof(struct entry_range);
    case ENTRY_CACHE:
        return sizeof(struct entry_cache);
    case ENTRY_STAMP:
        return sizeof(struct entry_stamp);
    default:
        return 0;
    }
}

/* Do n items of this kind fit? A keyword is a text with its NUL. */
static bool is_content(const struct entry *entry)
{
    const struct entry_head *head = &entry->head;
    if (head->kind < ENTRY_APPEND || head->kind > ENTRY_KEYWORD) {
        return false;
    }
    if (head->kind == ENTRY_KEYWORD) {
        return head->n < INDEX_KEYWORDS && memchr(entry->items, '\0', entry->len) != NULL;
    }
    size_t size = item_size(head->kind);
    if (head->kind == ENTRY_STAMP && head->n != 1) {
        return false;
    }
    if (size > 0 && head->n > entry->len / size) {
        return false;
    }
    /* Names end with a NUL: the padding may add more. */
    return head->kind != ENTRY_APPEND || head->n == 0 || (entry->len > head->n * size && entry->items[entry->len - 1] == '\0');
}

enum entry_result entry_parse(const char *bytes, size_t n, struct entry *out, size_t *used_out)
{
    struct entry entry;
    if (n < sizeof entry.head) {
        return ENTRY_MORE;
    }
    memcpy(&entry.head, bytes, sizeof entry.head);
    if (entry.head.len < sizeof entry.head || entry.head.len % 8 != 0 || entry.head.len > INDEX_ENTRY_MAX) {
        return ENTRY_TORN;
    }
    if (entry.head.len > n) {
        return ENTRY_MORE;
    }
    entry.items = bytes + sizeof entry.head;
    entry.len = entry.head.len - sizeof entry.head;
    if (crc32c(0, bytes + CRC_FROM, entry.head.len - CRC_FROM) != entry.head.crc || !is_content(&entry)) {
        return ENTRY_TORN;
    }
    *used_out = entry.head.len;
    *out = entry;
    return ENTRY_WHOLE;
}
