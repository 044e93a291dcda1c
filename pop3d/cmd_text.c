/* SPDX-License-Identifier: ISC */
/* RETR and TOP: big reads, one pass of the encoder, writes from where it wrote; what is small travels with the status line in one
 * write. Promise: a text that ends with its dot is whole; one that cannot be read to its end breaks the connection. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/dot.h"
#include "lib/log.h"
#include "pop3d/session.h"
#include "pop3d/top.h"

enum { READ_SIZE = 65536, END_SIZE = 5 };
static char stored[READ_SIZE];
static char encoded[3 * READ_SIZE + 3 + END_SIZE];

/* The file stopped giving bytes behind the status line: a client must not take what it has for the message. */
static void break_off(struct session *session)
{
    log_event("broken-off", "sid=%s user=%s error=%s", session->talk.sid, session->talk.user, strerror(errno));
    wire_flush(&session->talk.wire);
    session->talk.wire.is_broken = true;
}

/* Sends the n bytes in `stored` and what the file still holds, or the top of it. */
static void send_text(struct session *session, int fd, ssize_t n, struct top *top)
{
    struct wire *wire = &session->talk.wire;
    struct dot_encoder encoder;
    dot_encoder_init(&encoder);
    do {
        size_t used = top != NULL ? top_take(top, stored, (size_t)n) : (size_t)n;
        size_t len = dot_encode(&encoder, stored, used, encoded);
        n = top != NULL && top->is_done ? 0 : read(fd, stored, sizeof stored);
        if (n == 0) {
            len += dot_encode_end(&encoder, encoded + len);
        }
        wire_put(wire, encoded, len);
        session->octets_sent += len;
    } while (n > 0 && !wire->is_broken);
    if (n < 0) {
        break_off(session);
    }
}

static const struct reply *open_and_send(struct session *session, uint32_t i, const struct reply *status, struct top *top)
{
    int fd = mailbox_open_message(&session->drop.box, i);
    ssize_t n = fd < 0 ? -1 : read(fd, stored, sizeof stored);
    if (n < 0) {
        const struct reply *refusal = session_unreadable(session, i);
        if (fd >= 0) {
            close(fd);
        }
        return refusal;
    }
    talk_say(&session->talk, status);
    send_text(session, fd, n, top);
    close(fd);
    return NULL;
}

const struct reply *cmd_retr(struct session *session, const struct command *command)
{
    uint32_t i;
    const struct reply *refusal = session_find(session, command, &i);
    if (refusal != NULL) {
        return refusal;
    }
    return open_and_send(session, i, talk_reply_number(&session->talk, REPLY_TEXT, maildrop_size(&session->drop, i)), NULL);
}

const struct reply *cmd_top(struct session *session, const struct command *command)
{
    uint32_t i;
    struct top top;
    const struct reply *refusal = session_find(session, command, &i);
    if (refusal != NULL) {
        return refusal;
    }
    top_init(&top, command->number[1]);
    return open_and_send(session, i, reply(REPLY_TOP), &top);
}
