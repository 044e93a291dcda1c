/* SPDX-License-Identifier: ISC */
/* The message to deliver: a part of an open file, read by pread only (the offset of a passed descriptor belongs to others too).
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/maildir.h"

enum { MESSAGE_WINDOW = 65536 };
struct message {
    int fd;
    uint64_t offset, length; /* where it lies in the file */
    dev_t device;            /* of the file */
    const char *id;          /* msgid.h; log lines and names */
    const char *sender;      /* envelope; "" null */
    const char *body, *utf8; /* as the caller said; may be NULL */
    char *window;            /* MESSAGE_WINDOW bytes; kept from one message to the next */
    uint64_t window_at;
    size_t window_len;
    int memfd; /* sealed copy for programs, -1: not made yet */
};

/* Takes the descriptor: a regular file (or memfd) that holds offset + length bytes. 0; -1 errno (EINVAL: it does not). */
int message_open(struct message *message, int fd, uint64_t offset, uint64_t length);
/* Closes what was opened for this message; the window stays. */
void message_close(struct message *message);
/* Some bytes from `at` on, until the next read; n = 0 at the end. 0; -1 errno (EIO: the file is shorter than it was). */
int message_read(struct message *message, uint64_t at, const char **bytes_out, size_t *n_out);
/* Is there a header field `Delivered-To: address` (no case)? 1, 0; -1 errno. */
int message_was_delivered_to(struct message *message, const char *address);
/* Writes prefix and message to `fd` and counts what a Maildir name needs (out: NULL allowed). 0; -1 errno. */
int message_copy(struct message *message, const char *prefix, size_t prefix_len, int fd, struct maildir_sizes *out);
/* The sealed copy, at its start. Descriptor, the message's to close; -1 errno. */
int message_sealed_copy(struct message *message);

#endif
