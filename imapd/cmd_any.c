/* SPDX-License-Identifier: ISC */
/* Commands of every state: CAPABILITY NOOP CHECK LOGOUT ID ENABLE NAMESPACE. */
#include <string.h>

#include "imapd/mailboxes.h"
#include "imapd/session.h"
#include "lib/str.h"

const char *capabilities(const struct session *session)
{
    (void)session;
    return "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE NAMESPACE CHILDREN IDLE UIDPLUS MOVE UNSELECT SPECIAL-USE CREATE-SPECIAL-USE "
           "LIST-EXTENDED LIST-STATUS STATUS=SIZE CONDSTORE QRESYNC ESEARCH SEARCHRES SORT THREAD=ORDEREDSUBJECT "
           "THREAD=REFERENCES";
}

const struct reply *cmd_capability(struct session *session, struct parser *parser)
{
    if (!parse_end(parser)) {
        return &reply_syntax;
    }
    session_put(session, "* CAPABILITY ");
    session_put(session, capabilities(session));
    session_put(session, "\r\n");
    return &reply_done;
}

const struct reply *cmd_noop(struct session *session, struct parser *parser)
{
    (void)session;
    return parse_end(parser) ? &reply_done : &reply_syntax;
}

const struct reply *cmd_check(struct session *session, struct parser *parser)
{
    return cmd_noop(session, parser);
}

const struct reply *cmd_logout(struct session *session, struct parser *parser)
{
    if (!parse_end(parser)) {
        return &reply_syntax;
    }
    session_put(session, "* BYE see you\r\n");
    session->is_over = true;
    return &reply_goodbye;
}

/* RFC 2971: looked at for its form; we say who we are. */
const struct reply *cmd_id(struct session *session, struct parser *parser)
{
    if (!parse_id(parser)) {
        return &reply_syntax;
    }
    session_put(session, "* ID (\"name\" \"stafet\")\r\n");
    return &reply_done;
}

/* RFC 5161, 7162: QRESYNC brings CONDSTORE along. */
const struct reply *cmd_enable(struct session *session, struct parser *parser)
{
    struct slice word;
    bool condstore = false;
    bool qresync = false;
    do {
        if (!parse_space(parser) || !parse_atom(parser, &word)) {
            return &reply_syntax;
        }
        condstore = condstore || slice_is(word, "CONDSTORE");
        qresync = qresync || slice_is(word, "QRESYNC");
    } while (!parse_end(parser));
    session_put(session, "* ENABLED");
    session_put(session, qresync ? " QRESYNC" : "");
    session_put(session, condstore || qresync ? " CONDSTORE\r\n" : "\r\n");
    if (condstore || qresync) {
        modseq_enable(session);
    }
    session->qresync = session->qresync || qresync;
    return &reply_done;
}

const struct reply *cmd_namespace(struct session *session, struct parser *parser)
{
    if (!parse_end(parser)) {
        return &reply_syntax;
    }
    session_put(session, "* NAMESPACE ((\"");
    session_put(session, session->settings->prefix);
    session_putf(session, "\" \"%c\")) NIL NIL\r\n", mailboxes_separator(session->settings));
    return &reply_done;
}
