/* SPDX-License-Identifier: ISC */
/* A connected unix socket (or pipe pair's end) that carries frames and descriptors, with one deadline.
 * Used by callers (lib/call) and by the servers' sessions (fd 0). Blocking; never waits beyond the deadline. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include "frame.h"

enum { CHANNEL_FDS = 4 };
struct channel {
    int in, out;
    uint64_t deadline_ms; /* monotonic; 0: none */
    stralloc inbox, outbox;
    size_t taken;         /* bytes of inbox already handed out */
    bool is_brief;        /* what comes is short: the first receive touches no more memory than that */
    int fds[CHANNEL_FDS]; /* received, not yet taken; ≥ 10 and close-on-exec */
    unsigned n_fds;
    int attached[2]; /* to ride on the first byte of the next flush */
    unsigned n_attached;
    bool is_cut; /* a flush has failed: nothing more is sent */
};
enum channel_result { CHANNEL_FRAME, CHANNEL_EOF, CHANNEL_TIMEOUT, CHANNEL_BAD, CHANNEL_ERROR };

void channel_init(struct channel *channel, int in, int out);
void channel_set_deadline(struct channel *channel, unsigned seconds); /* from now */
/* Next frame; its payload lives until the next channel_read. MSG_CTRUNC or more than CHANNEL_FDS descriptors: all closed,
 * CHANNEL_BAD. */
enum channel_result channel_read(struct channel *channel, struct frame *out) __attribute__((warn_unused_result));
/* The oldest descriptor received and not yet taken, now the caller's; -1: none. */
int channel_take_fd(struct channel *channel);
/* fd rides on the first byte of what is flushed next; it stays the caller's to close, after the flush. At most 2. */
void channel_attach_fd(struct channel *channel, int fd);
/* Sends outbox whole. 0; -1 errno (ETIMEDOUT at the deadline, EPIPE). Part of it may have gone out then: the other side sees the
 * end of the stream, and all later flushes fail with EPIPE. */
int channel_flush(struct channel *channel) __attribute__((warn_unused_result));
/* For a program with a poll loop of its own: these never wait.
 * One receive: CHANNEL_FRAME bytes came, CHANNEL_TIMEOUT none are there yet, else as channel_read. */
enum channel_result channel_fill_now(struct channel *channel) __attribute__((warn_unused_result));
/* Next whole frame of what was received; CHANNEL_TIMEOUT: there is none yet. */
enum channel_result channel_next(struct channel *channel, struct frame *out) __attribute__((warn_unused_result));
/* Sends what the socket takes. 1 all is out, 0 the rest stays in outbox, -1 errno (outbox is emptied). */
int channel_flush_now(struct channel *channel) __attribute__((warn_unused_result));
/* A call that only asks whether somebody is there (op=probe, stafet-status)? Then its verdict stands in outbox. */
bool channel_answers_probe(struct channel *channel, const struct frame *frame);
/* Closes both ends and what was received. */
void channel_close(struct channel *channel);

#endif
