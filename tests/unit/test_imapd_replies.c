/* SPDX-License-Identifier: ISC */
/* imapd/reply: the form of each reply, and that each one is spoken in a dialogue script (run from the root of the tree). */
#include <errno.h>
#include <stdlib.h>

#include "imapd/reply.h"
#include "lib/str.h"
#include "tests/scripts.h"
#include "tests/tap.h"

enum { REPLY_LINE_MAX = 512 };
#define REPLY(name)                                                                                                              \
    {                                                                                                                            \
#name, &(name)                                                                                                           \
    }

/* All that reply.h declares: knows_each_reply looks. */
static const struct named {
    const char *name;
    const struct reply *reply;
} replies[] = {REPLY(reply_done),          REPLY(reply_selected),     REPLY(reply_examined),       REPLY(reply_goodbye),
               REPLY(reply_idle_done),     REPLY(reply_modified),     REPLY(reply_expunge_issued), REPLY(reply_no_tag),
               REPLY(reply_unknown),       REPLY(reply_syntax),       REPLY(reply_too_long),       REPLY(reply_bad_literal),
               REPLY(reply_bad_set),       REPLY(reply_not_selected), REPLY(reply_bad_date),       REPLY(reply_bad_charset),
               REPLY(reply_idle_not_done), REPLY(reply_bad_modifier), REPLY(reply_read_only),      REPLY(reply_no_folder),
               REPLY(reply_try_create),    REPLY(reply_bad_name),     REPLY(reply_already_exists), REPLY(reply_is_inbox),
               REPLY(reply_damaged),       REPLY(reply_over_quota),   REPLY(reply_no_permission),  REPLY(reply_too_big),
               REPLY(reply_disk),          REPLY(reply_io),           REPLY(reply_limit_keywords), REPLY(reply_no_special_use),
               REPLY(reply_lost_append),   REPLY(reply_login_first),  REPLY(reply_cancelled),      REPLY(reply_no_mechanism),
               REPLY(reply_bad_plain),     REPLY(reply_bad_password), REPLY(reply_disabled),       REPLY(reply_no_service),
               REPLY(reply_too_often),     REPLY(reply_need_tls),     REPLY(reply_in_use),         REPLY(reply_later),
               REPLY(reply_refused),       REPLY(reply_too_many),     REPLY(reply_search_time),    REPLY(reply_not_copied)};
enum { REPLIES = sizeof replies / sizeof *replies };

static bool is_named(const char *word, size_t n)
{
    for (size_t i = 0; i < REPLIES; i++) {
        if (strlen(replies[i].name) == n && memcmp(replies[i].name, word, n) == 0) {
            return true;
        }
    }
    return false;
}

static void knows_each_reply(void)
{
    stralloc header = STRALLOC_ZERO;
    unsigned n = 0;
    scripts_read("imapd/reply.h", &header);
    char *saved = NULL;
    for (char *line = strtok_r(str_text(&header), ";", &saved); line != NULL; line = strtok_r(NULL, ";", &saved)) {
        const char *at = strstr(line, "extern const struct reply ");
        while (at != NULL && (at = strstr(at, "reply_")) != NULL) {
            size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
            if (!is_named(at, len)) {
                ok(false, "a_reply_that_this_test_does_not_know");
                printf("# %.*s\n", (int)len, at);
            }
            n++;
            at += len;
        }
    }
    is_number(n, REPLIES, "each_reply_is_looked_at");
    stralloc_free(&header);
}

