/* SPDX-License-Identifier: ISC */
/* USER, PASS, CAPA, QUIT. Knows no password file and no mailbox: authd judges, and its K comes from the session itself, which
 * then has the connection. Promise: what the client sent behind its password is the session's first input, byte for byte. */
#include "pop3d/front.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/handoff.h"
#include "lib/log.h"
#include "lib/str.h"

static const struct reply *take_user(struct front *front, const struct command *command)
{
    str_copy(&front->user, command->text, command->text_len);
    front->talk.user = str_text(&front->user);
    return reply(REPLY_USER_OK);
}

static void hand_over(struct front *front)
{
    log_event("handed-over", "sid=%s ip=%s user=%s ms=%llu", front->talk.sid, front->talk.ip, str_text(&front->user),
              (unsigned long long)(clock_monotonic_ms() - front->talk.start_ms));
    front->talk.is_over = true;
    front->talk.how = NULL;
}

/* A login that failed. The words of the verdict go away with the call: they are kept for the reply. */
static const struct reply *refuse(struct front *front, const struct verdict *verdict)
{
    uint64_t seconds = 0;
    (void)fields_get_number(&verdict->fields, "wait", UINT32_MAX, &seconds);
    str_copys(&front->told, verdict->text);
    front->talk.detail.told = str_text(&front->told);
    front->talk.detail.number = seconds;
    front->logins++;
    return reply_verdict(verdict);
}

static const struct reply *take_password(struct front *front, const struct command *command)
{
    struct wire *wire = &front->talk.wire;
    struct call call;
    struct verdict verdict;
    if (front->user.len == 0) {
        return reply(REPLY_USER_FIRST);
    }
    const struct handoff handoff = {
        .service = "pop3",
        .sid = front->talk.sid,
        .ip = front->talk.ip,
        .local_ip = front->peer->local_ip,
        .local_port = front->peer->local_port,
        .user = str_text(&front->user),
        .password = command->text,
        .connection = wire->in,
        .early = wire->in_buf + wire->start,
        .early_len = wire->end - wire->start,
    };
    wire_flush(wire); /* from K on the session may write */
    handoff_ask(&handoff, &call, &verdict);
    explicit_bzero(wire->in_buf + (command->text - wire->in_buf), command->text_len);
    const struct reply *answer = NULL;
    if (verdict.letter == 'K') {
        hand_over(front);
    } else {
        answer = refuse(front, &verdict);
    }
    call_close(&call);
    front->user.len = 0;
    return answer;
}

static const struct reply *run(void *context, const struct command *command)
{
    struct front *front = context;
    switch (command->verb) {
    case COMMAND_CAPA:
        return talk_reply_capa(&front->talk, front->settings->popinterval);
    case COMMAND_USER:
        return take_user(front, command);
    case COMMAND_PASS:
        return take_password(front, command);
    case COMMAND_QUIT:
        return reply(REPLY_GOODBYE);
    case COMMAND_NOOP:
    case COMMAND_STAT:
    case COMMAND_LIST:
    case COMMAND_UIDL:
    case COMMAND_RETR:
    case COMMAND_TOP:
    case COMMAND_DELE:
    case COMMAND_RSET:
    case COMMAND_LAST:
    case COMMAND_NOT_OFFERED:
    case COMMAND_HTTP:
        break;
    }
    return reply(REPLY_LOGIN_FIRST);
}

static const struct reply *run_and_count(void *context, const struct command *command)
{
    struct front *front = context;
    const struct reply *answer = run(context, command);
    if (answer != NULL && command->verb == COMMAND_PASS && front->logins >= front->settings->maxlogins) {
        talk_say(&front->talk, answer);
        return talk_reply_number(&front->talk, REPLY_TOO_MANY_LOGINS, front->logins);
    }
    return answer;
}

/* In a crowd whoever says nothing has to make room soon: else some hundred silent connections lock all others out. */
static uint64_t patience(const struct serve_peer *peer)
{
    enum { CROWD_SHARE = 10 };
    uint64_t seconds = settings_now()->timeoutpop3login;
    return peer->is_crowded ? (seconds + CROWD_SHARE - 1) / CROWD_SHARE : seconds;
}

void front_run(struct front *front, const struct serve_peer *peer, const char *ip)
{
    const struct settings *settings = front->settings = settings_now();
    struct talk *talk = &front->talk;
    uint64_t seconds = patience(peer);
    talk_init(talk, 0, 1, (unsigned)seconds);
    talk->wire.end_ms = talk->start_ms + seconds * 1000;
    serve_make_sid(talk->sid);
    talk->ip = ip;
    talk->max_errors = settings->maxpop3errors;
    talk->max_unknown = settings->maxunknown;
    front->peer = peer;
    const char *name = settings->me != NULL && settings->me[0] != '\0' ? settings->me : "stafet";
    talk_say(talk, talk_reply(talk, REPLY_GREETING, name, strlen(name)));
    talk_run(talk, run_and_count, front);
    if (talk->how != NULL) {
        talk_part(talk);
        log_event("quit", "sid=%s ip=%s how=%s logins=%llu refused=%llu ms=%llu", talk->sid, talk->ip, talk->how,
                  (unsigned long long)front->logins, (unsigned long long)talk->refused,
                  (unsigned long long)(clock_monotonic_ms() - talk->start_ms));
    }
}
