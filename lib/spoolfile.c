/* SPDX-License-Identifier: ISC */
/* The bytes of a message file. Pure, but for spoolfile_check, which reads an open file through one window of 64 KiB: a usual
 * message costs it one fstat and one pread. Trusts nothing in the file: every length is checked against the file's size before it
 * is used. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crc32c.h"
#include "lib/scan.h"
#include "lib/spoolfile.h"

/* ---- header ---- */

enum {
    AT_MLEN = 8,
    AT_ELEN = 25,
    AT_N = 42,
    AT_MESSAGE_CRC = 51,
    AT_ENVELOPE_CRC = 60,
    AT_ACCEPTED = 69,
    AT_LINES = 86,
    AT_FLAGS = 95,
    AT_RESERVED = 104,
    AT_HEADER_CRC = 119
};

static void put_hex(char *out, uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--) {
        out[i - 1] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
}

/* A field of the header: hex digits and LF. */
static void put_field(char *out, uint64_t value, unsigned digits)
{
    put_hex(out, value, digits);
    out[digits] = '\n';
}

void spoolfile_encode_header(const struct spoolfile_header *header, char out[SPOOLFILE_HEADER])
{
    memcpy(out, SPOOLFILE_MAGIC, AT_MLEN);
    put_field(out + AT_MLEN, header->mlen, 16);
    put_field(out + AT_ELEN, header->elen, 16);
    put_field(out + AT_N, header->n, 8);
    put_field(out + AT_MESSAGE_CRC, header->message_crc, 8);
    put_field(out + AT_ENVELOPE_CRC, header->envelope_crc, 8);
    put_field(out + AT_ACCEPTED, header->accepted_us, 16);
    put_field(out + AT_LINES, header->lines, 8);
    put_field(out + AT_FLAGS, header->flags, 8);
    memset(out + AT_RESERVED, ' ', AT_HEADER_CRC - AT_RESERVED - 1);
    out[AT_HEADER_CRC - 1] = '\n';
    put_field(out + AT_HEADER_CRC, crc32c(0, out, AT_HEADER_CRC), 8);
}

static bool get_field64(const char *bytes, uint64_t *out)
{
    return bytes[16] == '\n' && scan_hex(bytes, 16, out);
}

