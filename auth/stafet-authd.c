/* SPDX-License-Identifier: ISC */
/* stafet-authd: answers op=auth of stafet-call(5). Runs as stafeta. One call, one hash; it never waits for a client: a POP3 or
 * IMAP connection travels on to the session together with authd's own end of the front's call, and the member is free. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/login_check.h"
#include "auth/password_cache.h"
#include "auth/penalty.h"
#include "lib/call.h"
#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/serve.h"
#include "lib/str.h"

enum { CALLER_SECONDS = 5, SESSION_SECONDS = 10, MEMBERS = 4, EARLY_MAX = 65534 };

static struct channel channel;
static stralloc question_bytes, early_bytes; /* kept from call to call */

static void prepare(void)
{
    login_start();
    password_cache_start();
    login_confine(SANDBOX_RPATH | SANDBOX_WPATH | SANDBOX_CPATH | SANDBOX_UNIX | SANDBOX_SERVE | SANDBOX_FORK | SANDBOX_KILL);
}

struct request {
    struct fields fields;
    struct login_question question;
    uint64_t early;
    bool is_session;
};

/* False: not a question of ours. */
static bool read_request(struct request *out)
{
    static const char *const known[] = {"op",  "sid",   "service", "mech", "user",  "pass", "ip",
                                        "lip", "lport", "tls",     "tag",  "early", NULL};
    struct fields *fields = &out->fields;
    if (!fields_parse(question_bytes.s, question_bytes.len, fields) || !fields_are_known(fields, known)) {
        return false;
    }
    out->question = (struct login_question){.service = fields_get(fields, "service"),
                                            .name = fields_get(fields, "user"),
                                            .password = fields_get(fields, "pass"),
                                            .mech = fields_get(fields, "mech"),
                                            .ip = fields_get(fields, "ip"),
                                            .sid = fields_get(fields, "sid"),
                                            .now_us = clock_wall_us()};
    const struct login_question *question = &out->question;
    out->early = 0;
    if (strcmp(fields_get_or(fields, "op", ""), "auth") != 0 || question->service == NULL || question->name == NULL ||
        question->password == NULL || question->mech == NULL || question->ip == NULL || question->sid == NULL ||
        !login_service_is_known(question->service) ||
        (fields_get(fields, "early") != NULL && !fields_get_number(fields, "early", EARLY_MAX, &out->early))) {
        return false;
    }
    out->is_session = strcmp(question->service, "smtp") != 0;
    return (strcmp(question->mech, "PLAIN") == 0 || strcmp(question->mech, "LOGIN") == 0) && (out->is_session || out->early == 0);
}

static void put_verdict(enum login_reply reply, const struct login_answer *answer)
{
    const struct login_words *words = login_words(reply);
    size_t start = verdict_begin(&channel.outbox, words->letter, words->text);
    if (words->why != WHY_NONE) {
        field_put(&channel.outbox, "why", why_word(words->why));
    }
    if (answer != NULL && answer->wait > 0) {
        field_put_number(&channel.outbox, "wait", answer->wait);
    }
    if (reply == LOGIN_REPLY_WELCOME) {
        char user[sizeof answer->login + 2];
        snprintf(user, sizeof user, "%s@%s", answer->login.user, answer->login.domain);
        field_put(&channel.outbox, "user", user);
        field_put(&channel.outbox, "relay", "1");
    }
    frame_end(&channel.outbox, start);
}

/* The bytes that the client sent behind its password: M frames, `early` bytes in all. */
static bool read_early(uint64_t early)
{
    struct frame frame;
    early_bytes.len = 0;
    while (early_bytes.len < early) {
        if (channel_read(&channel, &frame) != CHANNEL_FRAME || frame.type != 'M' || frame.len > early - early_bytes.len) {
            return false;
        }
        str_cat(&early_bytes, frame.payload, frame.len);
    }
    return true;
}

