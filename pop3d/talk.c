/* SPDX-License-Identifier: ISC */
/* The loop of a conversation. Trusts no byte of the client; memory does not grow with what it sends. */
#include "pop3d/talk.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"

enum { REFUSALS_LOGGED = 20 };

void talk_init(struct talk *talk, int in, int out, unsigned idle_seconds)
{
    static const int one = 1;
    wire_init(&talk->wire, in, out, idle_seconds);
    talk->errors = talk->unknown = talk->refused = 0;
    talk->is_over = false;
    talk->how = "quit";
    talk->ip = talk->user = "";
    talk->start_ms = clock_monotonic_ms();
    /* A reply is one write; its last part must not wait for an ACK. Fails on everything but TCP, which is fine. */
    (void)setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

const struct reply *talk_reply(struct talk *talk, enum reply_name name, const char *bytes, size_t n)
{
    talk->detail.bytes = bytes;
    talk->detail.len = n;
    return reply(name);
}

const struct reply *talk_reply_number(struct talk *talk, enum reply_name name, uint64_t number)
{
    talk->detail.number = number;
    return reply(name);
}

const struct reply *talk_reply_capa(struct talk *talk, uint64_t login_delay)
{
    return talk_reply_number(talk, login_delay > 0 ? REPLY_CAPA_DELAY : REPLY_CAPA, login_delay);
}

/* One line a refusal, and not more than a client should be able to fill a disk with. */
static void log_refusal(struct talk *talk, const struct reply *reply)
{
    talk->refused++;
    if (talk->refused > REFUSALS_LOGGED) {
        return;
    }
    str_copy(&talk->line, talk->detail.bytes, talk->detail.len);
    log_event("refused", "sid=%s ip=%s user=%s cause=%s about=%s number=%llu told=%s more=%s", talk->sid, talk->ip, talk->user,
              reply->cause, str_text(&talk->line), (unsigned long long)talk->detail.number, talk->detail.told,
              talk->refused == REFUSALS_LOGGED ? "only-counted" : "");
}

void talk_say(struct talk *talk, const struct reply *reply)
{
    if (reply->cause != NULL) {
        log_refusal(talk, reply);
    }
    talk->line.len = 0;
    reply_append(&talk->line, reply, &talk->detail);
    wire_put(&talk->wire, talk->line.s, talk->line.len);
    talk->detail = (struct reply_detail){0};
    talk->errors += (reply->flags & REPLY_ERROR) != 0;
    talk->unknown += (reply->flags & REPLY_GARBAGE) != 0;
    if (reply->flags & REPLY_CLOSES) {
        talk->is_over = true;
        talk->how = reply->cause != NULL ? reply->cause : "quit";
    }
}

static const struct reply *run_line(struct talk *talk, const char *line, size_t n, struct command *command)
{
    if (memchr(line, '\0', n) != NULL) {
        return reply(REPLY_NUL);
    }
    switch (command_parse(line, n, command)) {
    case COMMAND_UNKNOWN:
        return talk_reply(talk, REPLY_UNKNOWN, command->word, command->word_len);
    case COMMAND_MALFORMED: {
        const char *form = command_form(command->verb);
        return talk_reply(talk, REPLY_FORM, form, strlen(form));
    }
    case COMMAND_GOOD:
        break;
    }
    if (command->verb == COMMAND_NOT_OFFERED) {
        return talk_reply(talk, REPLY_NOT_OFFERED, command->word, command->word_len);
    }
    return command->verb == COMMAND_HTTP ? reply(REPLY_HTTP) : NULL;
}

/* A client that is silent for too long hears nothing (RFC 1939 3). */
static void end_without_a_word(struct talk *talk, enum wire_result result)
{
    talk->is_over = true;
    talk->how = result == WIRE_END ? "closed" : result == WIRE_TIMEOUT ? "timeout" : "lost";
}

static const struct reply *next_reply(struct talk *talk, talk_handler *handler, void *context)
{
    char *line;
    size_t n;
    struct command command;
    const struct reply *answer;
    enum wire_result result = wire_read_line(&talk->wire, TALK_LINE_MAX, false, &line, &n);
    switch (result) {
    case WIRE_LINE:
        answer = run_line(talk, line, n, &command);
        return answer != NULL ? answer : handler(context, &command);
    case WIRE_LONG:
        return talk_reply_number(talk, REPLY_LINE_TOO_LONG, TALK_LINE_MAX);
    case WIRE_BARE: /* not when a lone LF may end a line */
    case WIRE_END:
    case WIRE_TIMEOUT:
    case WIRE_GONE:
        break;
    }
    end_without_a_word(talk, result);
    return NULL;
}

/* A limit that is reached ends the conversation, behind the reply that explains the last error. */
static void look_at_limits(struct talk *talk)
{
    if (talk->is_over) {
        return;
    }
    if (talk->max_unknown > 0 && talk->unknown >= talk->max_unknown) {
        talk_say(talk, talk_reply_number(talk, REPLY_TOO_MANY_UNKNOWN, talk->max_unknown));
    } else if (talk->max_errors > 0 && talk->errors >= talk->max_errors) {
        talk_say(talk, talk_reply_number(talk, REPLY_TOO_MANY_ERRORS, talk->max_errors));
    }
}

void talk_run(struct talk *talk, talk_handler *handler, void *context)
{
    while (!talk->is_over) {
        const struct reply *answer = next_reply(talk, handler, context);
        if (answer != NULL) {
            talk_say(talk, answer);
        }
        look_at_limits(talk);
    }
}

void talk_part(struct talk *talk)
{
    bool is_calm = strcmp(talk->how, "quit") == 0 && !wire_has_input(&talk->wire);
    wire_flush(&talk->wire);
    if (talk->is_over && !is_calm && !talk->wire.is_broken) {
        wire_part(&talk->wire);
    }
}
