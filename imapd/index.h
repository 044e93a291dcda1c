/* SPDX-License-Identifier: ISC */
/* The bytes of stafet.index (stafet-index(5)): one file a folder, derived from the Maildir and dovecot-uidlist, deletable.
 *
 *   [header 256][records 40 each, by UID][CRC-32Cs: a block of 16 KiB of records, then of names and keywords][names][keywords]
 *   [journal: entries, it only grows]
 *
 * The base names lie in the name table: the file is new/BASE or cur/BASE:2,LETTERS. A file whose name another one has (st_nlink
 * 0) is finished: its readers go on with the new one.
 *
 * Numbers are the processor's (little endian; another order is another file). All parts begin at multiples of 8. The part before
 * the journal is never written again: a new base is a new file under the same name. */
#ifndef IMAPD_INDEX_H
#define IMAPD_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

enum { INDEX_HEADER = 256, INDEX_BLOCK = 16384, INDEX_KEYWORDS = 64, INDEX_ENTRY_MAX = 1 << 28, INDEX_UNKNOWN_SIZE = -1 };
#define INDEX_MAGIC "STIDX03\n"
#define INDEX_NAME  "stafet.index"

/* State of a record. */
enum {
    RECORD_IS_NEW = 1, /* the file is in new/ */
    RECORD_IS_ODD = 2, /* its name in cur/ is not BASE:2,LETTERS in order: only a scan tells it */
    RECORD_IS_GONE = 4 /* expunged; only in a session's memory */
};
/* As a date: nobody has looked at the file yet. Its mtime is the date, and the size is only the word of its name. */
#define RECORD_UNSEEN UINT32_MAX
struct record {
    uint32_t uid;
    uint8_t flags; /* MAILBOX_* of lib/mailbox.h */
    uint8_t state;
    uint16_t reserved;
    uint64_t keywords; /* bit n: keyword n; 0-25 are the letters a-z of the name */
    uint64_t modseq;
    uint32_t date;     /* INTERNALDATE, seconds since 1970; RECORD_UNSEEN */
    uint32_t size;     /* RFC822.SIZE; UINT32_MAX: not known */
    uint32_t name_at;  /* into the names of the base, or (appended since) of the session */
    uint32_t cache_at; /* in units of 8 bytes of stafet.cache; 0: none */
};

/* What the folder looked like when this state was true: equal stamps = nothing to scan. */
struct index_stamp {
    uint64_t fresh_ns, cur_ns; /* mtimes of new/ and cur/ */
    uint64_t uidlist_ns, uidlist_size, uidlist_inode;
    uint64_t keywords_size; /* of stafet-keywords, which only grows; 0: none */
};

struct index_header {
    char magic[8];
    uint64_t generation; /* µs when the base was made; greater than its predecessor's */
    uint32_t uidvalidity, uidnext;
    uint32_t n;
    uint32_t n_unseen, n_deleted;
    uint32_t first_recent; /* UIDs from here on are \Recent to the next session */
    uint64_t unused_sum;
    uint64_t highest_modseq;
    uint64_t forgotten_modseq; /* which UIDs were expunged up to here is not known any more: gaps tell */
    uint64_t scanned_us;       /* the last whole scan of cur/ */
    uint64_t cache_id;         /* of the stafet.cache that cache_at means */
    uint64_t fresh_at;         /* stafet.fresh was read up to here */
    uint32_t n_new, unused;    /* messages in new/ */
    struct index_stamp stamp;
    uint64_t sums_at, names_at, names_len, keywords_at, keywords_len, journal_at;
    uint64_t previous;      /* generation of the base that this one goes on from; 0: it was made from the Maildir */
    uint64_t cache_checked; /* size of stafet.cache when it was last seen how much of it lives */
    uint8_t reserved[44];
    uint32_t crc; /* of all before it */
};

/* Journal: [len u32: whole entry, a multiple of 8][crc u32: of what follows][modseq u64][kind u32][n u32][n items …] */
enum index_kind {
    ENTRY_APPEND = 1,  /* n records, name_at counts from the names behind them: NUL-ended */
    ENTRY_FLAGS = 2,   /* n struct entry_flags */
    ENTRY_EXPUNGE = 3, /* n struct entry_range */
    ENTRY_CACHE = 4,   /* n struct entry_cache */
    ENTRY_STAMP = 5,   /* one struct entry_stamp */
    ENTRY_KEYWORD = 6  /* keyword number n is the NUL-ended name that follows */
};
struct entry_head {
    uint32_t len, crc;
    uint64_t modseq;
    uint32_t kind, n;
};
struct entry_flags {
    uint32_t uid;
    uint8_t flags, state;
    uint16_t reserved;
    uint64_t keywords;
};
struct entry_range {
    uint32_t first, last;
};
struct entry_cache {
    uint32_t uid, cache_at, size;
    uint32_t date; /* RECORD_UNSEEN: as before */
};
struct entry_stamp {
    struct index_stamp stamp;
    uint64_t scanned_us, cache_id, fresh_at;
    uint32_t uidnext, first_recent;
};

/* True: magic, sums and places of the header are right for a file of `size` bytes. */
bool index_header_is_good(const struct index_header *header, uint64_t size);
uint32_t index_header_crc(const struct index_header *header);
/* Number of blocks of n records. */
size_t index_blocks(uint32_t n);
/* Bytes of block i of n records, as an offset into the records and a length. */
void index_block_span(uint32_t n, size_t i, size_t *at_out, size_t *len_out);
/* Blocks of names and keywords, which lie between names_at and journal_at; their sums stand behind those of the records. */
size_t index_text_blocks(const struct index_header *header);
void index_text_span(const struct index_header *header, size_t i, size_t *at_out, size_t *len_out);
static inline size_t index_block_of(uint32_t record)
{
    return (size_t)record * sizeof(struct record) / INDEX_BLOCK;
}

/* A whole base as one string: header (places, sums and crc filled in), records, sums, names, keywords. names: NUL-ended, name_at
 * of the records counts from their start. */
struct index_base {
    struct index_header header;
    const struct record *records;
    const char *names;
    size_t names_len;
    const char *keywords; /* NUL-ended names, number 0 first, "" unused */
    size_t keywords_len;
};
void index_base_append(stralloc *out, struct index_base *base);

/* Building an entry: start = entry_begin(out, ENTRY_FLAGS, modseq); entry_put(…) …; entry_end(out, start, n). */
size_t entry_begin(stralloc *out, enum index_kind kind, uint64_t modseq);
void entry_put(stralloc *out, const void *bytes, size_t n);
void entry_end(stralloc *out, size_t start, uint32_t n);
struct entry {
    struct entry_head head;
    const char *items; /* behind the head, aligned to 8 when the bytes are */
    size_t len;
};
enum entry_result { ENTRY_WHOLE, ENTRY_MORE, ENTRY_TORN };
/* The entry at the front of n bytes; *used_out its length. MORE: the bytes end inside it. TORN: never an entry. The items' number
 * is checked against the length. */
enum entry_result entry_parse(const char *bytes, size_t n, struct entry *out, size_t *used_out);

#endif
