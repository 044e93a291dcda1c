/* SPDX-License-Identifier: ISC */
/* From the greeting to the password. Knows no password file and no mailbox: authd judges, and its K comes from the session
 * itself, which then has the connection. Promise: what the client sent behind its password is the session's first input, byte for
 * byte. */
#include "imapd/login.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"

#define CAPABILITIES "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE AUTH=PLAIN"
enum { CROWD_SHARE = 10 };
static struct login_settings settings;

const struct control_entry login_settings_table[] = {
    {"me", CONTROL_TEXT, NULL, 0, 0, &settings.me},
    {"timeoutimaplogin", CONTROL_NUMBER, "180", 1, 86400, &settings.timeout},
    {"maxlogins", CONTROL_NUMBER, "5", 1, 1000, &settings.maxlogins},
    {"imapmaxerrors", CONTROL_NUMBER, "50", 1, 1000000, &settings.maxerrors},
    {0},
};

const struct login_settings *login_settings_now(void)
{
    return &settings;
}

static void put(struct login *login, const char *text)
{
    wire_puts(&login->wire, text);
}

static void bye(struct login *login, const char *text, const char *how)
{
    put(login, "* BYE ");
    put(login, text);
    put(login, "\r\n");
    login->is_over = true;
    login->how = how;
}

static void say(struct login *login, const struct reply *reply)
{
    login->out.len = 0;
    reply_append(&login->out, reply, str_text(&login->tag), NULL, login->command_word);
    wire_put(&login->wire, login->out.s, login->out.len);
    login->errors += reply->kind == REPLY_BAD;
}

static const struct reply *run_capability(struct login *login, struct parser *parser)
{
    if (!parse_end(parser)) {
        return &reply_syntax;
    }
    put(login, "* CAPABILITY " CAPABILITIES "\r\n");
    return &reply_done;
}

static const struct reply *run_noop(struct login *login, struct parser *parser)
{
    (void)login;
    return parse_end(parser) ? &reply_done : &reply_syntax;
}

/* Who the client says it is, is its own business; NIL or a list ends the line. */
static const struct reply *run_id(struct login *login, struct parser *parser)
{
    if (!parse_id(parser)) {
        return &reply_syntax;
    }
    put(login, "* ID (\"name\" \"stafet\")\r\n");
    return &reply_done;
}

static const struct reply *run_logout(struct login *login, struct parser *parser)
{
    if (!parse_end(parser)) {
        return &reply_syntax;
    }
    bye(login, "see you", "logout");
    return &reply_goodbye;
}

/* Python's imaplib and others send user%domain as an atom, though RFC 3501 has no % in one. */
static const struct reply *run_login(struct login *login, struct parser *parser)
{
    struct slice user;
    struct slice password;
    if (!parse_space(parser) || !parse_list_mailbox(parser, &user) || !parse_space(parser) || !parse_astring(parser, &password) ||
        !parse_end(parser)) {
        return &reply_syntax;
    }
    str_copy(&login->user, user.bytes, user.len);
    str_copy(&login->password, password.bytes, password.len);
    explicit_bzero(login->input.command.s, login->input.command.len);
    return login_ask(login);
}

static const struct reply *read_response(struct login *login, struct slice *out)
{
    put(login, "+ \r\n");
    if (input_read(&login->input) != INPUT_COMMAND) {
        bye(login, "[CLIENTBUG] no line came for AUTHENTICATE", "lost");
        return NULL;
    }
    *out = (struct slice){login->input.command.s, login->input.command.len};
    return slice_is(*out, "*") ? &reply_cancelled : NULL;
}

static const struct reply *run_authenticate(struct login *login, struct parser *parser)
{
    struct slice mechanism;
    struct slice response = {NULL, 0};
    if (!parse_space(parser) || !parse_atom(parser, &mechanism)) {
        return &reply_syntax;
    }
    if (!slice_is(mechanism, "PLAIN")) {
        return &reply_no_mechanism;
    }
    if (parse_space(parser)) {
        response = (struct slice){parser->at, (size_t)(parser->end - parser->at)};
        response.len = slice_is(response, "=") ? 0 : response.len;
    } else if (!parse_end(parser)) {
        return &reply_syntax;
    } else {
        const struct reply *trouble = read_response(login, &response);
        if (trouble != NULL || login->is_over) {
            return trouble;
        }
    }
    const struct reply *trouble = login_take_plain(login, response.bytes, response.len);
    explicit_bzero(login->input.command.s, login->input.command.len);
    return trouble != NULL ? trouble : login_ask(login);
}

