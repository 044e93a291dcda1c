/* SPDX-License-Identifier: ISC */
/* The calling side of stafet-call(5): connect, ask, read the verdict.
 *
 *   struct call call;
 *   if (call_open(&call, "sockets/rcpt", 30) < 0) …      (or go on: call_finish then says Z)
 *   size_t start = frame_begin(&call.channel.outbox, 'Q'); field_put(&call.channel.outbox, "op", "rcpt"); …
 *   frame_end(&call.channel.outbox, start);
 *   call_finish(&call, &verdict);  … verdict.letter …  call_close(&call); */
#ifndef CALL_H
#define CALL_H

#include "channel.h"

struct call {
    struct channel channel;
    const char *service;
    char trouble[160]; /* text of a verdict that we made ourselves */
};

/* One try, without waiting: a connected, non-blocking socket, or -1 errno. */
int call_connect(const char *path);
/* Connects to a socket; ECONNREFUSED, ENOENT and EAGAIN are tried again each 100 ms for 5 s. `seconds` is the deadline of the
 * whole call. 0; -1 errno, and the call may still be finished: it answers Z "4.3.0 service NAME does not answer". */
int call_open(struct call *call, const char *socket, unsigned seconds);
/* The same on a descriptor that is connected already (tests, send's workers). */
void call_open_fd(struct call *call, int fd, const char *service, unsigned seconds);
/* Sends what stands in channel.outbox. EPIPE counts as sent: the verdict that came early is read by call_finish. */
int call_flush(struct call *call);
/* Flushes, and reads to the final verdict. Numbered verdicts (P) on the way are given to `each` (may be NULL). Broken off, late
 * or not understood: a verdict Z with why=service. The verdict lives until call_close. */
void call_finish_each(struct call *call, struct verdict *out, void (*each)(void *ctx, uint64_t number, const struct verdict *v),
                      void *ctx);
void call_finish(struct call *call, struct verdict *out);
void call_close(struct call *call);

#endif
