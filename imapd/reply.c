/* SPDX-License-Identifier: ISC */
/* The words of imapd: what was refused, why, and what to do next. */
#include "imapd/reply.h"

#include <errno.h>
#include <string.h>

#include "lib/log.h"
#include "lib/str.h"

const struct reply reply_done = {REPLY_OK, NULL, "%s completed"};
const struct reply reply_selected = {REPLY_OK, "READ-WRITE", "%s completed"};
const struct reply reply_examined = {REPLY_OK, "READ-ONLY", "%s completed"};
const struct reply reply_goodbye = {REPLY_OK, NULL, "%s completed"};
const struct reply reply_idle_done = {REPLY_OK, NULL, "%s completed"};
const struct reply reply_expunge_issued = {REPLY_NO, "EXPUNGEISSUED", "some of the messages were removed by another program"};
const struct reply reply_not_copied = {REPLY_NO, "EXPUNGEISSUED",
                                       "%s: nothing was done; some of the messages were removed by another session"};
const struct reply reply_modified = {REPLY_OK, NULL, "%s completed, but not for the messages in MODIFIED: they changed since"};

const struct reply reply_no_tag = {REPLY_BAD, NULL, "a command begins with a tag: letters and digits, then a space"};
const struct reply reply_unknown = {REPLY_BAD, NULL, "no such command; CAPABILITY tells what this server speaks"};
const struct reply reply_syntax = {REPLY_BAD, NULL, "%s: the arguments are not what RFC 3501 and its extensions describe"};
const struct reply reply_too_long = {REPLY_BAD, "TOOBIG",
                                     "the command is longer than 65536 bytes a line or 262144 in all; it was not read"};
const struct reply reply_bad_literal = {REPLY_BAD, NULL, "a literal is announced as {number} or {number+}"};
const struct reply reply_bad_set = {REPLY_BAD, NULL, "%s: there is no message with such a number; EXISTS tells the highest"};
const struct reply reply_not_selected = {REPLY_BAD, "CLIENTBUG", "%s: select a mailbox first"};
const struct reply reply_bad_date = {REPLY_BAD, NULL, "%s: no such date"};
const struct reply reply_bad_charset = {REPLY_NO, "BADCHARSET (US-ASCII UTF-8)", "%s: that charset is not known here"};
const struct reply reply_idle_not_done = {REPLY_BAD, NULL, "IDLE ends with a line DONE"};
const struct reply reply_bad_modifier = {REPLY_BAD, NULL,
                                         "%s: CHANGEDSINCE, UNCHANGEDSINCE and VANISHED are not used like that (RFC 7162)"};

const struct reply reply_read_only = {REPLY_NO, "NOPERM", "%s: the mailbox was opened by EXAMINE; SELECT it to change it"};
const struct reply reply_no_folder = {REPLY_NO, "NONEXISTENT", "%s: there is no such mailbox"};
const struct reply reply_try_create = {REPLY_NO, "TRYCREATE", "%s: there is no such mailbox; create it first"};
const struct reply reply_already_exists = {REPLY_NO, "ALREADYEXISTS", "%s: a mailbox of that name is there already"};
const struct reply reply_bad_name = {REPLY_NO, "CANNOT", "%s: a mailbox cannot have such a name"};
const struct reply reply_is_inbox = {REPLY_NO, "CANNOT", "%s: INBOX stays; its messages can be moved or removed"};
const struct reply reply_no_permission = {REPLY_NO, "NOPERM", "%s: the mailbox's files cannot be reached; ask postmaster"};
const struct reply reply_over_quota = {REPLY_NO, "OVERQUOTA",
                                       "%s: the mailbox is full; remove mail and try again, or ask postmaster for more room"};
const struct reply reply_too_big = {REPLY_NO, "TOOBIG", "%s: the message is larger than this server takes"};
const struct reply reply_disk = {REPLY_NO, "UNAVAILABLE", "%s: the server's disk is full; nothing was changed; try again later"};
const struct reply reply_io = {REPLY_NO, "SERVERBUG",
                               "%s: the mailbox could not be read or written; postmaster finds the reason in the log"};
