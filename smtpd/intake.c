/* SPDX-License-Identifier: ISC */
/* Message bytes: checked, counted, kept or streamed. Trusts neither side. Promise: without the E frame, which only intake_finish
 * sends, queue keeps nothing; a text with a fault never comes that far. */
#include "smtpd/intake.h"

#include <poll.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "smtpd/session.h"

enum { BODY_MAX = FRAME_LEN_MAX - 1, KEPT_MAX = 16384, QUEUE_SECONDS = 300 };

void intake_text_init(struct intake_text *text)
{
    *text = (struct intake_text){.began_ms = clock_monotonic_ms()};
    dot_decoder_init(&text->dots);
}

static void close_call(struct intake *intake)
{
    if (intake->is_open) {
        call_close(&intake->call);
    }
    intake->is_open = intake->is_streaming = false;
}

static void shrink(stralloc *s)
{
    s->len = 0;
    if (s->a > KEPT_MAX) {
        stralloc_free(s);
    }
}

void intake_reset(struct intake *intake)
{
    if (intake->is_streaming) {
        close_call(intake);
    }
    shrink(&intake->body);
    if (intake->is_open) {
        shrink(&intake->call.channel.outbox);
    }
}

static void put_envelope(const struct session *session, struct transaction *transaction, stralloc *out)
{
    const char *protocol = transaction->is_utf8 ? "UTF8SMTP" : session->is_esmtp ? "ESMTP" : "SMTP";
    size_t start = frame_begin(out, 'Q');
    field_put(out, "op", "queue");
    field_put(out, "sid", session->sid);
    field_put(out, "proto", protocol);
    field_put(out, "from", str_text(&transaction->sender));
    field_put(out, "helo", session->helo.len > 0 ? session->helo.s : NULL);
    field_put(out, "ip", session->ip[0] != '\0' ? session->ip : NULL);
    field_put(out, "rdns", session->rdns[0] != '\0' ? session->rdns : NULL);
    field_put(out, "relay", session->is_relay ? "1" : NULL);
    field_put(out, "body", transaction->is_8bit ? "8BITMIME" : NULL);
    field_put(out, "utf8", transaction->is_utf8 ? "1" : NULL);
    if (transaction->size > 0) {
        field_put_number(out, "size", transaction->size);
    }
    frame_end(out, start);
    const char *end = transaction->recipients.s + transaction->recipients.len;
    for (const char *to = transaction->recipients.s; to < end; to += strlen(to) + 1) {
        start = frame_begin(out, 'R');
        field_put(out, "to", to);
        frame_end(out, start);
    }
}

/* A kept connection that the server closed meanwhile (it may wait less long than our client thinks). */
static bool is_stale(const struct intake *intake)
{
    struct pollfd ready = {.fd = intake->call.channel.in, .events = POLLIN};
    return poll(&ready, 1, 0) != 0;
}

static void begin_call(struct session *session)
{
    struct intake *intake = &session->intake;
    if (intake->is_open && is_stale(intake)) {
        close_call(intake);
    }
    if (!intake->is_open) {
        (void)call_open(&intake->call, "sockets/queue", QUEUE_SECONDS); /* a failure is call_finish's Z */
        intake->is_open = true;
    }
    intake->is_streaming = true;
    put_envelope(session, &session->transaction, &intake->call.channel.outbox);
}

/* Puts what waits in memory behind the call. */
static void put_body(struct session *session)
{
    struct intake *intake = &session->intake;
    if (!intake->is_streaming) {
        begin_call(session);
    }
    channel_set_deadline(&intake->call.channel, QUEUE_SECONDS);
    if (intake->body.len > 0) {
        frame_put(&intake->call.channel.outbox, 'M', intake->body.s, intake->body.len);
        intake->body.len = 0;
    }
}

/* Room for n more bytes of text; streams first when the frame would be full. */
static char *body_room(struct session *session, size_t n)
{
    struct intake *intake = &session->intake;
    if (intake->body.len + n > BODY_MAX) {
        put_body(session);
        (void)call_flush(&intake->call); /* a failure is found by call_finish */
    }
    return str_room(&intake->body, n);
}

