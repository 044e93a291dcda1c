/* SPDX-License-Identifier: ISC */
/* IDLE (RFC 2177). Sessions and deliver ring the bell (lib/wake); a stat every few seconds finds what foreign programs did.
 * Between two looks the folder's pages are given back. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "imapd/session.h"
#include "lib/clock.h"
#include "lib/str.h"
#include "lib/wake.h"

enum { GATHER_MS = 5, STILL_HERE_MS = 120000 };

/* What rings: a fifo of our own, and inotify. Either may be -1. */
struct bells {
    struct wake wake;
    int watch;
};

/* new/ and cur/ of the selected folder; by names relative to it, since no path above it can be reached. */
static int watch_folder(const struct folder *folder)
{
    const uint32_t events = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    if (fchdir(folder->dir) < 0 || inotify_add_watch(fd, "new", events) < 0 || inotify_add_watch(fd, "cur", events) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void hang(struct bells *bells, const struct session *session)
{
    *bells = (struct bells){.wake = {.fd = -1}, .watch = -1};
    if (session->is_selected) {
        (void)wake_listen(&bells->wake, session->folder.dir);
        bells->watch = watch_folder(&session->folder);
    }
}

static void take_down(struct bells *bells)
{
    wake_stop(&bells->wake);
    if (bells->watch >= 0) {
        close(bells->watch);
    }
}

static void drain(const struct bells *bells)
{
    char events[4096];
    if (bells->wake.fd >= 0) {
        wake_drain(&bells->wake);
    }
    while (bells->watch >= 0 && read(bells->watch, events, sizeof events) > 0) {
    }
}

/* A burst of deliveries is told at once. */
static void gather(const struct bells *bells)
{
    uint64_t end = clock_monotonic_ms() + GATHER_MS;
    drain(bells);
    while (clock_monotonic_ms() < end) {
        struct pollfd fds[2] = {{.fd = bells->wake.fd, .events = POLLIN}, {.fd = bells->watch, .events = POLLIN}};
        if (poll(fds, 2, clock_poll_timeout(end)) <= 0) {
            return;
        }
        drain(bells);
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
static bool wait(struct session *session, const struct bells *bells)
{
    uint64_t end = clock_monotonic_ms() + session->settings->timeout * 1000;
    uint64_t still = clock_monotonic_ms() + STILL_HERE_MS;
    while (!wire_has_input(&session->wire)) {
        struct pollfd fds[3] = {{.fd = session->wire.in, .events = POLLIN},
                                {.fd = bells->wake.fd, .events = POLLIN},
                                {.fd = bells->watch, .events = POLLIN}};
        uint64_t look = clock_monotonic_ms() + session->settings->idlelook * 1000;
        int n = poll(fds, 3, clock_poll_timeout(look < end ? look : end));
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
        if (n > 0) {
            gather(bells);
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
    struct bells bells;
    if (!parse_end(parser)) {
        return &reply_syntax;
    }
    hang(&bells, session);
    session_put(session, "+ idling\r\n");
    const struct reply *reply = NULL;
    if (tell(session)) {
        malloc_trim(0);
        reply = wait(session, &bells) ? read_done(session) : NULL;
    }
    take_down(&bells);
    return reply;
}
