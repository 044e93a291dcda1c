/* SPDX-License-Identifier: ISC */
/* EHLO, HELO, RSET, QUIT: the beginning and the end. */
#include <string.h>

#include "lib/str.h"
#include "smtpd/session.h"

/* The name is only noted (it stands in Received: and the log): printable ASCII, as it came. */
static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.bytes[i] < 0x20 || name.bytes[i] > 0x7e) {
            return false;
        }
    }
    return name.len > 0 && name.len <= HELO_MAX;
}

static struct slice own_name(const struct session *session)
{
    return (struct slice){session->settings->me, strlen(session->settings->me)};
}

static void note_name(struct session *session, struct slice name, bool is_esmtp)
{
    transaction_reset(session);
    str_copy(&session->helo, name.bytes, name.len);
    (void)str_text(&session->helo);
    session->is_esmtp = is_esmtp;
}

const struct reply *cmd_ehlo(struct session *session, struct slice argument)
{
    if (!is_name(argument)) {
        return session_reply(session, REPLY_HELLO_SYNTAX, (struct slice){"EHLO", 4});
    }
    note_name(session, argument, true);
    session->detail.number = session->databytes;
    return session_reply(session, REPLY_EHLO, own_name(session));
}

const struct reply *cmd_helo(struct session *session, struct slice argument)
{
    if (!is_name(argument)) {
        return session_reply(session, REPLY_HELLO_SYNTAX, (struct slice){"HELO", 4});
    }
    note_name(session, argument, false);
    return session_reply(session, REPLY_HELO, own_name(session));
}

const struct reply *cmd_rset(struct session *session, struct slice argument)
{
    (void)argument;
    transaction_reset(session);
    return reply(REPLY_FLUSHED);
}

const struct reply *cmd_quit(struct session *session, struct slice argument)
{
    (void)argument;
    return session_reply(session, REPLY_GOODBYE, own_name(session));
}
