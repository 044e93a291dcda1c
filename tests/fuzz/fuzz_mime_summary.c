/* SPDX-License-Identifier: ISC */
/* lib/mime_summary's reader: a damaged summary is refused, or every answer lies inside of it and no link of its parts leads out
 * or in a circle. */
#include "lib/mime_summary.h"
#include "tests/fuzz/fuzz.h"

static void try_parts(const struct mime_summary *summary)
{
    struct mime_part *list = calloc(summary->parts + 1, sizeof *list);
    require(list != NULL);
    mime_summary_parts(summary, list);
    for (uint32_t i = 0; i < summary->parts; i++) {
        struct mime_summary_part part;
        mime_summary_part(summary, i, &part);
        require(part.charset.n == 0 || fuzz_lies_in(part.charset.bytes, part.charset.n, summary->bytes, summary->n));
        require(list[i].next == MIME_NONE || (list[i].next > i && list[i].next < summary->parts));
        require(list[i].parent == MIME_NONE || list[i].parent < i);
    }
    for (uint32_t a = 1; summary->parts > 0 && a < 4; a++) {
        uint32_t found = mime_find(list, (const uint32_t[]){a, 1, 2}, 3);
        require(found == MIME_NONE || found < summary->parts);
    }
    free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    struct mime_summary summary;
    if (mime_summary_open(&summary, bytes, size)) {
        require(summary.n <= size);
        for (unsigned i = 0; i < MIME_SECTIONS; i++) {
            struct mime_slice slice;
            require(!mime_summary_get(&summary, (enum mime_section)i, &slice) ||
                    fuzz_lies_in(slice.bytes, slice.n, bytes, summary.n));
        }
        try_parts(&summary);
    }
    free(bytes);
    return 0;
}
