/* SPDX-License-Identifier: ISC */
/* imapd/index_file and index_journal: what is written is read back; each byte of a small file that is flipped, and each place
 * where it is cut off, is noticed or harmless. */
#include <stdlib.h>

#include "imapd/index.h"
#include "lib/crc32c.h"
#include "lib/str.h"
#include "tests/tap.h"

/* A base of n records, names "n0", "n1" …, two keywords. */
static void make_base(uint32_t n, stralloc *out, struct index_base *base)
{
    struct record *records = memory_get(n + 1, sizeof *records);
    stralloc names = STRALLOC_ZERO;
    for (uint32_t i = 0; i < n; i++) {
        records[i] = (struct record){.uid = i + 1, .flags = (uint8_t)i, .modseq = 7 + i, .name_at = (uint32_t)names.len};
        str_catf(&names, "n%u", i);
        str_cat(&names, "", 1);
    }
    *base = (struct index_base){.header = {.uidvalidity = 77, .uidnext = n + 1, .n = n, .generation = 5},
                                .records = records,
                                .names = names.s,
                                .names_len = names.len,
                                .keywords = "one\0\0three",
                                .keywords_len = 11};
    out->len = 0;
    index_base_append(out, base);
    free(records);
    stralloc_free(&names);
}

static bool has_right_sums(const char *bytes, const struct index_header *header)
{
    const char *sums = bytes + header->sums_at;
    bool is_right = true;
    size_t blocks = index_blocks(header->n);
    for (size_t i = 0; i < blocks + index_text_blocks(header); i++) {
        size_t at;
        size_t len;
        uint32_t sum;
        if (i < blocks) {
            index_block_span(header->n, i, &at, &len);
            at += INDEX_HEADER;
        } else {
            index_text_span(header, i - blocks, &at, &len);
        }
        memcpy(&sum, sums + i * sizeof sum, sizeof sum);
        is_right = is_right && crc32c(0, bytes + at, len) == sum;
    }
    return is_right;
}

static bool is_whole_base(const char *bytes, size_t n)
{
    struct index_header header;
    if (n < sizeof header) {
        return false;
    }
    memcpy(&header, bytes, sizeof header);
    return index_header_is_good(&header, n) && has_right_sums(bytes, &header);
}

static void reads_back(uint32_t n)
{
    stralloc bytes = STRALLOC_ZERO;
    struct index_base base;
    struct index_header header;
    unsigned wrong = 0;
    make_base(n, &bytes, &base);
    memcpy(&header, bytes.s, sizeof header);
    printf("# %u records, %zu bytes\n", n, (size_t)bytes.len);
    ok(is_whole_base(bytes.s, bytes.len), "a_base_is_whole");
    ok(header.journal_at == bytes.len && bytes.len % 8 == 0, "the_journal_begins_at_its_end");
    ok(header.n == n && header.uidvalidity == 77 && header.generation == 5, "its_header_says_what_was_put_in");
    for (uint32_t i = 0; i < n; i++) {
        struct record record;
        char name[16];
        memcpy(&record, bytes.s + INDEX_HEADER + (size_t)i * sizeof record, sizeof record);
        (void)snprintf(name, sizeof name, "n%u", i);
        wrong += record.uid != i + 1 || record.modseq != 7 + i || record.flags != (uint8_t)i ||
                 strcmp(bytes.s + header.names_at + record.name_at, name) != 0;
    }
    is_number(wrong, 0, "its_records_have_their_names");
    is_bytes(bytes.s + header.keywords_at, header.keywords_len, "one\0\0three", 11, "and_its_keywords_stand_there");
    stralloc_free(&bytes);
}

static void each_flipped_byte_of_a_base(void)
{
    stralloc bytes = STRALLOC_ZERO;
    struct index_base base;
    unsigned unnoticed = 0;
    make_base(3, &bytes, &base);
    size_t sums_end = base.header.sums_at + (index_blocks(3) + index_text_blocks(&base.header)) * sizeof(uint32_t);
    for (size_t i = 0; i < bytes.len; i++) {
        bool is_padding = i >= sums_end && i < base.header.names_at; /* nobody reads it */
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.s[i] = (char)(bytes.s[i] ^ 1 << bit);
            unnoticed += is_whole_base(bytes.s, bytes.len) != is_padding;
            bytes.s[i] = (char)(bytes.s[i] ^ 1 << bit);
        }
    }
    is_number(unnoticed, 0, "each_flipped_bit_of_a_base_is_noticed");
    unnoticed = 0;
    for (size_t n = 0; n < bytes.len; n++) {
        unnoticed += is_whole_base(bytes.s, n);
    }
    is_number(unnoticed, 0, "each_truncation_of_a_base_is_noticed");
    ok(is_whole_base(bytes.s, bytes.len), "the_base_itself_is_whole");
    stralloc_free(&bytes);
}

