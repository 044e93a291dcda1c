/* SPDX-License-Identifier: ISC */
/* A message on its way into the spool: written front to back through one buffer, so that a small message costs one write. Nothing
 * is visible before intake_file_publish; intake_file_close leaves nothing behind. Functions return 0, or -1 with errno: then
 * abandon. */
#ifndef INTAKE_FILE_H
#define INTAKE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <skalibs/stralloc.h>
#include "lib/msgid.h"
#include "lib/spoolfile.h"
#include "queue/intake.h"

enum { INTAKE_BUFFER = 81920, INTAKE_ENVELOPE_BUFFER = 65536, INTAKE_LIFE = 86400 };

struct intake_file {
    const struct intake_places *places;
    int fd;   /* -1: no file yet */
    int side; /* the envelope's begin, when it is long: an unlinked file; -1: none */
    char id[MSGID_LEN + 1];
    struct spoolfile_header header; /* grows with the file */
    stralloc envelope;              /* what of the envelope is not in side */
    bool is_flushed;                /* bytes, the blank header first, have left the buffer */
    bool is_published;
    size_t used;
    char buffer[INTAKE_BUFFER];
};

/* A new message; the first call of the process zeroes the struct by itself being static. */
void intake_file_init(struct intake_file *file, const struct intake_places *places);
/* Creates tmp/ID, ID and time from now. A writer that still has it open after 24 h is killed by its alarm. */
int intake_file_create(struct intake_file *file) __attribute__((warn_unused_result));
int intake_file_message(struct intake_file *file, const char *bytes, size_t n) __attribute__((warn_unused_result));
/* Call when something was appended to file->envelope: a long one goes to disk. */
int intake_file_spill(struct intake_file *file) __attribute__((warn_unused_result));
/* Envelope, marks, header: the file is whole. header.lines, .flags and .n are the caller's. */
int intake_file_finish(struct intake_file *file) __attribute__((warn_unused_result));
/* Rename to new/ and sync, in the form of `places`. After 0 the message is ours. */
int intake_file_publish(struct intake_file *file) __attribute__((warn_unused_result));
/* Closes; removes what was not published. Good for every state. */
void intake_file_close(struct intake_file *file);

#endif
