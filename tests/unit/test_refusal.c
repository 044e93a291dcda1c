/* SPDX-License-Identifier: ISC */
/* queue/send_refusal: what a sender reads of an address that rcptd refused. */
#include "lib/str.h"
#include "queue/send_refusal.h"
#include "tests/tap.h"

int main(void)
{
    static const struct {
        enum why why;
        const char *text, *want, *name;
    } table[] = {
        {WHY_no_mailbox, "5.1.1 no mailbox here by that name",
         "5.1.1 Sorry, no mailbox here by that name. (#5.1.1) Please check the address for spelling; the domain's postmaster "
         "knows "
         "which addresses exist.",
         "an_unknown_mailbox"},
        {WHY_disabled, "5.2.1 this mailbox takes no mail",
         "5.2.1 Sorry, this mailbox takes no mail. (#5.2.1) The domain's postmaster has switched it off and can switch it on "
         "again.",
         "a_mailbox_that_is_switched_off"},
        {WHY_full, "4.2.2 mailbox is full",
         "4.2.2 Sorry, recipient mailbox is full. (#4.2.2) Its owner can delete mail, the domain's postmaster can raise the "
         "quota; "
         "then send it again.",
         "a_full_mailbox"},
        {WHY_full, "5.2.3 message is larger than this mailbox may ever hold",
         "5.2.3 Sorry, the message is larger than this mailbox may ever hold. (#5.2.3) Send it smaller, or in parts; the "
         "domain's "
         "postmaster can raise the quota.",
         "a_message_larger_than_the_quota"},
        {WHY_bad_address, "5.1.3 address holds a space",
         "5.1.3 address holds a space. (#5.1.3) Please check how the address is written.", "a_bad_address"},
        {WHY_policy, "5.7.1 not one of the domains that this host takes mail for",
         "5.7.1 not one of the domains that this host takes mail for. (#5.7.1) Please check the domain of the address; the "
         "administrator of this host knows which domains are here.",
         "a_domain_of_others"},
        {WHY_io, "4.3.0 a file of this address cannot be read",
         "4.3.0 a file of this address cannot be read. (#4.3.0) The administrator of this host has to look at it.",
         "anything_else_keeps_its_words"},
        {WHY_NONE, "", " . (#) The administrator of this host has to look at it.", "no_words_at_all"},
    };
    stralloc out = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        out.len = 0;
        send_refusal_append(&out, table[i].why, table[i].text);
        is(str_text(&out), table[i].want, table[i].name);
    }
    stralloc_free(&out);
    return done();
}