/* A header with a right sum whose places are wrong. */
static bool is_good_with(struct index_header header, uint64_t size)
{
    header.crc = index_header_crc(&header);
    return index_header_is_good(&header, size);
}

static void looks_at_places(void)
{
    stralloc bytes = STRALLOC_ZERO;
    struct index_base base;
    make_base(3, &bytes, &base);
    struct index_header good = base.header;
    uint64_t size = bytes.len;
    struct index_header header = good;
    ok(is_good_with(good, size) && is_good_with(good, size + 8), "a_header_that_fits_its_file");
    struct {
        const char *name;
        uint64_t *place;
        uint64_t value;
    } rows[] = {{"records_over_the_sums", &header.sums_at, INDEX_HEADER},
                {"sums_at_an_odd_place", &header.sums_at, good.sums_at + 4},
                {"sums_over_the_names", &header.sums_at, good.names_at},
                {"names_behind_the_end", &header.names_at, good.journal_at + 8},
                {"names_far_behind_the_end", &header.names_at, UINT64_MAX - 7},
                {"names_over_the_keywords", &header.names_len, good.names_len + 8},
                {"names_without_end", &header.names_len, UINT64_MAX},
                {"keywords_behind_the_end", &header.keywords_at, good.journal_at + 8},
                {"keywords_over_the_end", &header.keywords_len, good.keywords_len + 8},
                {"keywords_without_end", &header.keywords_len, UINT64_MAX},
                {"a_journal_behind_the_end", &header.journal_at, size + 8},
                {"a_journal_at_an_odd_place", &header.journal_at, good.journal_at - 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        header = good;
        *rows[i].place = rows[i].value;
        ok(!is_good_with(header, size), rows[i].name);
    }
    header = good;
    header.n = 4;
    ok(!is_good_with(header, size), "more_records_than_room");
    header.n = UINT32_MAX;
    header.uidnext = UINT32_MAX;
    ok(!is_good_with(header, size), "as_many_records_as_there_are_numbers");
    header = good;
    header.uidnext = 3;
    ok(!is_good_with(header, size), "more_records_than_uids");
    header = good;
    header.uidvalidity = 0;
    ok(!is_good_with(header, size), "no_uidvalidity");
    header = good;
    header.magic[0] = 'X';
    ok(!is_good_with(header, size), "another_file");
    stralloc_free(&bytes);
}

/* An entry of each kind; n items of `size` bytes. */
static void put_entry(stralloc *out, enum index_kind kind, uint32_t n, size_t size, const char *text, size_t len)
{
    char item[128] = {1};
    size_t start = entry_begin(out, kind, 4711);
    for (uint32_t i = 0; i < n && size > 0; i++) {
        entry_put(out, item, size);
    }
    entry_put(out, text, len);
    entry_end(out, start, n);
}

static enum entry_result result_of(const char *bytes, size_t n)
{
    char *exact = memory_get(n + 8, 1); /* aligned as a reader's buffer is; a sanitizer sees what lies behind */
    struct entry entry;
    size_t used = 0;
    memcpy(exact, bytes, n);
    enum entry_result result = entry_parse(exact, n, &entry, &used);
    free(exact);
    return result == ENTRY_WHOLE && (used != entry.head.len || entry.len + sizeof entry.head > n) ? ENTRY_TORN : result;
}

static void entries_come_back(void)
{
    static const struct {
        const char *name;
        enum index_kind kind;
        uint32_t n;
        size_t size;
        const char *text;
        size_t len;
        enum entry_result want;
    } rows[] = {{"new_messages", ENTRY_APPEND, 2, sizeof(struct record), "a\0bb\0", 5, ENTRY_WHOLE},
                {"no_new_message", ENTRY_APPEND, 0, 0, "", 0, ENTRY_WHOLE},
                {"a_new_message_without_a_name", ENTRY_APPEND, 1, sizeof(struct record), "", 0, ENTRY_TORN},
                {"a_name_without_its_end", ENTRY_APPEND, 1, sizeof(struct record), "12345678", 8, ENTRY_TORN},
                {"flags", ENTRY_FLAGS, 3, sizeof(struct entry_flags), "", 0, ENTRY_WHOLE},
                {"expunges", ENTRY_EXPUNGE, 3, sizeof(struct entry_range), "", 0, ENTRY_WHOLE},
                {"cache", ENTRY_CACHE, 3, sizeof(struct entry_cache), "", 0, ENTRY_WHOLE},
                {"a_stamp", ENTRY_STAMP, 1, sizeof(struct entry_stamp), "", 0, ENTRY_WHOLE},
                {"two_stamps", ENTRY_STAMP, 2, sizeof(struct entry_stamp), "", 0, ENTRY_TORN},
                {"no_stamp", ENTRY_STAMP, 0, 0, "", 0, ENTRY_TORN},
                {"a_keyword", ENTRY_KEYWORD, 63, 0, "$Junk", 6, ENTRY_WHOLE},
                {"a_keyword_of_no_number", ENTRY_KEYWORD, 64, 0, "$Junk", 6, ENTRY_TORN},
                {"a_keyword_without_its_end", ENTRY_KEYWORD, 1, 0, "12345678", 8, ENTRY_TORN},
                {"flags_that_are_not_there", ENTRY_FLAGS, 3, 0, "", 0, ENTRY_TORN},
                {"kind_0", (enum index_kind)0, 0, 0, "", 0, ENTRY_TORN},
                {"kind_7", (enum index_kind)7, 0, 0, "", 0, ENTRY_TORN}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        stralloc bytes = STRALLOC_ZERO;
        put_entry(&bytes, rows[i].kind, rows[i].n, rows[i].size, rows[i].text, rows[i].len);
        is_number(result_of(bytes.s, bytes.len), rows[i].want, rows[i].name);
        ok(bytes.len % 8 == 0, "takes_eight_bytes_at_a_time");
        stralloc_free(&bytes);
    }
}

static void each_flipped_byte_of_a_journal(void)
{
    stralloc bytes = STRALLOC_ZERO;
    struct entry entry;
    size_t used = 0;
    unsigned unnoticed = 0;
    unsigned wrong = 0;
    put_entry(&bytes, ENTRY_APPEND, 1, sizeof(struct record), "name\0", 5);
    size_t first = bytes.len;
    put_entry(&bytes, ENTRY_KEYWORD, 5, 0, "word", 5);
    ok(entry_parse(bytes.s, bytes.len, &entry, &used) == ENTRY_WHOLE && used == first && entry.head.kind == ENTRY_APPEND &&
           entry.head.n == 1 && entry.head.modseq == 4711 && strcmp(entry.items + sizeof(struct record), "name") == 0,
       "the_first_of_two_entries");
    ok(entry_parse(bytes.s + first, bytes.len - first, &entry, &used) == ENTRY_WHOLE && entry.head.n == 5 &&
           strcmp(entry.items, "word") == 0,
       "and_the_second");
    for (size_t i = 0; i < first; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.s[i] = (char)(bytes.s[i] ^ 1 << bit);
            unnoticed += result_of(bytes.s, bytes.len) == ENTRY_WHOLE;
            bytes.s[i] = (char)(bytes.s[i] ^ 1 << bit);
        }
    }
    is_number(unnoticed, 0, "each_flipped_bit_of_an_entry_is_noticed");
    for (size_t n = 0; n < first; n++) {
        wrong += result_of(bytes.s, n) != ENTRY_MORE;
    }
    is_number(wrong, 0, "half_an_entry_is_waited_for");
    for (uint32_t len = 0; len < sizeof(struct entry_head); len += 4) {
        memcpy(bytes.s, &len, sizeof len);
        wrong += result_of(bytes.s, bytes.len) != ENTRY_TORN;
    }
    uint32_t huge = INDEX_ENTRY_MAX + 8;
    memcpy(bytes.s, &huge, sizeof huge);
    wrong += result_of(bytes.s, bytes.len) != ENTRY_TORN;
    is_number(wrong, 0, "a_length_that_no_entry_has");
    stralloc_free(&bytes);
}

int main(void)
{
    reads_back(0);
    reads_back(1);
    reads_back(3);
    reads_back(5000);
    each_flipped_byte_of_a_base();
    looks_at_places();
    entries_come_back();
    each_flipped_byte_of_a_journal();
    return done();
}
