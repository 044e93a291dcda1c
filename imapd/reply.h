/* SPDX-License-Identifier: ISC */
/* Every tagged reply of imapd, with its code (RFC 5530) and words. A handler returns one; codes with numbers are put into
 * session->code by the handler and go before the one here. */
#ifndef IMAPD_REPLY_H
#define IMAPD_REPLY_H

#include <skalibs/stralloc.h>

enum reply_kind { REPLY_OK, REPLY_NO, REPLY_BAD };
struct reply {
    enum reply_kind kind;
    const char *code; /* NULL: none */
    const char *text; /* %s: the command's name */
};
/* it goes on */
extern const struct reply reply_done, reply_selected, reply_examined, reply_goodbye, reply_idle_done, reply_expunge_issued,
    reply_not_copied;
extern const struct reply reply_modified; /* OK [MODIFIED set] */
/* not understood */
extern const struct reply reply_no_tag, reply_unknown, reply_syntax, reply_too_long, reply_bad_literal, reply_bad_set,
    reply_not_selected, reply_bad_date, reply_bad_charset, reply_idle_not_done, reply_bad_modifier;
/* not now, not so */
extern const struct reply reply_read_only, reply_no_folder, reply_try_create, reply_already_exists, reply_bad_name,
    reply_is_inbox, reply_no_permission, reply_over_quota, reply_too_big, reply_disk, reply_io, reply_damaged, reply_in_use,
    reply_search_time, reply_limit_keywords, reply_no_special_use, reply_lost_append;
/* the front */
extern const struct reply reply_login_first, reply_cancelled, reply_no_mechanism, reply_bad_plain, reply_bad_password,
    reply_disabled, reply_no_service, reply_too_often, reply_need_tls, reply_too_many, reply_later, reply_refused;
/* TAG KIND [CODE] words CR LF; code NULL: the reply's own; word: the command's name. */
void reply_append(stralloc *out, const struct reply *reply, const char *tag, const char *code, const char *word);
/* By errno: reply_disk, reply_no_folder, reply_no_permission, reply_in_use, reply_damaged, reply_io (logged). */
const struct reply *reply_of_errno(int error);

#endif
