/* SPDX-License-Identifier: ISC */
/* The words of POP3: what was refused, why, and what to do next. Reply lines stay under 512 bytes (RFC 2449 4). */
#include "pop3d/reply.h"

#include <string.h>

#include "lib/str.h"
#include "lib/why.h"

#define CAPABILITIES "+OK this server can do\nTOP\nUIDL\nUSER\nPIPELINING\nRESP-CODES\nAUTH-RESP-CODE\nEXPIRE NEVER\n"

/* clang-format off */
const struct reply replies[REPLY_COUNT] = {
    [REPLY_CAPA] = {0, NULL, CAPABILITIES "IMPLEMENTATION stafet\n."},
    [REPLY_CAPA_DELAY] = {0, NULL, CAPABILITIES "LOGIN-DELAY %n\nIMPLEMENTATION stafet\n."},
    [REPLY_NUL] = {REPLY_ERROR | REPLY_GARBAGE, "nul", "-ERR the command line holds a NUL byte; mend the sending program"},
    [REPLY_LINE_TOO_LONG] = {REPLY_ERROR | REPLY_GARBAGE, "long-line",
        "-ERR the command line is longer than %n bytes and was not read"},
    [REPLY_UNKNOWN] = {REPLY_ERROR | REPLY_GARBAGE, "unknown-command", "-ERR not a command of this server: %s; CAPA lists what it can do"},
    [REPLY_FORM] = {REPLY_ERROR, "form", "-ERR the command was not understood; its form is: %s"},
    [REPLY_NOT_OFFERED] = {REPLY_ERROR, "not-offered", "-ERR %s is not offered here; CAPA lists what is"},
    [REPLY_HTTP] = {REPLY_CLOSES, "http", "-ERR this port speaks POP3, and you speak HTTP; closing the connection"},
    [REPLY_TOO_MANY_UNKNOWN] = {REPLY_CLOSES, "maxunknown",
        "-ERR %n lines were no POP3 commands, which is too many; closing the connection"},
    [REPLY_TOO_MANY_ERRORS] = {REPLY_CLOSES, "maxpop3errors",
        "-ERR %n errors are too many; closing the connection, look at the replies above"},

    [REPLY_GREETING] = {0, NULL, "+OK %s POP3 server ready"},
    [REPLY_BUSY] = {REPLY_CLOSES, "busy",
        "-ERR [SYS/TEMP] too many connections at the moment, in all or from your address; please try again in a minute"},
    [REPLY_USER_OK] = {0, NULL, "+OK now the password, with PASS"},
    [REPLY_USER_FIRST] = {REPLY_ERROR, "order", "-ERR send USER and your mail address before PASS"},
    [REPLY_LOGIN_FIRST] = {REPLY_ERROR, "order",
        "-ERR log in first: USER and your mail address, then PASS and your password"},
    [REPLY_GOODBYE] = {REPLY_CLOSES, NULL, "+OK goodbye"},
    [REPLY_BAD_PASSWORD] = {0, "bad-password",
        "-ERR [AUTH] user or password is wrong; the user is your whole mail address, and capitals count in the password"},
    [REPLY_TOO_MANY_LOGINS] = {REPLY_CLOSES, "maxlogins",
        "-ERR [AUTH] %n logins failed, which is enough for one connection; closing it, please check user and password"},
    [REPLY_DISABLED] = {0, "disabled",
        "-ERR [SYS/PERM] this account is disabled; ask the postmaster of its domain to open it again"},
    [REPLY_NO_SERVICE] = {0, "no-service",
        "-ERR [SYS/PERM] this account may not fetch mail by POP3; ask the postmaster of its domain for it, or use another way"},
    [REPLY_TOO_OFTEN] = {0, "too-often", "-ERR [LOGIN-DELAY] %t; log in again in %n seconds"},
    [REPLY_NEED_TLS] = {0, "need-tls",
        "-ERR [SYS/PERM] passwords are taken on encrypted connections only; switch on TLS (SSL) in your mail program"},
    [REPLY_IN_USE] = {0, "in-use",
        "-ERR [IN-USE] another session holds this mailbox; end it, or try again in some minutes"},
    [REPLY_REFUSED] = {0, "refused", "-ERR [SYS/PERM] the login was refused: %t; please tell postmaster at this host"},
    [REPLY_LATER] = {0, "not-now", "-ERR [SYS/TEMP] not now: %t; please try again later, and tell postmaster at this host if it lasts"},

    [REPLY_WELCOME] = {0, NULL, "+OK messages: %n"},
    [REPLY_ROOT] = {REPLY_CLOSES, "root",
        "-ERR [SYS/PERM] root reads no mail here; let another user have it, by an alias for instance"},
    [REPLY_NO_MAILDIR] = {REPLY_CLOSES, "no-maildir",
        "-ERR [SYS/TEMP] the mailbox cannot be opened: %s; please try again later, and tell postmaster at this host if it lasts"},
    [REPLY_LOGGED_IN] = {REPLY_ERROR, "order", "-ERR you are logged in already; QUIT first to log in as somebody else"},
    [REPLY_OK] = {0, NULL, "+OK"},
    [REPLY_ANSWER] = {0, NULL, "+OK %s"},
    [REPLY_LIST] = {0, NULL, "+OK messages: %n"},
    [REPLY_TEXT] = {0, NULL, "+OK %n octets"},
    [REPLY_TOP] = {0, NULL, "+OK the top of it"},
    [REPLY_DELETED] = {0, NULL, "+OK message %n will be deleted at QUIT"},
    [REPLY_RESET] = {0, NULL, "+OK nothing will be deleted; messages: %n"},
    [REPLY_NO_MESSAGE] = {REPLY_ERROR, "no-message", "-ERR there is no message %n; LIST shows the numbers"},
    [REPLY_IS_DELETED] = {REPLY_ERROR, "is-deleted", "-ERR message %n is marked for deletion; RSET takes all such marks away"},
    [REPLY_GONE] = {0, "gone", "-ERR another session removed message %n meanwhile; log in again to see what is left"},
    [REPLY_UNREADABLE] = {0, "unreadable",
        "-ERR [SYS/TEMP] the message cannot be read: %s; please try again later, and tell postmaster at this host if it lasts"},
    [REPLY_UPDATED] = {REPLY_CLOSES, NULL, "+OK goodbye; messages deleted: %n"},
    [REPLY_NOT_UPDATED] = {REPLY_CLOSES, "not-removed",
        "-ERR [SYS/TEMP] messages that could not be deleted: %n (%s); they are still there, delete them again next time"},
};
/* clang-format on */

void reply_append(stralloc *out, const struct reply *reply, const struct reply_detail *detail)
{
    const char *line = reply->text;
    while (line != NULL) {
        const char *end = strchr(line, '\n');
        reply_text_append(out, line, end != NULL ? (size_t)(end - line) : strlen(line), detail);
        str_cats(out, "\r\n");
        line = end != NULL ? end + 1 : NULL;
    }
}

static const struct {
    enum why why;
    enum reply_name name;
} refusals[] = {
    {WHY_bad_password, REPLY_BAD_PASSWORD},
    {WHY_disabled, REPLY_DISABLED},
    {WHY_no_service, REPLY_NO_SERVICE},
    {WHY_too_often, REPLY_TOO_OFTEN},
    {WHY_need_tls, REPLY_NEED_TLS},
    {WHY_in_use, REPLY_IN_USE},
    {WHY_io, REPLY_LATER},
};

const struct reply *reply_verdict(const struct verdict *verdict)
{
    enum why why = why_from_word(fields_get(&verdict->fields, "why"));
    if (verdict->letter == 'Z') {
        return reply(REPLY_LATER);
    }
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].why == why) {
            return reply(refusals[i].name);
        }
    }
    return reply(REPLY_REFUSED);
}