/* n bytes were decoded to the end of the body: counts them, or drops everything at the first fault. */
static void added(struct session *session, struct intake_text *text, size_t n)
{
    text->bytes += n;
    session->intake.body.len += n;
    if (text->fault == INTAKE_GOOD && text->dots.has_bare_cr) {
        text->fault = INTAKE_BARE_CR;
    } else if (text->fault == INTAKE_GOOD && text->dots.has_bare_lf) {
        text->fault = INTAKE_BARE_LF;
    } else if (text->fault == INTAKE_GOOD && session->databytes > 0 && text->bytes + text->dots.lines > session->databytes) {
        text->fault = INTAKE_TOO_BIG;
    }
    if (text->fault != INTAKE_GOOD) {
        intake_reset(&session->intake);
    }
}

size_t intake_take_dots(struct session *session, struct intake_text *text, const char *bytes, size_t n)
{
    size_t len;
    char *out = body_room(session, n + 1);
    size_t used = dot_decode(&text->dots, bytes, n, out, &len);
    text->wire_bytes += used;
    added(session, text, len);
    return used;
}

/* A chunk's text has no dots to take off: CRLF becomes LF, a bare CR or LF is marked. */
static size_t decode_chunk(struct intake_text *text, const char *bytes, size_t n, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];
        if (text->after_cr && c != '\n') {
            out[len++] = '\r';
            text->dots.has_bare_cr = true;
        }
        if (c == '\n') {
            text->dots.has_bare_lf = text->dots.has_bare_lf || !text->after_cr;
            text->dots.lines++;
        }
        text->after_cr = c == '\r';
        if (!text->after_cr) {
            out[len++] = c;
        }
    }
    return len;
}

void intake_take_chunk(struct session *session, struct intake_text *text, const char *bytes, size_t n)
{
    char *out = body_room(session, n + 1);
    text->wire_bytes += n;
    added(session, text, decode_chunk(text, bytes, n, out));
}

void intake_end_chunks(struct session *session, struct intake_text *text)
{
    text->dots.has_bare_cr = text->dots.has_bare_cr || text->after_cr;
    added(session, text, 0);
}

bool intake_is_too_slow(const struct session *session, const struct intake_text *text)
{
    const struct settings *settings = session->settings;
    uint64_t age_ms = clock_monotonic_ms() - text->began_ms;
    return settings->minrate > 0 && age_ms >= settings->minrategrace * 1000 &&
           text->wire_bytes * 1000 < settings->minrate * age_ms;
}

static const struct reply *accepted(struct session *session, const struct intake_text *text, const char *id)
{
    session->accepted++;
    session->recipients += session->transaction.n_recipients;
    session->errors = session->commands = 0;
    log_event("accepted", "sid=%s id=%s from=%s bytes=%llu rcpts=%llu", session->sid, id, str_text(&session->transaction.sender),
              (unsigned long long)text->bytes, (unsigned long long)session->transaction.n_recipients);
    session->detail.number = clock_wall_us() / 1000000;
    return session_reply(session, REPLY_ACCEPTED, (struct slice){id, strlen(id)});
}

/* Why the text is not handed over at all. */
static const struct reply *refuse_text(struct session *session, const struct intake_text *text)
{
    switch (text->fault) {
    case INTAKE_BARE_CR:
        return reply(REPLY_BARE_CR);
    case INTAKE_BARE_LF:
        return reply(REPLY_BARE_LF);
    case INTAKE_TOO_BIG:
        return session_reply_number(session, REPLY_TOO_BIG, session->databytes);
    case INTAKE_GOOD:
        break;
    }
    return NULL;
}

const struct reply *intake_finish(struct session *session, const struct intake_text *text)
{
    struct intake *intake = &session->intake;
    struct verdict verdict;
    if (text->fault != INTAKE_GOOD) {
        return refuse_text(session, text);
    }
    put_body(session);
    frame_put(&intake->call.channel.outbox, 'E', "", 0);
    call_finish(&intake->call, &verdict);
    intake->is_streaming = false;
    if (verdict.letter == 'K') {
        return accepted(session, text, fields_get_or(&verdict.fields, "id", "?"));
    }
    session_note_verdict(session, &verdict);
    session->detail.number = session->databytes;
    const struct reply *answer = reply_queue_verdict(&verdict); /* the verdict goes with the call */
    close_call(intake);
    return answer;
}