const struct reply reply_damaged = {REPLY_NO, "SERVERBUG",
                                    "%s: the index of that mailbox was damaged; say it again, it is made anew"};
const struct reply reply_search_time = {REPLY_NO, "LIMIT",
                                        "%s: that search takes too long; look for less, or name the messages to look into"};
const struct reply reply_limit_keywords = {REPLY_NO, "LIMIT", "%s: a mailbox has at most 64 keywords, and all are taken"};
const struct reply reply_no_special_use = {REPLY_NO, "USEATTR",
                                           "%s: that special use is not known here, or another mailbox has it"};
const struct reply reply_lost_append = {REPLY_BAD, NULL, "%s: what follows the message is not the end of the command"};

const struct reply reply_login_first = {REPLY_BAD, NULL, "log in first: LOGIN or AUTHENTICATE PLAIN"};
const struct reply reply_cancelled = {REPLY_BAD, NULL, "%s was given up, as you asked"};
const struct reply reply_no_mechanism = {REPLY_NO, "CANNOT", "%s: only PLAIN is spoken here"};
const struct reply reply_bad_plain = {REPLY_NO, "AUTHENTICATIONFAILED", "%s: PLAIN is the base64 of NUL user NUL password"};
const struct reply reply_bad_password = {
    REPLY_NO, "AUTHENTICATIONFAILED",
    "%s: user or password is wrong; the user is your whole mail address, and capitals count in the password"};
const struct reply reply_disabled = {REPLY_NO, "CONTACTADMIN",
                                     "%s: this account is disabled; ask the postmaster of its domain to open it again"};
const struct reply reply_no_service = {REPLY_NO, "CONTACTADMIN",
                                       "%s: this account may not read mail by IMAP; ask the postmaster of its domain for it"};
const struct reply reply_too_often = {REPLY_NO, "LIMIT",
                                      "%s: too many wrong passwords came from your address; wait some minutes"};
const struct reply reply_need_tls = {REPLY_NO, "PRIVACYREQUIRED",
                                     "%s: passwords are taken on encrypted connections only; switch on TLS"};
const struct reply reply_in_use = {REPLY_NO, "INUSE", "%s: the mailbox is in use; try again in a moment"};
const struct reply reply_too_many = {REPLY_NO, "LIMIT", "%s: too many sessions of yours are open; close some, then try again"};
const struct reply reply_later = {REPLY_NO, "UNAVAILABLE",
                                  "%s: not now, a service of this host does not answer; try again in a minute"};
const struct reply reply_refused = {REPLY_NO, "CONTACTADMIN", "%s: the login was refused; tell postmaster at this host"};

void reply_append(stralloc *out, const struct reply *reply, const char *tag, const char *code, const char *word)
{
    static const char *const kinds[] = {"OK", "NO", "BAD"};
    const char *hole = memchr(reply->text, '%', strlen(reply->text));
    str_cats(out, tag);
    str_catc(out, ' ');
    str_cats(out, kinds[reply->kind]);
    str_catc(out, ' ');
    code = code != NULL ? code : reply->code;
    if (code != NULL) {
        str_catc(out, '[');
        str_cats(out, code);
        str_cats(out, "] ");
    }
    str_cat(out, reply->text, hole == NULL ? strlen(reply->text) : (size_t)(hole - reply->text));
    if (hole != NULL) {
        str_cats(out, word);
        str_cats(out, hole + 2);
    }
    str_cats(out, "\r\n");
}

const struct reply *reply_of_errno(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return &reply_disk;
    case ENOENT:
    case ENOTDIR:
        return &reply_no_folder;
    case EACCES:
    case EPERM:
        return &reply_no_permission;
    case EAGAIN:
        return &reply_in_use;
    case EUCLEAN:
        return &reply_damaged;
    default:
        log_event("alert", "what=%s error=%s", "a mailbox could not be read or written", strerror(error));
        return &reply_io;
    }
}
