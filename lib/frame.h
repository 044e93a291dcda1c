/* SPDX-License-Identifier: ISC */
/* The call protocol's bytes (stafet-call(5)): pure building and parsing, no I/O.
 *   frame  = LEN ":" TYPE PAYLOAD ","   LEN decimal, no leading zero, counts TYPE and PAYLOAD, 1..65535
 *   fields = *( key "=" value NUL ) */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <skalibs/stralloc.h>

enum { FRAME_LEN_MAX = 65535, FRAME_BYTES_MAX = 65535 + 7, FIELDS_MAX = 40, FIELD_VALUE_MAX = 4096 };

struct frame {
    char type;
    const char *payload; /* slice of the input */
    size_t len;
};
enum frame_result { FRAME_WHOLE, FRAME_MORE, FRAME_BAD };
/* Takes one frame off the front of n bytes; *used_out is its length on the wire. Refuses as early as the bytes allow. */
enum frame_result frame_parse(const char *bytes, size_t n, struct frame *frame_out, size_t *used_out);

/* Building: start = frame_begin(out, 'Q'); field_put(…)…; frame_end(out, start). Too long = our bug (101). */
size_t frame_begin(stralloc *out, char type);
void frame_end(stralloc *out, size_t start);
void frame_put(stralloc *out, char type, const char *payload, size_t n);
void field_put(stralloc *out, const char *key, const char *value); /* value NULL: nothing is put */
void field_put_number(stralloc *out, const char *key, uint64_t value);

struct field {
    const char *key; /* both slices of the payload; key is not NUL-terminated, value is */
    size_t key_len;
    const char *value;
    size_t value_len;
};
struct fields {
    unsigned n;
    struct field field[FIELDS_MAX];
};
/* False: a key outside [a-z0-9-]{1,16}, a value over FIELD_VALUE_MAX, no final NUL, a key twice, over FIELDS_MAX. */
bool fields_parse(const char *payload, size_t n, struct fields *out);
const char *fields_get(const struct fields *fields, const char *key); /* NULL: not there */
const char *fields_get_or(const struct fields *fields, const char *key, const char *otherwise);
/* True when there and a whole decimal number <= max. */
bool fields_get_number(const struct fields *fields, const char *key, uint64_t max, uint64_t *out);
/* True when every key is in the NULL-ended list or begins with "x-". */
bool fields_are_known(const struct fields *fields, const char *const *known);

/* verdict = letter text NUL fields. As a final frame the letter is the frame's type. */
struct verdict {
    char letter;      /* K Z D C */
    const char *text; /* begins with the enhanced status code */
    struct fields fields;
};
bool verdict_parse(char letter, const char *payload, size_t n, struct verdict *out);
/* The payload of a P frame: number NUL verdict. */
bool verdict_parse_numbered(const char *payload, size_t n, uint64_t *number_out, struct verdict *out);
/* Building a final verdict: start = verdict_begin(out, 'D', "5.1.1 no …"); field_put(…); frame_end(out, start). */
size_t verdict_begin(stralloc *out, char letter, const char *text);
size_t verdict_begin_numbered(stralloc *out, uint64_t number, char letter, const char *text);

#endif