/* Response codes of RFC 3501, 4978, 5530, 7162, 7889. */
static bool has_known_code(const char *code)
{
    static const char *const codes[] = {
        "READ-WRITE",  "READ-ONLY", "EXPUNGEISSUED",        "TOOBIG",          "CLIENTBUG",   "NOPERM",    "LIMIT",
        "NONEXISTENT", "TRYCREATE", "ALREADYEXISTS",        "CANNOT",          "INUSE",       "OVERQUOTA", "UNAVAILABLE",
        "SERVERBUG",   "USEATTR",   "AUTHENTICATIONFAILED", "PRIVACYREQUIRED", "CONTACTADMIN"};
    if (code == NULL || strncmp(code, "BADCHARSET (", 12) == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(code, codes[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* `% KIND [CODE] words`: a handler may put another code in front. */
static bool is_spoken(const stralloc *scripts, const struct reply *reply)
{
    stralloc line = STRALLOC_ZERO;
    reply_append(&line, reply, "%t", NULL, "%w");
    bool is_found = scripts_speak(scripts, line.s, line.len - 2);
    if (!is_found && reply->code == NULL) {
        line.len = 0;
        reply_append(&line, reply, "%t", "%c", "%w");
        is_found = scripts_speak(scripts, line.s, line.len - 2);
    }
    stralloc_free(&line);
    return is_found;
}

static void each_reply_is_spoken(void)
{
    stralloc scripts = STRALLOC_ZERO;
    scripts_read("tests/dialog/stafet-imap*/*.talk", &scripts);
    ok(scripts.len > 0, "there are scripts in tests/dialog/stafet-imapd and stafet-imap-login");
    for (size_t i = 0; i < REPLIES; i++) {
        const struct reply *reply = replies[i].reply;
        const char *hole = strchr(reply->text, '%');
        ok(has_known_code(reply->code), "has a response code that is registered, or none");
        ok(hole == NULL || (hole[1] == 's' && strchr(hole + 1, '%') == NULL), "has one hole at most");
        ok(reply->text[strcspn(reply->text, "\r\n")] == '\0', "is one line");
        if (reply == &reply_damaged) { /* a script cannot damage a mailbox between a command's two looks; imap_store_test can */
            ok(reply_of_errno(EUCLEAN) == reply, "is what damage is answered with");
        } else if (!ok(is_spoken(&scripts, reply), "is spoken in a dialogue")) {
            printf("# %s: %s\n", replies[i].name, reply->text);
        }
    }
    stralloc_free(&scripts);
}

static void appends(const struct reply *reply, const char *code, const char *want)
{
    stralloc line = STRALLOC_ZERO;
    reply_append(&line, reply, "a1", code, "UID FETCH");
    is(str_text(&line), want, want);
    ok(line.len <= REPLY_LINE_MAX, "stays under 512 bytes");
    stralloc_free(&line);
}

static void lines(void)
{
    appends(&reply_done, NULL, "a1 OK UID FETCH completed\r\n");
    appends(&reply_done, "HIGHESTMODSEQ 7", "a1 OK [HIGHESTMODSEQ 7] UID FETCH completed\r\n");
    appends(&reply_read_only, NULL, "a1 NO [NOPERM] UID FETCH: the mailbox was opened by EXAMINE; SELECT it to change it\r\n");
    appends(&reply_read_only, "X", "a1 NO [X] UID FETCH: the mailbox was opened by EXAMINE; SELECT it to change it\r\n");
    appends(&reply_unknown, NULL, "a1 BAD no such command; CAPABILITY tells what this server speaks\r\n");
    appends(&reply_cancelled, NULL, "a1 BAD UID FETCH was given up, as you asked\r\n");
}

static void errors(void)
{
    ok(reply_of_errno(ENOSPC) == &reply_disk && reply_of_errno(EDQUOT) == &reply_disk, "a_full_disk");
    ok(reply_of_errno(ENOENT) == &reply_no_folder && reply_of_errno(ENOTDIR) == &reply_no_folder, "no_folder");
    ok(reply_of_errno(EACCES) == &reply_no_permission && reply_of_errno(EPERM) == &reply_no_permission, "no_permission");
    ok(reply_of_errno(EIO) == &reply_io && reply_of_errno(0) == &reply_io, "everything_else");
}

int main(void)
{
    knows_each_reply();
    each_reply_is_spoken();
    lines();
    errors();
    return done();
}
