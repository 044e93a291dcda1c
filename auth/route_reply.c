/* SPDX-License-Identifier: ISC */
/* Verdict texts of rcptd: enhanced status code (RFC 3463) and the cause in one line. */
#include "auth/route_reply.h"

#include "lib/str.h"

static const struct {
    char letter;
    enum why why;
    const char *text;
} replies[] = {
    [ROUTE_REPLY_NO_MAILBOX] = {'D', WHY_no_mailbox, "5.1.1 no mailbox here by that name"},
    [ROUTE_REPLY_DISABLED] = {'D', WHY_disabled, "5.2.1 this mailbox takes no mail"},
    [ROUTE_REPLY_FULL] = {'Z', WHY_full, "4.2.2 mailbox is full"},
    [ROUTE_REPLY_FULL_EVER] = {'D', WHY_full, "5.2.2 mailbox is full"},
    [ROUTE_REPLY_TOO_BIG] = {'D', WHY_full, "5.2.3 message is larger than this mailbox may ever hold"},
    [ROUTE_REPLY_NO_ASSIGN] = {'Z', WHY_no_cdb, "4.3.5 users/cdb is missing"},
    [ROUTE_REPLY_NO_VPASSWD] = {'Z', WHY_no_cdb, "4.3.5 the domain's vpasswd.cdb is missing"},
    [ROUTE_REPLY_IO] = {'Z', WHY_io, "4.3.0 a file of this address cannot be read"},
    [ROUTE_REPLY_UNSAFE] = {'Z', WHY_io, "4.3.5 a file of this address has an unsafe owner or mode"},
    [ROUTE_REPLY_BAD_QMAIL] = {'Z', WHY_io, "4.2.1 the .qmail file of this address has a mistake"},
    [ROUTE_REPLY_OTHER_USER] = {'Z', WHY_other_user,
                                "4.3.5 this address belongs to a system user that mail is not delivered for yet"},
    [ROUTE_REPLY_NOT_OURS] = {'D', WHY_policy, "5.7.1 not one of the domains that this host takes mail for"},
    [ROUTE_REPLY_NO_RCPTHOSTS] = {'D', WHY_config, "5.7.1 control/rcpthosts is missing: this host takes mail for nobody"},
};

static const char *const faults[] = {
    [ADDRESS_GOOD] = "5.1.3 bad address",
    [ADDRESS_EMPTY] = "5.1.3 address is empty",
    [ADDRESS_TOO_LONG] = "5.1.3 address is too long",
    [ADDRESS_CONTROL] = "5.1.3 address holds a control byte",
    [ADDRESS_SPACE] = "5.1.3 address holds a space",
    [ADDRESS_NO_DOMAIN] = "5.1.3 address has no domain",
    [ADDRESS_NO_LOCAL] = "5.1.3 address has nothing before the @",
    [ADDRESS_BAD_LOCAL] = "5.1.3 address is malformed before the @",
    [ADDRESS_BAD_DOMAIN] = "5.1.3 domain of the address is malformed",
    [ADDRESS_EIGHT_BIT] = "5.6.7 address has bytes above 127",
    [ADDRESS_BAD_UTF8] = "5.1.3 address is not valid UTF-8",
};

static const struct {
    const char *word, *text;
} kinds[] = {
    [ROUTE_NOWHERE] = {"", ""},
    [ROUTE_TO_MAILBOX] = {"mailbox", "2.1.5 mailbox"},
    [ROUTE_TO_ALIAS] = {"alias", "2.1.5 alias"},
    [ROUTE_TO_CATCHALL] = {"catchall", "2.1.5 catch-all"},
    [ROUTE_TO_LIST] = {"list", "2.1.5 mailing list"},
    [ROUTE_TO_REMOTE] = {"remote", "2.1.5 at another host"},
};

void route_answer(struct route *out, enum route_reply reply)
{
    out->letter = replies[reply].letter;
    out->why = replies[reply].why;
    out->text = replies[reply].text;
    out->kind = ROUTE_NOWHERE;
}

void route_answer_fault(struct route *out, enum address_fault fault)
{
    out->letter = 'D';
    out->why = WHY_bad_address;
    out->text = faults[fault];
    out->kind = ROUTE_NOWHERE;
}

void route_accept(struct route *out, enum route_kind kind)
{
    out->letter = 'K';
    out->why = WHY_NONE;
    out->text = kinds[kind].text;
    out->kind = kind;
}

const char *route_kind_word(enum route_kind kind)
{
    return kinds[kind].word;
}

void route_decided_by(struct route *out, const char *folder, const char *name, unsigned line)
{
    out->file.len = 0;
    if (folder != NULL) {
        str_cats(&out->file, folder);
        str_catc(&out->file, '/');
    }
    str_cats(&out->file, name);
    out->line = line;
}