static bool get_field32(const char *bytes, uint32_t *out)
{
    uint64_t value;
    if (bytes[8] != '\n' || !scan_hex(bytes, 8, &value)) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static bool is_blank(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool decode_fields(const char *bytes, struct spoolfile_header *out)
{
    uint32_t crc;
    return get_field32(bytes + AT_HEADER_CRC, &crc) && crc == crc32c(0, bytes, AT_HEADER_CRC) &&
           get_field64(bytes + AT_MLEN, &out->mlen) && get_field64(bytes + AT_ELEN, &out->elen) &&
           get_field32(bytes + AT_N, &out->n) && get_field32(bytes + AT_MESSAGE_CRC, &out->message_crc) &&
           get_field32(bytes + AT_ENVELOPE_CRC, &out->envelope_crc) && get_field64(bytes + AT_ACCEPTED, &out->accepted_us) &&
           get_field32(bytes + AT_LINES, &out->lines) && get_field32(bytes + AT_FLAGS, &out->flags);
}

/* The bytes that header, message, envelope and marks need; false: more than any file has. */
static bool bytes_needed(const struct spoolfile_header *header, uint64_t *out)
{
    uint64_t sum = SPOOLFILE_HEADER;
    if (__builtin_add_overflow(sum, header->mlen, &sum) || __builtin_add_overflow(sum, header->elen, &sum) ||
        __builtin_add_overflow(sum, (uint64_t)header->n, &sum) || sum > INT64_MAX) {
        return false;
    }
    *out = sum;
    return true;
}

enum spoolfile_fault spoolfile_decode_header(const char bytes[SPOOLFILE_HEADER], uint64_t size, struct spoolfile_header *out)
{
    if (size < SPOOLFILE_HEADER || is_blank(bytes, SPOOLFILE_HEADER)) {
        return SPOOLFILE_TORN;
    }
    if (memcmp(bytes, SPOOLFILE_MAGIC, AT_MLEN) != 0) {
        return SPOOLFILE_MAGIC_UNKNOWN;
    }
    struct spoolfile_header header;
    uint64_t needed;
    if (!decode_fields(bytes, &header) || !bytes_needed(&header, &needed)) {
        return SPOOLFILE_CRC;
    }
    if (size < needed) {
        return SPOOLFILE_TORN;
    }
    *out = header;
    return SPOOLFILE_GOOD;
}

uint64_t spoolfile_envelope_at(const struct spoolfile_header *header)
{
    return SPOOLFILE_HEADER + header->mlen;
}

uint64_t spoolfile_marks_at(const struct spoolfile_header *header)
{
    return SPOOLFILE_HEADER + header->mlen + header->elen;
}

uint64_t spoolfile_notes_at(const struct spoolfile_header *header)
{
    return SPOOLFILE_HEADER + header->mlen + header->elen + header->n;
}

/* ---- the whole file ---- */

/* Bytes [start, start + len) of the file. */
struct window {
    int fd;
    uint64_t start;
    size_t len;
    char bytes[SPOOLFILE_WINDOW];
};

/* Makes the window begin at `at` and be as full as the file allows. */
static int window_move(struct window *window, uint64_t at)
{
    ssize_t n = pread(window->fd, window->bytes, sizeof window->bytes, (off_t)at);
    window->start = at;
    window->len = n < 0 ? 0 : (size_t)n;
    return n < 0 ? -1 : 0;
}

/* At least one byte at `at`, at most `limit`: their number; 0: the file ends before; -1: errno. */
static ssize_t window_slice(struct window *window, uint64_t at, uint64_t limit, const char **out)
{
    if (at < window->start || at >= window->start + window->len) {
        if (window_move(window, at) < 0) {
            return -1;
        }
    }
    uint64_t have = window->start + window->len - at;
    *out = window->bytes + (at - window->start);
    return (ssize_t)(have < limit ? have : limit);
}

/* The sum of n bytes at `at`. */
static int sum_range(struct window *window, uint64_t at, uint64_t n, uint32_t *out)
{
    uint32_t sum = 0;
    while (n > 0) {
        const char *slice;
        ssize_t got = window_slice(window, at, n, &slice);
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            return SPOOLFILE_TORN;
        }
        sum = crc32c(sum, slice, (size_t)got);
        at += (uint64_t)got;
        n -= (uint64_t)got;
    }
    *out = sum;
    return SPOOLFILE_GOOD;
}

/* The slice of the envelope that begins at `at`, whole if it fits the window. */
static int envelope_slice(struct window *window, const struct spoolfile_header *header, uint64_t at, const char **out,
                          size_t *n_out)
{
    uint64_t left = spoolfile_marks_at(header) - at;
    uint64_t wanted = left < SPOOLFILE_WINDOW ? left : SPOOLFILE_WINDOW;
    if (at < window->start || at + wanted > window->start + window->len) {
        if (window_move(window, at) < 0) {
            return -1;
        }
    }
    ssize_t n = window_slice(window, at, left, out);
    if (n <= 0) {
        return n < 0 ? -1 : SPOOLFILE_TORN;
    }
    *n_out = (size_t)n;
    return SPOOLFILE_GOOD;
}

/* Reads all recipients from `at` on: as many as the header says, and the empty record behind them. */
static int check_recipients(struct window *window, const struct spoolfile_header *header, uint64_t at)
{
    uint32_t seen = 0;
    for (;;) {
        const char *bytes;
        size_t n, used = 0;
        int fault = envelope_slice(window, header, at, &bytes, &n);
        if (fault != SPOOLFILE_GOOD) {
            return fault;
        }
        struct spoolfile_recipient recipient;
        int got;
        while ((got = spoolfile_recipient_next(bytes, n, &used, &recipient)) == 1) {
            seen++;
        }
        bool is_last = at + n == spoolfile_marks_at(header);
        if (got == 0) {
            return is_last && seen == header->n ? SPOOLFILE_GOOD : SPOOLFILE_CRC;
        }
        if (is_last || used == 0) {
            return SPOOLFILE_CRC;
        }
        at += used;
    }
}

static int check_envelope(struct window *window, const struct spoolfile_header *header)
{
    if (header->elen == 0) {
        return SPOOLFILE_CRC;
    }
    const char *bytes;
    size_t n, used;
    struct spoolfile_envelope envelope;
    int fault = envelope_slice(window, header, spoolfile_envelope_at(header), &bytes, &n);
    if (fault != SPOOLFILE_GOOD) {
        return fault;
    }
    if (!spoolfile_envelope_read(bytes, n, &envelope, &used)) {
        return SPOOLFILE_CRC;
    }
    return check_recipients(window, header, spoolfile_envelope_at(header) + used);
}

int spoolfile_check(int fd, struct spoolfile_header *header_out)
{
    struct stat st;
    struct window window;
    window.fd = fd;
    if (fstat(fd, &st) < 0 || window_move(&window, 0) < 0) {
        return -1;
    }
    if (window.len < SPOOLFILE_HEADER) {
        return SPOOLFILE_TORN;
    }
    struct spoolfile_header header;
    int fault = (int)spoolfile_decode_header(window.bytes, (uint64_t)st.st_size, &header);
    if (fault != SPOOLFILE_GOOD) {
        return fault;
    }
    uint32_t message_crc, envelope_crc;
    if ((fault = sum_range(&window, SPOOLFILE_HEADER, header.mlen, &message_crc)) != SPOOLFILE_GOOD ||
        (fault = sum_range(&window, spoolfile_envelope_at(&header), header.elen, &envelope_crc)) != SPOOLFILE_GOOD) {
        return fault;
    }
    if (message_crc != header.message_crc || envelope_crc != header.envelope_crc) {
        return SPOOLFILE_CRC;
    }
    if ((fault = check_envelope(&window, &header)) == SPOOLFILE_GOOD) {
        *header_out = header;
    }
    return fault;
}
