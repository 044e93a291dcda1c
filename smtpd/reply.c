/* SPDX-License-Identifier: ISC */
/* The words of smtpd: what was refused, why, and what to do next. Reply lines stay under 512 bytes (RFC 5321 4.5.3.1.5). */
#include "smtpd/reply.h"

#include <string.h>

#include "lib/str.h"
#include "lib/why.h"

#define SENDER "the sender address"
#define RCPT   "the recipient address"
#define LOCAL_RULE                                                                                                               \
    " is not written as RFC 5321 wants it before the @: letters, digits and !#$&'*+-/=?^_`{|}~, single dots inside: "
#define DOMAIN_RULE " has no host name behind the @: labels of 1 to 63 letters, digits and hyphens, parted by single dots: "

/* clang-format off */
const struct reply replies[REPLY_COUNT] = {
    [REPLY_GREETING] = {220, 0, NULL, "%s ESMTP"},
    [REPLY_HELO] = {250, 0, NULL, "%s"},
    [REPLY_EHLO] = {250, 0, NULL, "%s\nPIPELINING\n8BITMIME\nSIZE %n\nCHUNKING\nENHANCEDSTATUSCODES\nSMTPUTF8"},
    [REPLY_MAIL_OK] = {250, 0, NULL, "2.1.0 ok"},
    [REPLY_RCPT_OK] = {250, 0, NULL, "2.1.5 ok"},
    [REPLY_GO_AHEAD] = {354, 0, NULL, "go ahead; end with a line of a single dot"},
    [REPLY_ACCEPTED] = {250, 0, NULL, "2.0.0 ok %n qp %s"},
    [REPLY_CHUNK_OK] = {250, 0, NULL, "2.0.0 %n octets received"},
    [REPLY_FLUSHED] = {250, 0, NULL, "2.0.0 flushed"},
    [REPLY_NOOP] = {250, 0, NULL, "2.0.0 ok"},
    [REPLY_VRFY] = {252, 0, NULL, "2.1.5 send some mail, I will try my best"},
    [REPLY_HELP] = {214, 0, NULL,
        "2.0.0 stafet-smtpd takes EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\n"
        "2.0.0 its limits and replies are explained in stafet-smtpd(8); questions go to postmaster at this host"},
    [REPLY_GOODBYE] = {221, REPLY_CLOSES, NULL, "2.0.0 %s goodbye"},

    [REPLY_EARLY] = {554, REPLY_CLOSES, "early",
        "5.5.0 you sent data before the reply to %s, and must wait for it (RFC 2920 3.1); closing the connection"},
    [REPLY_HTTP] = {554, REPLY_CLOSES, "http", "5.5.1 this port speaks SMTP, and you speak HTTP; closing the connection"},
    [REPLY_BARE_LINE] = {500, REPLY_ERROR | REPLY_GARBAGE, "bare-line",
        "5.5.2 the line has a bare CR or LF: each line ends with CR LF and holds no other of them; mend the sending program"},
    [REPLY_LINE_TOO_LONG] = {500, REPLY_ERROR | REPLY_GARBAGE, "long-line",
        "5.5.2 the command line is longer than %n bytes and was not read"},
    [REPLY_NUL] = {500, REPLY_ERROR | REPLY_GARBAGE, "nul", "5.5.2 the command line holds a NUL byte; mend the sending program"},
    [REPLY_UNKNOWN] = {500, REPLY_ERROR | REPLY_GARBAGE, "unknown-command", "5.5.1 not a command of this server: %s; HELP lists them"},

    [REPLY_TOO_MANY_UNKNOWN] = {421, REPLY_CLOSES, "maxunknown",
        "4.7.0 %n lines were no SMTP commands, which is too many; closing the connection"},
    [REPLY_TOO_MANY_ERRORS] = {421, REPLY_CLOSES, "maxerrors",
        "4.7.0 %n errors without a message between them are too many; closing the connection, look at the replies above"},
    [REPLY_TOO_MANY_COMMANDS] = {421, REPLY_CLOSES, "maxcommands",
        "4.7.0 %n commands without a message are too many; closing the connection"},
    [REPLY_TOO_MANY_MESSAGES] = {421, REPLY_CLOSES, "maxtransactions",
        "4.7.0 %n messages are enough for one connection; please connect again for the others"},
    [REPLY_IDLE] = {421, REPLY_CLOSES, "timeoutsmtpd", "4.4.2 timeout: nothing came from you for %n seconds; closing the connection"},
    [REPLY_SESSION_OVER] = {421, REPLY_CLOSES, "timeoutsession",
        "4.4.2 timeout: a connection lasts %n seconds at most; please connect again"},
    [REPLY_TOO_SLOW] = {421, REPLY_CLOSES, "minrate",
        "4.4.2 timeout: the message came slower than %n bytes a second and was not accepted; please try again"},
    [REPLY_BUSY] = {421, REPLY_CLOSES, "busy",
        "4.3.2 too many connections at the moment, in all or from your address; please try again in a minute"},
    [REPLY_NO_CONTROLS] = {421, REPLY_CLOSES, "config",
        "4.3.5 unable to read controls: control/me, the name of this host, is missing; please try again later"},

    [REPLY_NO_ARGUMENT] = {501, REPLY_ERROR, "syntax", "5.5.4 %s takes no argument"},
    [REPLY_HELLO_SYNTAX] = {501, REPLY_ERROR, "syntax", "5.5.4 %s needs the name of your host, 1 to 255 printable ASCII characters"},
    [REPLY_MAIL_SYNTAX] = {501, REPLY_ERROR, "syntax", "5.5.4 the form is MAIL FROM:<address> and parameters behind it, not: %s"},
    [REPLY_RCPT_SYNTAX] = {501, REPLY_ERROR, "syntax", "5.5.4 the form is RCPT TO:<address>, not: %s"},
    [REPLY_NO_BRACKETS] = {501, REPLY_ERROR, "syntax", "5.5.4 an address stands in angle brackets, <user@domain>, not: %s"},
    [REPLY_PARAMETER_SYNTAX] = {501, REPLY_ERROR, "syntax", "5.5.4 parameters are KEYWORD or KEYWORD=value with blanks between, not: %s"},
    [REPLY_PARAMETER_UNKNOWN] = {555, REPLY_ERROR, "parameter", "5.5.4 parameter %s is not known; the reply to EHLO says what is offered"},
    [REPLY_PARAMETER_TWICE] = {501, REPLY_ERROR, "parameter", "5.5.4 parameter %s stands there twice"},
    [REPLY_PARAMETER_VALUE] = {501, REPLY_ERROR, "parameter",
        "5.5.4 parameter %s is wrong: SIZE=number, BODY=7BIT, BODY=8BITMIME and SMTPUTF8 are the forms"},
    [REPLY_BDAT_SYNTAX] = {501, REPLY_ERROR | REPLY_CLOSES, "syntax",
        "5.5.4 the form is BDAT length or BDAT length LAST; where your data ends is not known, closing the connection"},

    [REPLY_HELLO_FIRST] = {503, REPLY_ERROR, "order", "5.5.1 EHLO first: tell the name of your host"},
    [REPLY_MAIL_FIRST] = {503, REPLY_ERROR, "order", "5.5.1 MAIL first: no sender was accepted"},
    [REPLY_RCPT_FIRST] = {503, REPLY_ERROR, "order", "5.5.1 RCPT first: no recipient was accepted"},
    [REPLY_MAIL_TWICE] = {503, REPLY_ERROR, "order", "5.5.1 a message was begun already; send it, or give it up with RSET"},
    [REPLY_CHUNKS_OPEN] = {503, REPLY_ERROR, "order",
        "5.5.1 a message in chunks was begun; end it with BDAT length LAST, or give it up with RSET"},

    [REPLY_EXPN] = {502, REPLY_ERROR, "not-offered", "5.5.1 EXPN is not offered: who reads a list is not told; write to the list instead"},
    [REPLY_ETRN] = {502, REPLY_ERROR, "not-offered", "5.5.1 ETRN is not offered: waiting mail is tried again by itself"},
    [REPLY_TURN] = {502, REPLY_ERROR, "not-offered", "5.5.1 %s is not offered; it is obsolete (RFC 5321 F.1, F.6)"},
    [REPLY_AUTH] = {502, REPLY_ERROR, "not-offered",
        "5.5.1 AUTH is not offered here: this port takes mail for its own domains; users send through the submission port"},
    [REPLY_STARTTLS] = {502, REPLY_ERROR, "not-offered", "5.5.1 STARTTLS is not offered here; go on without it, or not at all"},

    [REPLY_SENDER_TOO_LONG] = {553, REPLY_ERROR, "sender-long", "5.1.7 " SENDER " is over 900 bytes (640 before, 255 behind the @): %s"},
    [REPLY_SENDER_CONTROL] = {553, REPLY_ERROR, "sender-control", "5.1.7 " SENDER " holds a control character: %s"},
    [REPLY_SENDER_SPACE] = {553, REPLY_ERROR, "sender-space", "5.1.7 " SENDER " holds a space, inside or at an end; take it out: %s"},
    [REPLY_SENDER_NO_DOMAIN] = {553, REPLY_ERROR, "sender-domain", "5.1.7 " SENDER " has no domain; write user@domain instead of: %s"},
    [REPLY_SENDER_NO_LOCAL] = {553, REPLY_ERROR, "sender-local", "5.1.7 " SENDER " has nothing before the @: %s"},
    [REPLY_SENDER_BAD_LOCAL] = {553, REPLY_ERROR, "sender-local", "5.1.7 " SENDER LOCAL_RULE "%s"},
    [REPLY_SENDER_BAD_DOMAIN] = {553, REPLY_ERROR, "sender-domain", "5.1.7 " SENDER DOMAIN_RULE "%s"},
    [REPLY_SENDER_EIGHT_BIT] = {553, REPLY_ERROR, "sender-8bit",
        "5.6.7 " SENDER " has characters outside ASCII: say SMTPUTF8 behind it, if your program can, or use an ASCII address: %s"},
    [REPLY_SENDER_BAD_UTF8] = {553, REPLY_ERROR, "sender-utf8", "5.6.7 " SENDER " has bytes that are not UTF-8 (RFC 3629): %s"},
    [REPLY_SENDER_REFUSED] = {553, REPLY_ERROR, "badmailfrom",
        "5.7.1 sorry, your envelope sender is in my badmailfrom list: %s; ask postmaster at this host why"},
    [REPLY_SIZE_DECLARED] = {552, REPLY_ERROR, "size",
        "5.3.4 sorry, that message size exceeds my databytes limit of %n bytes; send it smaller, or as a link"},

    [REPLY_RCPT_EMPTY] = {553, REPLY_ERROR, "rcpt-empty", "5.1.3 " RCPT " is empty; only a sender may be <>"},
    [REPLY_RCPT_TOO_LONG] = {553, REPLY_ERROR, "rcpt-long", "5.1.3 " RCPT " is over 900 bytes (640 before, 255 behind the @): %s"},
    [REPLY_RCPT_CONTROL] = {553, REPLY_ERROR, "rcpt-control", "5.1.3 " RCPT " holds a control character: %s"},
    [REPLY_RCPT_SPACE] = {553, REPLY_ERROR, "rcpt-space", "5.1.3 " RCPT " holds a space, inside or at an end; take it out: %s"},
    [REPLY_RCPT_NO_DOMAIN] = {553, REPLY_ERROR, "rcpt-domain", "5.1.3 " RCPT " has no domain; write user@domain instead of: %s"},
    [REPLY_RCPT_NO_LOCAL] = {553, REPLY_ERROR, "rcpt-local", "5.1.3 " RCPT " has nothing before the @: %s"},
    [REPLY_RCPT_BAD_LOCAL] = {553, REPLY_ERROR, "rcpt-local", "5.1.3 " RCPT LOCAL_RULE "%s"},
    [REPLY_RCPT_BAD_DOMAIN] = {553, REPLY_ERROR, "rcpt-domain", "5.1.3 " RCPT DOMAIN_RULE "%s"},
    [REPLY_RCPT_EIGHT_BIT] = {553, REPLY_ERROR, "rcpt-8bit",
        "5.6.7 " RCPT " has characters outside ASCII: say SMTPUTF8 behind MAIL FROM, if your program can, or use an ASCII address: %s"},
    [REPLY_RCPT_BAD_UTF8] = {553, REPLY_ERROR, "rcpt-utf8", "5.6.7 " RCPT " has bytes that are not UTF-8 (RFC 3629): %s"},
    [REPLY_RCPT_TOO_MANY] = {452, 0, "maxrcpt", "4.5.3 a message takes %n recipients here; send it to the others in another one"},
    [REPLY_RCPT_NO_MAILBOX] = {550, REPLY_ERROR, "no-mailbox",
        "5.1.1 sorry, no mailbox here by that name: %s; check the spelling of the address"},
    [REPLY_RCPT_DISABLED] = {550, REPLY_ERROR, "disabled",
        "5.2.1 the mailbox takes no mail, it was switched off: %s; its owner can ask the postmaster of that domain"},
    [REPLY_RCPT_FULL] = {452, 0, "full",
        "4.2.2 the mailbox is full: %s; it is tried again by itself, and goes through when its owner deletes some mail"},
    [REPLY_RCPT_FULL_FOR_GOOD] = {552, 0, "full", "5.2.2 the mailbox is full: %s; its owner has to delete some mail first"},
    [REPLY_RCPT_RELAY] = {553, REPLY_ERROR, "relay",
        "5.7.1 sorry, that domain isn't in my list of allowed rcpthosts: %s; mail to other domains is taken from our own users only, "
        "who log in at the submission port"},
    [REPLY_RCPT_TOO_BIG] = {552, REPLY_ERROR, "size",
        "5.2.3 the message is larger than this mailbox may ever hold: %s; send it smaller, or as a link"},
    [REPLY_RCPT_CONFIG] = {553, REPLY_ERROR, "config",
        "5.7.1 this server takes mail for nobody: control/rcpthosts, the list of its domains, is missing; tell its operator"},
    [REPLY_RCPT_REFUSED] = {550, REPLY_ERROR, "rcpt", "%t: %s"},
    [REPLY_RCPT_NO_SERVICE] = {451, 0, "service",
        "4.3.0 the recipient cannot be looked up now, the service rcpt gave no answer: %s; please try again later"},
    [REPLY_RCPT_LATER] = {451, 0, "rcpt-later", "%t: %s; please try again later"},

    [REPLY_BARE_CR] = {550, REPLY_ERROR, "bare-cr",
        "5.6.0 the message was not accepted: it holds a CR that no LF follows (RFC 5321 2.3.8); mend the sending program"},
    [REPLY_BARE_LF] = {550, REPLY_ERROR, "bare-lf",
        "5.6.0 the message was not accepted: it holds an LF that no CR precedes (RFC 5321 2.3.8); mend the sending program"},
    [REPLY_TOO_BIG] = {552, REPLY_ERROR, "size",
        "5.3.4 sorry, the message exceeds my databytes limit of %n bytes and was not accepted; send it smaller, or as a link"},
    [REPLY_LOOP] = {554, REPLY_ERROR, "loop",
        "5.4.6 the message was not accepted, it is looping: it has come through too many hosts; look at its Received lines for the forward"},
    [REPLY_DISK_FULL] = {452, 0, "disk", "4.3.1 the message was not accepted, the disk of this server is full; please try again later"},
    [REPLY_QUEUE_NO_SERVICE] = {451, 0, "service",
        "4.3.0 the message was not accepted, the service queue gave no answer; please try again later"},
    [REPLY_QUEUE_LATER] = {451, 0, "queue-later", "%t; the message was not accepted, please try again later"},
    [REPLY_QUEUE_REFUSED] = {554, REPLY_ERROR, "queue", "%t; the message was not accepted"},
};
/* clang-format on */

