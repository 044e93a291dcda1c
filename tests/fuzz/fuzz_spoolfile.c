/* SPDX-License-Identifier: ISC */
/* lib/spoolfile: header, envelope, notes and names of later/. The first byte says which; what is taken can be written again. */
#include "lib/spoolfile.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"

static void try_header(const char *bytes, size_t n)
{
    struct spoolfile_header header, back;
    char again[SPOOLFILE_HEADER];
    if (n < SPOOLFILE_HEADER || spoolfile_decode_header(bytes, UINT64_MAX / 4, &header) != SPOOLFILE_GOOD) {
        return;
    }
    require(spoolfile_notes_at(&header) >= spoolfile_marks_at(&header) &&
            spoolfile_marks_at(&header) >= spoolfile_envelope_at(&header) && spoolfile_envelope_at(&header) >= SPOOLFILE_HEADER);
    spoolfile_encode_header(&header, again);
    require(spoolfile_decode_header(again, UINT64_MAX / 4, &back) == SPOOLFILE_GOOD);
    require(back.mlen == header.mlen && back.elen == header.elen && back.n == header.n && back.accepted_us == header.accepted_us);
    require(spoolfile_decode_header(bytes, spoolfile_notes_at(&header) - 1, &back) != SPOOLFILE_GOOD);
}

/* Encoding what was read gives bytes that read the same. */
static void try_envelope(const char *bytes, size_t n)
{
    struct spoolfile_envelope envelope, back;
    struct spoolfile_recipient recipient;
    size_t at, used;
    stralloc again = STRALLOC_ZERO;
    if (spoolfile_envelope_read(bytes, n, &envelope, &at)) {
        require(at <= n && envelope.sender != NULL && fuzz_lies_in(envelope.sender, strlen(envelope.sender), bytes, n));
        spoolfile_envelope_append(&again, &envelope);
        spoolfile_envelope_end(&again);
        require(spoolfile_envelope_read(again.s, again.len, &back, &used) && strcmp(back.sender, envelope.sender) == 0);
        require((back.helo == NULL) == (envelope.helo == NULL));
        int got;
        for (size_t before = at; (got = spoolfile_recipient_next(bytes, n, &at, &recipient)) == 1; before = at) {
            require(at > before && at <= n && fuzz_lies_in(recipient.address, strlen(recipient.address), bytes, n));
        }
        require(got == -1 || at == n);
    }
    stralloc_free(&again);
}

static void try_notes(const char *bytes, size_t n)
{
    struct spoolfile_note note, back;
    size_t at = 0;
    stralloc again = STRALLOC_ZERO;
    for (size_t before = 0; spoolfile_note_next(bytes, n, &at, &note) == 1; before = at) {
        size_t start = 0;
        require(at > before && at <= n && fuzz_lies_in(note.text, note.text_len, bytes, n));
        again.len = 0;
        spoolfile_note_append(&again, &note);
        require(again.len < 2048 + 16 && spoolfile_note_next(again.s, again.len, &start, &back) == 1 && start == again.len);
        require(back.n == note.n && back.letter == note.letter && back.seconds == note.seconds);
    }
    stralloc_free(&again);
}

static void try_name(const char *bytes, size_t n)
{
    struct spoolfile_later later;
    stralloc name = STRALLOC_ZERO, again = STRALLOC_ZERO;
    str_cat(&name, bytes, n);
    if (spoolfile_later_parse(str_text(&name), &later)) {
        spoolfile_later_append(&again, &later);
        require(strcmp(str_text(&again), name.s) == 0);
    }
    stralloc_free(&name);
    stralloc_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const tries[])(const char *, size_t) = {try_header, try_envelope, try_notes, try_name};
    if (size > 0) {
        char *bytes = fuzz_copy(data + 1, size - 1);
        tries[data[0] % 4](bytes, size - 1);
        free(bytes);
    }
    return 0;
}
