/* SPDX-License-Identifier: ISC */
/* The loop of a session: a command, its reply, the limits. What the client may make it remember is bounded by input.h and by the
 * folder's own size. */
#include "imapd/session.h"

#include <poll.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"

enum { OUT_GATHER = 32768, REST_MS = 300, OUT_KEEP = 65536 };

void session_flush(struct session *session)
{
    wire_send(&session->wire, session->out.s, session->out.len);
    session->out.len = 0;
}

void session_room(struct session *session)
{
    if (session->out.len >= OUT_GATHER) {
        wire_put(&session->wire, session->out.s, session->out.len);
        session->out.len = 0;
    }
}

void session_put(struct session *session, const char *text)
{
    str_cats(&session->out, text);
}

void session_putf(struct session *session, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0) {
        str_cat(&session->out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
    }
}

static void say(struct session *session, const struct reply *reply)
{
    char uid_word[40];
    const char *word = session->command_word;
    if (session->is_uid) {
        (void)snprintf(uid_word, sizeof uid_word, "UID %s", word);
        word = uid_word;
    }
    const char *code = session->code.len > 0 ? str_text(&session->code) : NULL;
    reply_append(&session->out, reply, str_text(&session->tag), code, word);
    session->errors = reply->kind == REPLY_BAD ? session->errors + 1 : 0;
}

/* While the client thinks, the pages of its folder go back. */
static void wait_for_client(struct session *session)
{
    struct pollfd client = {.fd = session->wire.in, .events = POLLIN};
    if (session->wire.start < session->wire.end || poll(&client, 1, REST_MS) != 0) {
        if (session->is_selected) {
            folder_tidy_pressed(&session->folder);
        }
        return;
    }
    if (session->is_selected) {
        folder_tidy(&session->folder);
        folder_rest(&session->folder);
    }
    if (session->out.a > OUT_KEEP) {
        stralloc_free(&session->out);
    }
    malloc_trim(0);
}

static void bye(struct session *session, const char *text)
{
    session_put(session, "* BYE ");
    session_put(session, text);
    session_put(session, "\r\n");
    session->is_over = true;
}

/* What could not be read whole is answered by its tag, as far as there is one. */
static const struct reply *refuse_unread(struct session *session, const struct reply *reply)
{
    struct parser parser = {session->input.command.s, session->input.command.s + session->input.command.len};
    (void)parse_reply_tag(&parser, &session->tag);
    session->code.len = 0;
    return reply;
}

static const struct reply *next(struct session *session)
{
    switch (input_read(&session->input)) {
    case INPUT_COMMAND:
    case INPUT_MESSAGE:
        session->commands++;
        return dispatch(session);
    case INPUT_TOO_LONG:
        return refuse_unread(session, &reply_too_long);
    case INPUT_BAD_LITERAL:
        return refuse_unread(session, &reply_bad_literal);
    case INPUT_TIMEOUT:
        bye(session, "[UNAVAILABLE] nothing came from you for so long; log in again");
        break;
    case INPUT_END:
    case INPUT_GONE:
        session->is_over = true;
        break;
    }
    return NULL;
}

void session_welcome(struct session *session, const char *tag)
{
    session_put(session, tag[0] != '\0' ? tag : "*");
    session_put(session, tag[0] != '\0' ? " OK" : " PREAUTH");
    session_put(session, " [CAPABILITY ");
    session_put(session, capabilities(session));
    session_put(session, tag[0] != '\0' ? "] logged in\r\n" : "] ready\r\n");
    session_flush(session);
}

void session_run(struct session *session)
{
    uint64_t start = clock_monotonic_ms();
    session->input.wire = &session->wire;
    session_catch_cut_files();
    while (!session->is_over && !session->wire.is_broken) {
        wait_for_client(session);
        const struct reply *reply = next(session);
        if (reply != NULL && !session->wire.is_broken) {
            say(session, reply);
        }
        if (session->errors >= session->settings->maxerrors) {
            bye(session, "[CLIENTBUG] too many commands that are none");
        }
        session_flush(session);
    }
    if (session->is_selected) {
        folder_tidy(&session->folder);
        folder_close(&session->folder);
    }
    log_event("quit", "sid=%s user=%s ip=%s commands=%llu ms=%llu", session->sid, session->user, session->ip,
              (unsigned long long)session->commands, (unsigned long long)(clock_monotonic_ms() - start));
}