void reply_append(stralloc *out, const struct reply *reply, const struct reply_detail *detail)
{
    const char *line = reply->text;
    while (line != NULL) {
        const char *end = strchr(line, '\n');
        str_catn(out, reply->code);
        str_catc(out, end ? '-' : ' ');
        reply_text_append(out, line, end ? (size_t)(end - line) : strlen(line), detail);
        str_cats(out, "\r\n");
        line = end ? end + 1 : NULL;
    }
}

const struct reply *reply_sender_fault(enum address_fault fault)
{
    return reply((enum reply_name)(REPLY_SENDER_TOO_LONG + (fault - ADDRESS_TOO_LONG)));
}

const struct reply *reply_recipient_fault(enum address_fault fault)
{
    return reply((enum reply_name)(REPLY_RCPT_EMPTY + (fault - ADDRESS_EMPTY)));
}

/* rcptd's D verdicts: the word, and the status where one word has two. */
static const struct {
    enum why why;
    const char *status;
    enum reply_name name;
} refusals[] = {
    {WHY_no_mailbox, "", REPLY_RCPT_NO_MAILBOX}, {WHY_disabled, "", REPLY_RCPT_DISABLED}, {WHY_full, "5.2.3", REPLY_RCPT_TOO_BIG},
    {WHY_full, "", REPLY_RCPT_FULL_FOR_GOOD},    {WHY_policy, "", REPLY_RCPT_RELAY},      {WHY_config, "", REPLY_RCPT_CONFIG},
};

