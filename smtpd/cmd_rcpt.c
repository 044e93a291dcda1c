/* SPDX-License-Identifier: ISC */
/* RCPT TO: the address is judged here by its form, and by rcptd for all the rest: smtpd knows no mailbox and no domain. */
#include <string.h>

#include "lib/call.h"
#include "lib/str.h"
#include "smtpd/session.h"

enum { RCPTD_SECONDS = 30 };

static const struct reply *ask_rcptd(struct session *session, struct slice address)
{
    struct transaction *transaction = &session->transaction;
    struct call call;
    struct verdict verdict;
    (void)call_open(&call, "sockets/rcpt", RCPTD_SECONDS); /* a failure is call_finish's Z */
    stralloc *out = &call.channel.outbox;
    size_t start = frame_begin(out, 'Q');
    field_put(out, "op", "rcpt");
    field_put(out, "sid", session->sid);
    field_put(out, "from", str_text(&transaction->sender));
    field_put(out, "to", address.bytes);
    if (transaction->size > 0) {
        field_put_number(out, "size", transaction->size);
    }
    field_put(out, "relay", session->is_relay ? "1" : "0");
    field_put(out, "for", "smtp");
    frame_end(out, start);
    call_finish(&call, &verdict);
    const struct reply *answer = reply_recipient_verdict(&verdict);
    session->detail.bytes = address.bytes;
    session->detail.len = address.len;
    if (verdict.letter != 'K') {
        session_note_verdict(session, &verdict);
    }
    call_close(&call);
    return answer;
}

/* RFC 5321 4.5.1: postmaster needs no domain. */
static bool is_bare_postmaster(struct slice address)
{
    return slice_is(address, "postmaster");
}

/* The address as rcptd shall see it, in session->words. */
static struct slice complete(struct session *session, struct slice address)
{
    str_copy(&session->words, address.bytes, address.len);
    if (is_bare_postmaster(address)) {
        str_catc(&session->words, '@');
        str_cats(&session->words, session->settings->me);
    }
    if (session->is_relay) {
        str_cats(&session->words, session->relay_suffix);
    }
    return (struct slice){str_text(&session->words), session->words.len};
}

static const struct reply *judge_address(struct session *session, struct slice address)
{
    enum address_fault fault = address_check(address.bytes, address.len, session->transaction.is_utf8);
    session->detail.bytes = address.bytes;
    session->detail.len = address.len;
    return fault == ADDRESS_GOOD ? NULL : reply_recipient_fault(fault);
}

/* Is it time for RCPT? NULL: yes. */
static const struct reply *judge_order(struct session *session)
{
    switch (session->transaction.stage) {
    case STAGE_NONE:
        return reply(REPLY_MAIL_FIRST);
    case STAGE_CHUNKS:
        return reply(REPLY_CHUNKS_OPEN);
    case STAGE_SENDER:
    case STAGE_RECIPIENTS:
        break;
    }
    if (session->transaction.n_recipients >= session->settings->maxrcpt) {
        return session_reply_number(session, REPLY_RCPT_TOO_MANY, session->settings->maxrcpt);
    }
    return NULL;
}

/* The whole line; NULL: good, and *address_out is complete. */
static const struct reply *judge_line(struct session *session, struct slice argument, struct slice *address_out)
{
    struct path path;
    struct parameter parameter;
    enum path_result form = command_parse_path(argument, "TO:", &path);
    if (form == PATH_SYNTAX) {
        return session_reply(session, REPLY_RCPT_SYNTAX, argument);
    }
    if (form == PATH_NO_BRACKETS && !session->is_relay) {
        return session_reply(session, REPLY_NO_BRACKETS, path.address);
    }
    int found = command_next_parameter(&path.parameters, &parameter);
    if (found < 0) {
        return session_reply(session, REPLY_PARAMETER_SYNTAX, path.parameters);
    }
    if (found > 0) {
        return session_reply(session, REPLY_PARAMETER_UNKNOWN, parameter.key);
    }
    *address_out = path.address.len > 0 ? complete(session, path.address) : path.address;
    return judge_address(session, *address_out);
}

const struct reply *cmd_rcpt(struct session *session, struct slice argument)
{
    struct transaction *transaction = &session->transaction;
    struct slice address = {NULL, 0};
    const struct reply *answer = judge_order(session);
    if (answer == NULL) {
        answer = judge_line(session, argument, &address);
    }
    if (answer != NULL) {
        return answer;
    }
    answer = ask_rcptd(session, address);
    if (answer == reply(REPLY_RCPT_OK)) {
        str_cat(&transaction->recipients, address.bytes, address.len + 1);
        transaction->n_recipients++;
        transaction->stage = STAGE_RECIPIENTS;
    }
    return answer;
}
