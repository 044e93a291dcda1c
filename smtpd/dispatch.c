/* SPDX-License-Identifier: ISC */
/* The table of commands. What needs no state is answered by it alone. A command marked TURN changes whose turn it is to speak:
 * bytes that came behind it before its reply are somebody else's (RFC 2920 3.1), and end the session. */
#include "smtpd/session.h"

enum { NO_ARGUMENT = 1, TURN = 2 };

static const struct command {
    const char *verb;
    unsigned flags;
    command_handler *run; /* NULL: the reply is always `answer` */
    enum reply_name answer;
} commands[] = {
    {"MAIL", 0, cmd_mail, 0},           {"RCPT", 0, cmd_rcpt, 0},           {"DATA", NO_ARGUMENT | TURN, cmd_data, 0},
    {"BDAT", 0, cmd_bdat, 0},           {"EHLO", TURN, cmd_ehlo, 0},        {"HELO", TURN, cmd_helo, 0},
    {"QUIT", NO_ARGUMENT, cmd_quit, 0}, {"RSET", NO_ARGUMENT, cmd_rset, 0}, {"NOOP", 0, NULL, REPLY_NOOP},
    {"VRFY", 0, NULL, REPLY_VRFY},      {"HELP", 0, NULL, REPLY_HELP},      {"EXPN", 0, NULL, REPLY_EXPN},
    {"ETRN", 0, NULL, REPLY_ETRN},      {"AUTH", 0, NULL, REPLY_AUTH},      {"STARTTLS", 0, NULL, REPLY_STARTTLS},
    {"TURN", 0, NULL, REPLY_TURN},      {"SEND", 0, NULL, REPLY_TURN},      {"SOML", 0, NULL, REPLY_TURN},
    {"SAML", 0, NULL, REPLY_TURN},      {"GET", 0, NULL, REPLY_HTTP},       {"POST", 0, NULL, REPLY_HTTP},
    {"PUT", 0, NULL, REPLY_HTTP},       {"HEAD", 0, NULL, REPLY_HTTP},      {"CONNECT", 0, NULL, REPLY_HTTP},
    {"OPTIONS", 0, NULL, REPLY_HTTP},
};

const struct reply *command_run(struct session *session, char *line, size_t n)
{
    struct command_line words;
    command_split(line, n, &words);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *command = &commands[i];
        if (!slice_is(words.verb, command->verb)) {
            continue;
        }
        if ((command->flags & TURN) && wire_has_input(&session->wire)) {
            return session_reply(session, REPLY_EARLY, words.verb);
        }
        if ((command->flags & NO_ARGUMENT) && words.argument.len > 0) {
            return session_reply(session, REPLY_NO_ARGUMENT, words.verb);
        }
        return command->run ? command->run(session, words.argument) : session_reply(session, command->answer, words.verb);
    }
    return session_reply(session, REPLY_UNKNOWN, words.verb);
}
