/* SPDX-License-Identifier: ISC */
/* BDAT (RFC 3030): counted chunks. The chunk is always read, also where it is refused: its bytes are never commands. */
#include "smtpd/session.h"

/* Is it time for BDAT? NULL: yes. */
static const struct reply *judge_order(struct session *session)
{
    switch (session->transaction.stage) {
    case STAGE_NONE:
        return reply(REPLY_MAIL_FIRST);
    case STAGE_SENDER:
        return reply(REPLY_RCPT_FIRST);
    case STAGE_RECIPIENTS:
    case STAGE_CHUNKS:
        break;
    }
    return NULL;
}

/* Reads n bytes, into the message or (is_refused) nowhere. False: they did not come; *answer_out says what that means. */
static bool read_chunk(struct session *session, uint64_t left, bool is_refused, const struct reply **answer_out)
{
    struct intake_text *text = &session->transaction.text;
    const char *bytes;
    size_t n;
    while (left > 0) {
        enum wire_result result = wire_peek(&session->wire, &bytes, &n);
        if (result != WIRE_LINE) {
            *answer_out = session_lost(session, result);
            return false;
        }
        n = n < left ? n : (size_t)left;
        if (!is_refused) {
            intake_take_chunk(session, text, bytes, n);
        }
        wire_skip(&session->wire, n);
        left -= n;
        if (!is_refused && left > 0 && intake_is_too_slow(session, text)) {
            *answer_out = session_reply_number(session, REPLY_TOO_SLOW, session->settings->minrate);
            return false;
        }
    }
    return true;
}

/* The chunk is in. */
static const struct reply *answer_chunk(struct session *session, uint64_t length, bool is_last)
{
    struct transaction *transaction = &session->transaction;
    if (is_last) {
        intake_end_chunks(session, &transaction->text);
    }
    if (is_last || transaction->text.fault != INTAKE_GOOD) {
        const struct reply *answer = intake_finish(session, &transaction->text);
        transaction_reset(session);
        return answer;
    }
    return session_reply_number(session, REPLY_CHUNK_OK, length);
}

const struct reply *cmd_bdat(struct session *session, struct slice argument)
{
    struct transaction *transaction = &session->transaction;
    uint64_t length;
    bool is_last;
    if (!command_parse_bdat(argument, &length, &is_last)) {
        transaction_reset(session);
        return reply(REPLY_BDAT_SYNTAX);
    }
    const struct reply *refusal = judge_order(session);
    if (refusal == NULL && transaction->stage == STAGE_RECIPIENTS) {
        intake_text_init(&transaction->text);
        transaction->stage = STAGE_CHUNKS;
    }
    if (length > 0 && refusal == NULL) {
        session->commands--; /* a chunk is no idle command, however small */
    }
    const struct reply *answer = NULL;
    if (!read_chunk(session, length, refusal != NULL, &answer)) {
        transaction_reset(session);
        return answer;
    }
    return refusal != NULL ? refusal : answer_chunk(session, length, is_last);
}
