/* SPDX-License-Identifier: ISC */
/* A message from descriptor 0, read to its end before anybody is called: its header in memory, the rest spilled. */
#ifndef INJECT_INPUT_H
#define INJECT_INPUT_H

#include <stdbool.h>
#include "queue/inject_reply.h"
#include "queue/spill.h"

enum { INJECT_HEADER_MAX = 8 << 20 };
struct inject_input {
    enum inject_name name;
    stralloc header; /* whole lines; no blank line, no mbox line */
    size_t line;     /* where the unfinished line in it begins */
    bool is_in_body, after_cr;
    struct spill body;
};
/* CR LF becomes LF. Fails (inject_fail) where it cannot be read or kept, or the header is too long. */
void inject_input_read(struct inject_input *input, enum inject_name name);
/* All of descriptor 0 as it is into the spill. */
void inject_input_read_raw(struct spill *spill, enum inject_name name);

#endif