static const struct command {
    const char *word;
    const struct reply *(*run)(struct login *login, struct parser *parser);
} commands[] = {
    {"LOGIN", run_login},  {"AUTHENTICATE", run_authenticate}, {"CAPABILITY", run_capability}, {"ID", run_id}, {"NOOP", run_noop},
    {"LOGOUT", run_logout}};

static const struct command *find(struct slice word)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (slice_is(word, commands[i].word)) {
            return &commands[i];
        }
    }
    return NULL;
}

static const struct reply *run(struct login *login)
{
    struct parser *parser = &login->parser;
    struct slice word;
    *parser = (struct parser){login->input.command.s, login->input.command.s + login->input.command.len};
    login->command_word = "this command";
    if (!parse_reply_tag(parser, &login->tag) || !parse_space(parser) || !parse_atom(parser, &word)) {
        return &reply_no_tag;
    }
    const struct command *command = find(word);
    if (command == NULL) {
        return &reply_login_first;
    }
    login->command_word = command->word;
    return command->run(login, parser);
}

/* What could not be read whole is answered by its tag, as far as there is one. */
static void refuse_unread(struct login *login, const struct reply *reply)
{
    login->parser = (struct parser){login->input.command.s, login->input.command.s + login->input.command.len};
    (void)parse_reply_tag(&login->parser, &login->tag);
    say(login, reply);
}

static void next(struct login *login)
{
    switch (input_read(&login->input)) {
    case INPUT_COMMAND:
    case INPUT_MESSAGE:
        if (login->input.command.len > 0) {
            const struct reply *reply = run(login);
            if (reply != NULL) {
                say(login, reply);
            }
        }
        return;
    case INPUT_TOO_LONG:
        refuse_unread(login, &reply_too_long);
        return;
    case INPUT_BAD_LITERAL:
        refuse_unread(login, &reply_bad_literal);
        return;
    case INPUT_TIMEOUT:
        bye(login, "[UNAVAILABLE] no login came in time", "timeout");
        return;
    case INPUT_END:
    case INPUT_GONE:
        login->is_over = true;
        login->how = "closed";
        return;
    }
}

static void look_at_limits(struct login *login)
{
    if (login->is_over) {
        return;
    }
    if (login->logins >= login->settings->maxlogins) {
        bye(login, "[AUTHENTICATIONFAILED] that many logins failed; check user and password, then connect again", "maxlogins");
    } else if (login->errors >= login->settings->maxerrors) {
        bye(login, "[CLIENTBUG] too many commands that are none", "imapmaxerrors");
    }
}

/* In a crowd whoever says nothing has to make room soon: else some hundred silent connections lock all others out. */
static uint64_t patience(const struct serve_peer *peer)
{
    return peer->is_crowded ? (settings.timeout + CROWD_SHARE - 1) / CROWD_SHARE : settings.timeout;
}

void login_run(struct login *login, const struct serve_peer *peer, const char *ip)
{
    login->settings = login_settings_now();
    login->peer = peer;
    login->ip = ip;
    login->how = "closed";
    login->input.wire = &login->wire;
    serve_make_sid(login->sid);
    uint64_t seconds = patience(peer);
    wire_init(&login->wire, 0, 1, (unsigned)seconds);
    login->start_ms = clock_monotonic_ms();
    login->wire.end_ms = login->start_ms + seconds * 1000;
    put(login, "* OK [CAPABILITY " CAPABILITIES "] ");
    put(login, login->settings->me != NULL ? login->settings->me : "stafet");
    put(login, " IMAP ready\r\n");
    while (!login->is_over && !login->wire.is_broken) {
        next(login);
        look_at_limits(login);
    }
    if (login->how != NULL) {
        wire_flush(&login->wire);
        wire_part(&login->wire);
        log_event("quit", "sid=%s ip=%s how=%s logins=%llu ms=%llu", login->sid, login->ip, login->how,
                  (unsigned long long)login->logins, (unsigned long long)(clock_monotonic_ms() - login->start_ms));
    }
}
