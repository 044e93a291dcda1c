/* SPDX-License-Identifier: ISC */
/* The client's side of a session: buffered bytes on two descriptors, one deadline rule, one line limit.
 * Output is flushed before any read that may block, so replies to pipelined commands travel together. */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_IN = 16384, WIRE_OUT = 8192 };
struct wire {
    int in, out;
    unsigned idle_seconds; /* a read or write without progress for so long ends the session */
    uint64_t end_ms;       /* monotonic end of the whole session; 0: none */
    bool is_broken;        /* a write failed, timed out, or the peer is gone: all later reads say WIRE_GONE */
    size_t start, end;     /* unread bytes: in_buf[start..end) */
    size_t out_len;
    bool is_skipping;                     /* inside an over-long line */
    bool is_behind_bare;                  /* the LF that ended the last line had no CR before it */
    bool has_no_timeouts;                 /* not sockets: poll before each read and write */
    bool is_slow;                         /* a write found no room: the kernel waits in the next */
    unsigned in_waits_for, out_waits_for; /* idle_seconds that SO_RCVTIMEO and SO_SNDTIMEO were set for */
    char in_buf[WIRE_IN];
    char out_buf[WIRE_OUT];
};
enum wire_result {
    WIRE_LINE,    /* a line that ended with CR LF (or LF where lenient) */
    WIRE_BARE,    /* a line with a CR that no LF followed, or an LF that no CR preceded; what follows such an LF, up to CR LF, is
                     another one */
    WIRE_LONG,    /* longer than the limit; skipped to its LF */
    WIRE_END,     /* end of input; an unfinished line is dropped */
    WIRE_TIMEOUT, /* idle_seconds, or the session's end */
    WIRE_GONE     /* read or write error */
};

void wire_init(struct wire *wire, int in, int out, unsigned idle_seconds);
/* Next line without its end, NUL behind it (len may count inner NULs); slice of the buffer until the next read. `limit` counts
 * the line end (<= WIRE_IN - 1). strict: WIRE_BARE as above; else a lone LF ends a line too and CR before it is dropped. */
enum wire_result wire_read_line(struct wire *wire, size_t limit, bool strict, char **line_out, size_t *len_out)
    __attribute__((warn_unused_result));
/* At least one unread byte: WIRE_LINE and the slice; else WIRE_END, WIRE_TIMEOUT, WIRE_GONE. Follow with wire_skip. */
enum wire_result wire_peek(struct wire *wire, const char **bytes_out, size_t *len_out) __attribute__((warn_unused_result));
void wire_skip(struct wire *wire, size_t n);
/* True when bytes lie unread in the buffer, or in the kernel right now (the end of input is none). */
bool wire_has_input(const struct wire *wire);
/* Appends to the output. What finds no room in the buffer is written at once from where it lies, behind what waits: a large piece
 * costs no copy. Errors set is_broken. */
void wire_put(struct wire *wire, const char *bytes, size_t n);
void wire_puts(struct wire *wire, const char *text);
void wire_flush(struct wire *wire);
/* What waits and these bytes, now: a copy less than wire_put and wire_flush. */
void wire_send(struct wire *wire, const char *bytes, size_t n);
/* Puts bytes that were read elsewhere (the front's `early`) before everything unread. At most WIRE_IN - unread; false: no room.
 */
bool wire_unread(struct wire *wire, const char *bytes, size_t n);
/* The last word: flushes, says that no more comes, and drops what the peer still sends, for 2 s and 1 MiB at most. A close with
 * bytes unread would reset the connection, and the peer might never see our last reply. */
void wire_part(struct wire *wire);

#endif