static void put_session(const struct request *request, const struct login_answer *answer, stralloc *out)
{
    char user[sizeof answer->login + 2];
    snprintf(user, sizeof user, "%s@%s", answer->login.user, answer->login.domain);
    size_t start = frame_begin(out, 'Q');
    field_put(out, "op", "session");
    field_put(out, "sid", request->question.sid);
    field_put(out, "service", request->question.service);
    field_put(out, "user", user);
    field_put(out, "home", answer->home);
    field_put_number(out, "flags", answer->flags);
    field_put(out, "quota", answer->quota);
    field_put(out, "ip", request->question.ip);
    field_put(out, "lip", fields_get(&request->fields, "lip"));
    field_put(out, "tls", fields_get(&request->fields, "tls"));
    field_put(out, "tag", fields_get(&request->fields, "tag"));
    field_put_number(out, "early", request->early);
    frame_end(out, start);
    if (request->early > 0) {
        frame_put(out, 'M', early_bytes.s, early_bytes.len);
    }
}

/* Gives the client and the end of the front's call (fd 0) to the session, which answers the front from now on. */
static bool hand_over(const struct request *request, const struct login_answer *answer, int connection)
{
    struct call call;
    char name[32];
    snprintf(name, sizeof name, "sockets/%s", request->question.service);
    bool is_open = call_open(&call, name, SESSION_SECONDS) == 0;
    put_session(request, answer, &call.channel.outbox);
    channel_attach_fd(&call.channel, connection);
    channel_attach_fd(&call.channel, 0);
    bool is_sent = is_open && call_flush(&call) == 0;
    call_close(&call);
    if (!is_sent) {
        log_event("alert", "sid=%s what=%s socket=%s", request->question.sid, "the session service does not answer", name);
    }
    return is_sent;
}

static void serve_request(const struct request *request, int connection)
{
    struct login_answer answer;
    if (request->is_session != (connection >= 0)) {
        put_verdict(LOGIN_REPLY_NO_CONNECTION, NULL);
        return;
    }
    login_check(&request->question, &answer);
    if (answer.reply != LOGIN_REPLY_WELCOME || !request->is_session) {
        put_verdict(answer.reply, &answer);
    } else if (!hand_over(request, &answer, connection)) {
        put_verdict(LOGIN_REPLY_NO_SESSION, NULL);
    }
}

enum heard { HEARD_GOOD, HEARD_BAD, HEARD_PROBE, HEARD_NONE };

/* Reads the whole call, then acts. HEARD_NONE: the caller is silent or does not speak the protocol. */
static enum heard read_call(struct request *request)
{
    struct frame frame;
    if (channel_read(&channel, &frame) != CHANNEL_FRAME) {
        return HEARD_NONE;
    }
    if (channel_answers_probe(&channel, &frame)) {
        return HEARD_PROBE;
    }
    str_copy(&question_bytes, frame.payload, frame.len);
    bool is_good = frame.type == 'Q' && read_request(request) && read_early(request->early) && channel.n_fds <= 1;
    return is_good ? HEARD_GOOD : HEARD_BAD;
}

static void serve_call(struct request *request)
{
    int connection = channel_take_fd(&channel);
    serve_request(request, connection);
    (void)!channel_flush(&channel); /* a caller that is gone needs no verdict */
    if (connection >= 0) {
        close(connection);
    }
}

static void session(const struct serve_peer *peer)
{
    struct request request;
    channel_init(&channel, 0, 1);
    channel_set_deadline(&channel, CALLER_SECONDS);
    switch (read_call(&request)) {
    case HEARD_GOOD:
        serve_call(&request);
        break;
    case HEARD_BAD:
        put_verdict(LOGIN_REPLY_BAD_REQUEST, NULL);
        log_event("refused", "uid=%u why=%s", (unsigned)peer->uid, why_word(WHY_bad_request));
        (void)!channel_flush(&channel);
        break;
    case HEARD_PROBE:
        (void)!channel_flush(&channel);
        break;
    case HEARD_NONE:
        log_event("refused", "uid=%u error=%s", (unsigned)peer->uid, "the caller is silent or does not speak the call protocol");
        break;
    }
    password_wipe(question_bytes.s, question_bytes.a);
    password_wipe(channel.inbox.s, channel.inbox.a);
    channel_close(&channel);
    penalty_sweep(clock_wall_us());
}

int main(int argc, char **argv)
{
    static const struct serve server = {
        .name = "authd", .members = MEMBERS, .controls = login_controls, .prepare = prepare, .session = session};
    program_start("authd");
    return serve(argc, argv, &server);
}
