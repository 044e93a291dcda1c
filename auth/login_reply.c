/* SPDX-License-Identifier: ISC */
/* Verdict texts of authd: enhanced status code (RFC 4954, RFC 3463) and the cause in one line. */
#include "auth/login_reply.h"

static const struct login_words words[] = {
    [LOGIN_REPLY_WELCOME] = {'K', WHY_NONE, "2.7.0 authenticated"},
    [LOGIN_REPLY_BAD_PASSWORD] = {'D', WHY_bad_password, "5.7.8 user or password is wrong"},
    [LOGIN_REPLY_DISABLED] = {'D', WHY_disabled, "5.7.0 this account is disabled"},
    [LOGIN_REPLY_NO_SERVICE] = {'D', WHY_no_service, "5.7.0 this account may not use this service"},
    [LOGIN_REPLY_TOO_MANY_FAILURES] = {'D', WHY_too_often, "4.7.0 too many wrong passwords from this address"},
    [LOGIN_REPLY_TOO_OFTEN] = {'D', WHY_too_often, "4.7.0 this mailbox was checked a moment ago"},
    [LOGIN_REPLY_NO_ASSIGN] = {'Z', WHY_no_cdb, "4.3.5 users/cdb is missing"},
    [LOGIN_REPLY_NO_VPASSWD] = {'Z', WHY_no_cdb, "4.3.5 the domain's vpasswd.cdb is missing"},
    [LOGIN_REPLY_IO] = {'Z', WHY_io, "4.3.0 a file of this account cannot be read"},
    [LOGIN_REPLY_OTHER_USER] = {'Z', WHY_other_user, "4.3.5 this account belongs to a system user that is not served yet"},
    [LOGIN_REPLY_NO_SESSION] = {'Z', WHY_service, "4.3.0 the mailbox service does not answer"},
    [LOGIN_REPLY_BAD_REQUEST] = {'D', WHY_bad_request, "5.5.4 not a question that authd understands"},
    [LOGIN_REPLY_NO_CONNECTION] = {'D', WHY_bad_request, "5.5.4 a session needs the client's connection, one descriptor"},
};

const struct login_words *login_words(enum login_reply reply)
{
    return &words[reply];
}
