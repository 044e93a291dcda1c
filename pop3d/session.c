/* SPDX-License-Identifier: ISC */
/* A session behind the password: dispatch, marks, QUIT. The mailbox changes at QUIT and at no other time; who goes without it
 * leaves everything as it was. */
#include "pop3d/session.h"

#include <errno.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"

const struct reply *session_find(struct session *session, const struct command *command, uint32_t *i_out)
{
    uint64_t number = command->number[0];
    if (number == 0 || number > session->drop.box.n) {
        return talk_reply_number(&session->talk, REPLY_NO_MESSAGE, number);
    }
    if (maildrop_is_deleted(&session->drop, (uint32_t)number - 1)) {
        return talk_reply_number(&session->talk, REPLY_IS_DELETED, number);
    }
    *i_out = (uint32_t)number - 1;
    return NULL;
}

const struct reply *session_unreadable(struct session *session, uint32_t i)
{
    if (errno == ENOENT) {
        return talk_reply_number(&session->talk, REPLY_GONE, (uint64_t)i + 1);
    }
    const char *why = strerror(errno);
    return talk_reply(&session->talk, REPLY_UNREADABLE, why, strlen(why));
}

static void note_access(struct session *session, uint64_t number)
{
    session->last = number > session->last ? (uint32_t)number : session->last;
}

static const struct reply *retrieve(struct session *session, const struct command *command)
{
    const struct reply *answer = cmd_retr(session, command);
    if (answer == NULL) {
        note_access(session, command->number[0]);
        session->retrieved++;
    }
    return answer;
}

static const struct reply *delete (struct session *session, const struct command *command)
{
    uint32_t i = 0;
    const struct reply *refusal = session_find(session, command, &i);
    if (refusal != NULL) {
        return refusal;
    }
    maildrop_delete(&session->drop, i);
    note_access(session, command->number[0]);
    return talk_reply_number(&session->talk, REPLY_DELETED, command->number[0]);
}

static const struct reply *reset(struct session *session)
{
    maildrop_reset(&session->drop);
    session->last = 0;
    return talk_reply_number(&session->talk, REPLY_RESET, maildrop_count(&session->drop));
}

static const struct reply *last(struct session *session)
{
    session->words.len = 0;
    str_catn(&session->words, session->last);
    return talk_reply(&session->talk, REPLY_ANSWER, session->words.s, session->words.len);
}

static const struct reply *quit(struct session *session)
{
    struct maildrop_update *update = &session->update;
    *update = maildrop_update(&session->drop, clock_wall_us() / 1000000);
    if (update->failed > 0) {
        const char *why = strerror(update->error);
        session->talk.detail.number = update->failed;
        return talk_reply(&session->talk, REPLY_NOT_UPDATED, why, strlen(why));
    }
    return talk_reply_number(&session->talk, REPLY_UPDATED, update->removed);
}

static const struct reply *run(void *context, const struct command *command)
{
    struct session *session = context;
    switch (command->verb) {
    case COMMAND_CAPA:
        return talk_reply_capa(&session->talk, session->settings->popinterval);
    case COMMAND_QUIT:
        return quit(session);
    case COMMAND_NOOP:
        return reply(REPLY_OK);
    case COMMAND_STAT:
        return cmd_stat(session, command);
    case COMMAND_LIST:
        return cmd_list(session, command);
    case COMMAND_UIDL:
        return cmd_uidl(session, command);
    case COMMAND_RETR:
        return retrieve(session, command);
    case COMMAND_TOP:
        return cmd_top(session, command);
    case COMMAND_DELE:
        return delete (session, command);
    case COMMAND_RSET:
        return reset(session);
    case COMMAND_LAST:
        return last(session);
    case COMMAND_USER:
    case COMMAND_PASS:
    case COMMAND_NOT_OFFERED:
    case COMMAND_HTTP:
        break;
    }
    return reply(REPLY_LOGGED_IN);
}

void session_run(struct session *session)
{
    struct talk *talk = &session->talk;
    session->settings = settings_now();
    talk->max_errors = session->settings->maxpop3errors;
    talk->max_unknown = 0; /* of somebody with a password they are errors like others */
    log_event("session", "sid=%s ip=%s user=%s messages=%u", talk->sid, talk->ip, talk->user, session->drop.box.n);
    talk_say(talk, talk_reply_number(talk, REPLY_WELCOME, session->drop.box.n));
    talk_run(talk, run, session);
    talk_part(talk);
    log_event("quit", "sid=%s ip=%s user=%s how=%s retrieved=%llu octets=%llu deleted=%u failed=%u refused=%llu ms=%llu",
              talk->sid, talk->ip, talk->user, talk->how, (unsigned long long)session->retrieved,
              (unsigned long long)session->octets_sent, session->update.removed, session->update.failed,
              (unsigned long long)talk->refused, (unsigned long long)(clock_monotonic_ms() - talk->start_ms));
}
