/* SPDX-License-Identifier: ISC */
/* DATA: reads to the true end whatever is wrong with the message, so that the client hears why and nothing of it is taken for
 * commands. */
#include "smtpd/session.h"

/* NULL: the end was found; else the reply that ends the session, or *is_gone_out. */
static const struct reply *read_text(struct session *session, struct intake_text *text, bool *is_gone_out)
{
    const char *bytes;
    size_t n;
    *is_gone_out = false;
    while (text->dots.state != DOT_DONE) {
        enum wire_result result = wire_peek(&session->wire, &bytes, &n);
        if (result != WIRE_LINE) {
            *is_gone_out = true;
            return session_lost(session, result);
        }
        wire_skip(&session->wire, intake_take_dots(session, text, bytes, n));
        if (text->dots.state != DOT_DONE && intake_is_too_slow(session, text)) {
            return session_reply_number(session, REPLY_TOO_SLOW, session->settings->minrate);
        }
    }
    return NULL;
}

const struct reply *cmd_data(struct session *session, struct slice argument)
{
    struct transaction *transaction = &session->transaction;
    bool is_gone;
    (void)argument;
    switch (transaction->stage) {
    case STAGE_NONE:
        return reply(REPLY_MAIL_FIRST);
    case STAGE_SENDER:
        return reply(REPLY_RCPT_FIRST);
    case STAGE_CHUNKS:
        return reply(REPLY_CHUNKS_OPEN);
    case STAGE_RECIPIENTS:
        break;
    }
    session_say(session, reply(REPLY_GO_AHEAD));
    intake_text_init(&transaction->text);
    const struct reply *answer = read_text(session, &transaction->text, &is_gone);
    if (answer == NULL && !is_gone) {
        answer = intake_finish(session, &transaction->text);
    }
    transaction_reset(session);
    return answer;
}