const struct reply *reply_recipient_verdict(const struct verdict *verdict)
{
    enum why why = why_from_word(fields_get(&verdict->fields, "why"));
    if (verdict->letter == 'K') {
        return reply(REPLY_RCPT_OK);
    }
    if (verdict->letter != 'D') {
        return reply(why == WHY_full ? REPLY_RCPT_FULL : why == WHY_service ? REPLY_RCPT_NO_SERVICE : REPLY_RCPT_LATER);
    }
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].why == why && strncmp(verdict->text, refusals[i].status, strlen(refusals[i].status)) == 0) {
            return reply(refusals[i].name);
        }
    }
    return reply(REPLY_RCPT_REFUSED);
}

const struct reply *reply_queue_verdict(const struct verdict *verdict)
{
    enum why why = why_from_word(fields_get(&verdict->fields, "why"));
    if (verdict->letter == 'K') {
        return reply(REPLY_ACCEPTED);
    }
    if (verdict->letter == 'D') {
        return reply(why == WHY_size ? REPLY_TOO_BIG : why == WHY_loop ? REPLY_LOOP : REPLY_QUEUE_REFUSED);
    }
    if (why == WHY_disk) {
        return reply(REPLY_DISK_FULL);
    }
    return reply(why == WHY_service ? REPLY_QUEUE_NO_SERVICE : REPLY_QUEUE_LATER);
}
