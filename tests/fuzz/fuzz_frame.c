/* SPDX-License-Identifier: ISC */
/* lib/frame: frames, their fields and verdicts. What is taken can be written again, byte for byte. */
#include "lib/frame.h"
#include "lib/str.h"
#include "tests/fuzz/fuzz.h"

static void try_fields(const char *payload, size_t n)
{
    struct fields fields;
    stralloc again = STRALLOC_ZERO;
    if (!fields_parse(payload, n, &fields)) {
        return;
    }
    for (unsigned i = 0; i < fields.n; i++) {
        const struct field *field = &fields.field[i];
        char key[17] = "";
        require(field->key_len >= 1 && field->key_len <= 16 && fuzz_lies_in(field->key, field->key_len, payload, n));
        memcpy(key, field->key, field->key_len);
        require(strlen(field->value) == field->value_len && field->value_len <= FIELD_VALUE_MAX);
        require(fields_get(&fields, key) == field->value); /* no key twice */
        field_put(&again, key, field->value);
    }
    require(fuzz_equal(again.s, again.len, payload, n));
    stralloc_free(&again);
}

static void try_verdict(const struct frame *frame)
{
    struct verdict verdict;
    uint64_t number;
    if (verdict_parse(frame->type, frame->payload, frame->len, &verdict)) {
        require(verdict.letter == frame->type && strlen(verdict.text) < frame->len);
    }
    if (verdict_parse_numbered(frame->payload, frame->len, &number, &verdict)) {
        require(number <= UINT32_MAX && strchr("KZDC", verdict.letter) != NULL);
    }
}

/* A shorter input is the same as far as it goes: never another frame, never bad where the whole is good. */
static void try_prefixes(const char *bytes, size_t used)
{
    struct frame frame;
    size_t unused;
    size_t step = used / 16 + 1;
    for (size_t n = 0; n < used; n += step) {
        char *part = fuzz_copy((const uint8_t *)bytes, n);
        require(frame_parse(part, n, &frame, &unused) == FRAME_MORE);
        free(part);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    struct frame frame;
    size_t used;
    stralloc again = STRALLOC_ZERO;
    if (frame_parse(bytes, size, &frame, &used) == FRAME_WHOLE) {
        require(used <= size && fuzz_lies_in(frame.payload, frame.len, bytes, used));
        frame_put(&again, frame.type, frame.payload, frame.len);
        require(fuzz_equal(again.s, again.len, bytes, used));
        try_prefixes(bytes, used);
        try_fields(frame.payload, frame.len);
        try_verdict(&frame);
    }
    try_fields(bytes, size);
    stralloc_free(&again);
    free(bytes);
    return 0;
}
