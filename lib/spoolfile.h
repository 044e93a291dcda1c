/* SPDX-License-Identifier: ISC */
/* The message file, byte for byte (spool(5), CONTRACTS section 3): pure encoding and decoding. Who writes when: queue (all but
 * marks and notes), send (marks, notes). */
#ifndef SPOOLFILE_H
#define SPOOLFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

enum {
    SPOOLFILE_HEADER = 128,
    SPOOLFILE_NOTES_MAX = 65536,
    SPOOLFILE_WINDOW = 65536, /* the part of an envelope before its first recipient fits, and each recipient */
    SPOOLFILE_8BIT = 1,
    SPOOLFILE_UTF8 = 2,
    SPOOLFILE_BOUNCE = 4,
    SPOOLFILE_REQUIRETLS = 8
};
#define SPOOLFILE_MAGIC "STAFET1\n"

struct spoolfile_header {
    uint64_t mlen, elen;                /* bytes of message and envelope */
    uint32_t n;                         /* recipients */
    uint32_t message_crc, envelope_crc; /* CRC-32C */
    uint64_t accepted_us;
    uint32_t lines;
    uint32_t flags;
};
void spoolfile_encode_header(const struct spoolfile_header *header, char out[SPOOLFILE_HEADER]);
enum spoolfile_fault {
    SPOOLFILE_GOOD,
    SPOOLFILE_TORN,         /* shorter than its header says, or the header is blank: never acknowledged (2a) */
    SPOOLFILE_CRC,          /* full length, wrong sums */
    SPOOLFILE_MAGIC_UNKNOWN /* another format or version */
};
/* size: of the whole file; it must hold header, message, envelope and marks. */
enum spoolfile_fault spoolfile_decode_header(const char bytes[SPOOLFILE_HEADER], uint64_t size, struct spoolfile_header *out);
/* Reads the whole file and checks both sums and the envelope's grammar. Leaves the file offset alone (pread). -1: errno, else a
 * spoolfile_fault. */
int spoolfile_check(int fd, struct spoolfile_header *header_out);
static inline uint64_t spoolfile_message_at(void)
{
    return SPOOLFILE_HEADER;
}
uint64_t spoolfile_envelope_at(const struct spoolfile_header *header);
uint64_t spoolfile_marks_at(const struct spoolfile_header *header);
uint64_t spoolfile_notes_at(const struct spoolfile_header *header);

/* Envelope. Values: no NUL; queue has refused CR, LF. */
struct spoolfile_envelope {
    const char *sender, *uid, *envid, *ret, *helo, *ip, *login, *tls, *extra; /* NULL: not there; slices, NUL-terminated */
};
struct spoolfile_recipient {
    const char *address, *notify, *orcpt; /* notify and orcpt may be NULL */
};
/* Reads the part before the first recipient. *used_out: where the recipients begin. False: not the grammar. */
bool spoolfile_envelope_read(const char *bytes, size_t n, struct spoolfile_envelope *out, size_t *used_out);
/* Next recipient at *at (moved behind it). 1; 0 at the end of the envelope (the empty record was read and nothing follows); -1:
 * not the grammar (or cut: with a window of the envelope, read on from *at, which has not moved). */
int spoolfile_recipient_next(const char *bytes, size_t n, size_t *at, struct spoolfile_recipient *out);
void spoolfile_envelope_append(stralloc *out, const struct spoolfile_envelope *envelope);
void spoolfile_recipient_append(stralloc *out, const struct spoolfile_recipient *recipient);
void spoolfile_envelope_end(stralloc *out);

/* Notes: `LLLL CCCCCCCC time n letter site text\n`. */
struct spoolfile_note {
    uint64_t seconds;
    uint32_t n;       /* recipient number, from 0 */
    char letter;      /* K Z D */
    const char *site; /* no spaces; "-" none */
    const char *text; /* LF and NUL were replaced by blanks on the way in */
    size_t site_len, text_len;
};
/* Appends one note; a text is cut so that the note stays under 2048 bytes. */
void spoolfile_note_append(stralloc *out, const struct spoolfile_note *note);
/* Next note at *at. 1, 0 at the end, -1 at the first bad note (*at stays: cut the file there). Slices of bytes. */
int spoolfile_note_next(const char *bytes, size_t n, size_t *at, struct spoolfile_note *out);

/* Name in later/SLOT/: ID.TRIES.SITE.WHY */
struct spoolfile_later {
    char id[23];
    uint32_t tries;
    char site[9]; /* 8 hex of the CRC-32C of the lower-case domain; "+" several; "-" local */
    char why[17];
};
bool spoolfile_later_parse(const char *name, struct spoolfile_later *out);
void spoolfile_later_append(stralloc *out, const struct spoolfile_later *later);
/* The trigger's record: id, 9 blanks, LF. */
enum { SPOOLFILE_TRIGGER = 32 };
void spoolfile_trigger_record(const char *id, char out[SPOOLFILE_TRIGGER]);

#endif
