/* SPDX-License-Identifier: ISC */
/* IDLE (RFC 2177). Sessions and deliver ring the bell (lib/wake); a stat every few seconds finds what foreign programs did.
 * Between two looks the folder's pages are given back. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>

#include "imapd/session.h"
#include "lib/clock.h"
#include "lib/str.h"
#include "lib/wake.h"

enum { GATHER_MS = 5, STILL_HERE_MS = 120000 };

/* A burst of deliveries is told at once. */
static void gather(const struct wake *wake)
{
    uint64_t end = clock_monotonic_ms() + GATHER_MS;
    struct pollfd bell = {.fd = wake->fd, .events = POLLIN};
    wake_drain(wake);
    while (clock_monotonic_ms() < end && poll(&bell, 1, clock_poll_timeout(end)) > 0) {
        wake_drain(wake);
    }
}

static bool tell(struct session *session)
{
    if (!session_look(session, FOLDER_LOOK, true)) {
        session_flush(session);
        return false;
    }
    session_flush(session);
    if (session->is_selected) {
        folder_tidy(&session->folder);
        folder_rest(&session->folder);
    }
    return !session->wire.is_broken;
}

/* Until the client sends something, or is gone, or the time is up. True: it sent. */
static bool wait(struct session *session, const struct wake *wake)
{
    uint64_t end = clock_monotonic_ms() + session->settings->timeout * 1000;
    uint64_t still = clock_monotonic_ms() + STILL_HERE_MS;
    while (!wire_has_input(&session->wire)) {
        struct pollfd fds[2] = {{.fd = session->wire.in, .events = POLLIN}, {.fd = wake->fd, .events = POLLIN}};
        uint64_t look = clock_monotonic_ms() + session->settings->idlelook * 1000;
        int n = poll(fds, wake->fd >= 0 ? 2 : 1, clock_poll_timeout(look < end ? look : end));
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (fds[0].revents != 0) {
            return true; /* input, or an end that the next read finds */
        }
        if (clock_monotonic_ms() >= end) {
            session_put(session, "* BYE [UNAVAILABLE] idle for too long; log in again\r\n");
            session->is_over = true;
            return false;
        }
        if (n > 0 && fds[1].revents != 0) {
            gather(wake);
        }
        if (!tell(session)) {
            return false;
        }
        if (clock_monotonic_ms() >= still) {
            session_put(session, "* OK still here\r\n"); /* keeps address translators awake, and finds dead clients */
            session_flush(session);
            still = clock_monotonic_ms() + STILL_HERE_MS;
        }
    }
    return true;
}

static const struct reply *read_done(struct session *session)
{
    switch (input_read(&session->input)) {
    case INPUT_COMMAND:
        return str_equal_nocase(session->input.command.s, session->input.command.len, "DONE", 4) ? &reply_idle_done
                                                                                                 : &reply_idle_not_done;
    case INPUT_MESSAGE:
    case INPUT_TOO_LONG:
    case INPUT_BAD_LITERAL:
        return &reply_idle_not_done;
    case INPUT_END:
    case INPUT_TIMEOUT:
    case INPUT_GONE:
        session->is_over = true;
        break;
    }
    return NULL;
}

const struct reply *cmd_idle(struct session *session, struct parser *parser)
{
    struct wake wake = {.fd = -1};
    if (!parse_end(parser)) {
        return &reply_syntax;
    }
    if (session->is_selected) {
        (void)wake_listen(&wake, session->folder.dir); /* without it: a look every few seconds */
    }
    session_put(session, "+ idling\r\n");
    const struct reply *reply = NULL;
    if (tell(session)) {
        malloc_trim(0);
        reply = wait(session, &wake) ? read_done(session) : NULL;
    }
    wake_stop(&wake);
    return reply;
}
