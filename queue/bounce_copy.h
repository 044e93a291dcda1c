/* SPDX-License-Identifier: ISC */
/* How much of the original a bounce brings back, what it is called, and a boundary that stands nowhere in it. */
#ifndef BOUNCE_COPY_H
#define BOUNCE_COPY_H

#include "queue/bounce_text.h"

struct bounce_copy_range {
    uint64_t len;        /* bytes of the message from its start */
    stralloc message_id; /* of its header, with <> */
};
/* Sets copy, message_id and boundary of the text. 0; -1 errno. */
int bounce_copy_find(struct bounce_copy_range *range, const struct bounce_file *file, struct bounce_text *text);
void bounce_copy_free(struct bounce_copy_range *range);

#endif
