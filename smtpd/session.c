/* SPDX-License-Identifier: ISC */
/* The loop of a session: read a line, run it, say the reply, look at the limits. Trusts no byte of the client. Promise: the
 * memory of a session does not grow with what the client sends, but for the recipients of one message. */
#include "smtpd/session.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"

const struct reply *session_reply(struct session *session, enum reply_name name, struct slice detail)
{
    session->detail.bytes = detail.bytes;
    session->detail.len = detail.len;
    return reply(name);
}

const struct reply *session_reply_number(struct session *session, enum reply_name name, uint64_t number)
{
    session->detail.number = number;
    return reply(name);
}

/* One line a refusal, and not more than a client should be able to fill a disk with. */
static void log_refusal(struct session *session, const struct reply *reply)
{
    session->refused++;
    if (session->refused > REFUSALS_LOGGED) {
        return;
    }
    str_copy(&session->line, session->detail.bytes, session->detail.len);
    log_event("refused", "sid=%s ip=%s cause=%s code=%u about=%s from=%s told=%s file=%s more=%s", session->sid, session->ip,
              reply->cause, reply->code, str_text(&session->line), str_text(&session->transaction.sender),
              str_text(&session->told), str_text(&session->file), session->refused == REFUSALS_LOGGED ? "only-counted" : "");
}

void session_note_verdict(struct session *session, const struct verdict *verdict)
{
    str_copys(&session->told, verdict->text);
    str_copys(&session->file, fields_get_or(&verdict->fields, "file", ""));
    session->detail.told = str_text(&session->told);
}

void session_say(struct session *session, const struct reply *reply)
{
    if (reply->cause != NULL) {
        log_refusal(session, reply);
    }
    session->line.len = 0;
    reply_append(&session->line, reply, &session->detail);
    wire_put(&session->wire, session->line.s, session->line.len);
    session->detail = (struct reply_detail){0};
    session->told.len = session->file.len = 0;
    session->errors += (reply->flags & REPLY_ERROR) != 0;
    session->unknown += (reply->flags & REPLY_GARBAGE) != 0;
    if (reply->flags & REPLY_CLOSES) {
        session->is_over = true;
        session->how = reply->cause ? reply->cause : "quit";
    }
}

const struct reply *session_lost(struct session *session, enum wire_result result)
{
    if (result == WIRE_TIMEOUT && clock_monotonic_ms() >= session->end_ms) {
        return session_reply_number(session, REPLY_SESSION_OVER, session->settings->timeoutsession);
    }
    if (result == WIRE_TIMEOUT) {
        return session_reply_number(session, REPLY_IDLE, session->settings->timeoutsmtpd);
    }
    session->is_over = true;
    session->how = result == WIRE_END ? "closed" : "lost";
    return NULL;
}

void transaction_reset(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    intake_reset(&session->intake);
    transaction->stage = STAGE_NONE;
    transaction->is_8bit = transaction->is_utf8 = false;
    transaction->size = transaction->n_recipients = 0;
    transaction->sender.len = transaction->recipients.len = 0;
}

static const struct reply *next_reply(struct session *session)
{
    char *line;
    size_t n;
    enum wire_result result = wire_read_line(&session->wire, COMMAND_LINE_MAX, true, &line, &n);
    session->commands += result == WIRE_LINE;
    switch (result) {
    case WIRE_LINE:
        return memchr(line, '\0', n) ? reply(REPLY_NUL) : command_run(session, line, n);
    case WIRE_BARE:
        return reply(REPLY_BARE_LINE);
    case WIRE_LONG:
        return session_reply_number(session, REPLY_LINE_TOO_LONG, COMMAND_LINE_MAX);
    case WIRE_END:
    case WIRE_TIMEOUT:
    case WIRE_GONE:
        break;
    }
    return session_lost(session, result);
}

/* A limit that is reached ends the session, behind the reply that explains the last error. */
static void look_at_limits(struct session *session)
{
    const struct settings *settings = session->settings;
    if (session->is_over) {
        return;
    }
    if (session->unknown >= settings->maxunknown) {
        session_say(session, session_reply_number(session, REPLY_TOO_MANY_UNKNOWN, settings->maxunknown));
    } else if (session->errors >= settings->maxerrors) {
        session_say(session, session_reply_number(session, REPLY_TOO_MANY_ERRORS, settings->maxerrors));
    } else if (session->commands >= settings->maxcommands) {
        session_say(session, session_reply_number(session, REPLY_TOO_MANY_COMMANDS, settings->maxcommands));
    }
}

static void greet(struct session *session)
{
    if (session->settings->me == NULL || session->settings->me[0] == '\0') {
        session_say(session, reply(REPLY_NO_CONTROLS));
    } else if (wire_has_input(&session->wire)) {
        static const char connection[] = "your connection, the greeting";
        session_say(session, session_reply(session, REPLY_EARLY, (struct slice){connection, sizeof connection - 1}));
    } else {
        const char *greeting = session->settings->greeting;
        session_say(session, session_reply(session, REPLY_GREETING, (struct slice){greeting, strlen(greeting)}));
    }
}

static void log_end(const struct session *session)
{
    log_event("quit", "sid=%s ip=%s how=%s accepted=%llu rcpts=%llu refused=%llu ms=%llu", session->sid, session->ip,
              session->how, (unsigned long long)session->accepted, (unsigned long long)session->recipients,
              (unsigned long long)session->refused, (unsigned long long)(clock_monotonic_ms() - session->start_ms));
}

void session_run(struct session *session)
{
    const struct settings *settings = session->settings;
    session->start_ms = clock_monotonic_ms();
    session->end_ms = session->start_ms + settings->timeoutsession * 1000;
    serve_make_sid(session->sid);
    wire_init(&session->wire, 0, 1, (unsigned)settings->timeoutsmtpd);
    session->wire.end_ms = session->end_ms;
    log_event("connect", "sid=%s ip=%s", session->sid, session->ip);
    greet(session);
    while (!session->is_over) {
        const struct reply *answer = next_reply(session);
        if (answer != NULL) {
            session_say(session, answer);
            look_at_limits(session);
        }
    }
    transaction_reset(session);
    bool has_refused = strcmp(session->how, "quit") != 0 && strcmp(session->how, "closed") != 0;
    if (has_refused) {
        wire_part(&session->wire);
    }
    wire_flush(&session->wire);
    log_end(session);
}
