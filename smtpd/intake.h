/* SPDX-License-Identifier: ISC */
/* The message on its way from the client to stafet-queue. Up to one frame (64 KiB) waits in memory, so a slow sender holds no
 * queue process and a small message is one write; a longer one is streamed. Memory does not grow with the message. */
#ifndef INTAKE_H
#define INTAKE_H

#include <stdint.h>

#include "lib/call.h"
#include "lib/dot.h"

struct session;

enum intake_fault { INTAKE_GOOD, INTAKE_BARE_CR, INTAKE_BARE_LF, INTAKE_TOO_BIG };

struct intake {
    struct call call;  /* to sockets/queue; kept for the session's next message */
    bool is_open;      /* there is a connection */
    bool is_streaming; /* Q and a part of the message went out, the verdict is not in */
    stralloc body;     /* what has not gone out */
};

/* The text as it arrives, by DATA or by BDAT. */
struct intake_text {
    struct dot_decoder dots; /* DATA; BDAT counts in it too */
    bool after_cr;           /* BDAT: the last byte so far was a CR */
    uint64_t bytes;          /* stored */
    uint64_t wire_bytes;     /* received */
    uint64_t began_ms;
    enum intake_fault fault; /* the first one; from then on nothing is kept */
};
void intake_text_init(struct intake_text *text);
/* Decodes n (<= WIRE_IN) bytes of DATA; returns bytes consumed, text->dots.state says whether the end was among them. */
size_t intake_take_dots(struct session *session, struct intake_text *text, const char *bytes, size_t n);
/* Decodes n (<= WIRE_IN) bytes of a chunk. A text's last chunk is followed by intake_end_chunks. */
void intake_take_chunk(struct session *session, struct intake_text *text, const char *bytes, size_t n);
void intake_end_chunks(struct session *session, struct intake_text *text);
/* Slower than control/minrate, once control/minrategrace seconds are over. */
bool intake_is_too_slow(const struct session *session, const struct intake_text *text);

/* A good text: hands over what is left, asks for the verdict and returns the reply for it. A text with a fault: its reply. */
const struct reply *intake_finish(struct session *session, const struct intake_text *text);
/* Forgets the message; breaks off a call that is under way. */
void intake_reset(struct intake *intake);

#endif
