/* SPDX-License-Identifier: ISC */
/* MAIL FROM: the whole line is recognised and judged, then the transaction begins. */
#include <string.h>

#include "lib/scan.h"
#include "lib/str.h"
#include "smtpd/session.h"

struct wish {
    bool has_size, has_body, is_8bit, is_utf8;
    uint64_t size;
};

/* NULL: the parameter is good, and noted. */
static const struct reply *take_parameter(struct session *session, const struct parameter *parameter, struct wish *wish)
{
    bool *seen = slice_is(parameter->key, "SIZE")       ? &wish->has_size
                 : slice_is(parameter->key, "BODY")     ? &wish->has_body
                 : slice_is(parameter->key, "SMTPUTF8") ? &wish->is_utf8
                                                        : NULL;
    if (seen == NULL) {
        return session_reply(session, REPLY_PARAMETER_UNKNOWN, parameter->key);
    }
    if (*seen) {
        return session_reply(session, REPLY_PARAMETER_TWICE, parameter->key);
    }
    *seen = true;
    bool is_good = seen == &wish->is_utf8    ? !parameter->has_value
                   : seen == &wish->has_size ? scan_decimal(parameter->value.bytes, parameter->value.len, UINT64_MAX, &wish->size)
                                             : slice_is(parameter->value, "7BIT") || slice_is(parameter->value, "8BITMIME");
    wish->is_8bit = wish->is_8bit || (seen == &wish->has_body && slice_is(parameter->value, "8BITMIME"));
    return is_good ? NULL : session_reply(session, REPLY_PARAMETER_VALUE, parameter->key);
}

static const struct reply *take_parameters(struct session *session, struct slice parameters, struct wish *wish)
{
    struct parameter parameter;
    int found;
    while ((found = command_next_parameter(&parameters, &parameter)) == 1) {
        const struct reply *fault = take_parameter(session, &parameter, wish);
        if (fault != NULL) {
            return fault;
        }
    }
    return found < 0 ? session_reply(session, REPLY_PARAMETER_SYNTAX, parameters) : NULL;
}

/* badmailfrom as in qmail: user@domain, or @domain for all of it. */
static bool is_unwanted(const struct session *session, struct slice address)
{
    const struct control_list *list = &session->settings->badmailfrom;
    size_t at = address_domain_at(address.bytes, address.len);
    return control_list_has(list, address.bytes, address.len) || control_list_has(list, address.bytes + at, address.len - at);
}

static const struct reply *judge_sender(struct session *session, struct slice address, const struct wish *wish)
{
    enum address_fault fault = address_check(address.bytes, address.len, wish->is_utf8);
    session->detail.bytes = address.bytes;
    session->detail.len = address.len;
    if (fault != ADDRESS_GOOD && fault != ADDRESS_EMPTY) {
        return reply_sender_fault(fault);
    }
    if (address.len > 0 && is_unwanted(session, address)) {
        return reply(REPLY_SENDER_REFUSED);
    }
    if (session->databytes > 0 && wish->size > session->databytes) {
        return session_reply_number(session, REPLY_SIZE_DECLARED, session->databytes);
    }
    return NULL;
}

/* Is it time for MAIL? NULL: yes. */
static const struct reply *judge_order(struct session *session)
{
    if (session->helo.len == 0 && !session->is_relay) {
        return reply(REPLY_HELLO_FIRST);
    }
    if (session->transaction.stage != STAGE_NONE) {
        return reply(REPLY_MAIL_TWICE);
    }
    if (session->transactions >= session->settings->maxtransactions) {
        return session_reply_number(session, REPLY_TOO_MANY_MESSAGES, session->settings->maxtransactions);
    }
    return NULL;
}

static void begin(struct session *session, struct slice address, const struct wish *wish)
{
    struct transaction *transaction = &session->transaction;
    session->transactions++;
    str_copy(&transaction->sender, address.bytes, address.len);
    transaction->is_8bit = wish->is_8bit;
    transaction->is_utf8 = wish->is_utf8;
    transaction->size = wish->size;
    transaction->stage = STAGE_SENDER;
}

const struct reply *cmd_mail(struct session *session, struct slice argument)
{
    struct path path;
    struct wish wish = {0};
    const struct reply *fault = judge_order(session);
    if (fault != NULL) {
        return fault;
    }
    enum path_result form = command_parse_path(argument, "FROM:", &path);
    if (form == PATH_SYNTAX) {
        return session_reply(session, REPLY_MAIL_SYNTAX, argument);
    }
    if (form == PATH_NO_BRACKETS && !session->is_relay) {
        return session_reply(session, REPLY_NO_BRACKETS, path.address);
    }
    fault = take_parameters(session, path.parameters, &wish);
    if (fault == NULL) {
        fault = judge_sender(session, path.address, &wish);
    }
    if (fault != NULL) {
        return fault;
    }
    begin(session, path.address, &wish);
    return reply(REPLY_MAIL_OK);
}
