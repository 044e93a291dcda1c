/* SPDX-License-Identifier: ISC */
/* What a bounce reads of a message file: its envelope, and the failed recipients with the last that was noted about each. */
#ifndef BOUNCE_FILE_H
#define BOUNCE_FILE_H

#include <skalibs/stralloc.h>
#include "lib/spoolfile.h"

struct bounce_file {
    int fd;
    struct spoolfile_header header;
    struct spoolfile_envelope envelope; /* slices of head */
    uint64_t recipients_at;
    stralloc head, notes;
    uint32_t *last_note; /* a recipient: 1 + where its last note begins; 0: none */
};
struct bounce_recipient {
    uint32_t n;
    const char *address, *orcpt; /* slices until the next call */
    bool has_note;
    struct spoolfile_note note;
};
struct bounce_walk {
    const struct bounce_file *file;
    uint64_t at;       /* of the window in the file */
    uint64_t marks_at; /* of the marks' window: a recipient number */
    uint32_t n;        /* next recipient */
    size_t used;       /* of the window */
    stralloc window, marks;
};

/* Reads all but the recipients. 0; -1 errno (EPROTO: not a whole message file). */
int bounce_file_open(struct bounce_file *file, int fd);
void bounce_file_free(struct bounce_file *file);
/* 1: the next recipient with the mark D who wants to hear of it (RFC 3461 4.1: NOTIFY absent, or with FAILURE); 0: no more;
 * -1: errno. */
void bounce_walk_start(struct bounce_walk *walk, const struct bounce_file *file);
int bounce_walk_next(struct bounce_walk *walk, struct bounce_recipient *out);
void bounce_walk_free(struct bounce_walk *walk);

#endif
