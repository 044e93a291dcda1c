/* SPDX-License-Identifier: ISC */
/* rcptd gives a cause in a few words for programs; here are qmail's sentences, which people and scripts know, and what comes
 * next. */
#include "queue/send_refusal.h"

#include <string.h>

#include "lib/str.h"

#define ADMINISTRATOR "The administrator of this host has to look at it."
static const struct refusal {
    enum why why;
    const char *status; /* of the text; "": any */
    const char *cause;  /* NULL: the text's own words */
    const char *next;
} refusals[] = {
    {WHY_no_mailbox, "", "Sorry, no mailbox here by that name.",
     "Please check the address for spelling; the domain's postmaster knows which addresses exist."},
    {WHY_disabled, "", "Sorry, this mailbox takes no mail.",
     "The domain's postmaster has switched it off and can switch it on again."},
    {WHY_full, "5.2.3", "Sorry, the message is larger than this mailbox may ever hold.",
     "Send it smaller, or in parts; the domain's postmaster can raise the quota."},
    {WHY_full, "", "Sorry, recipient mailbox is full.",
     "Its owner can delete mail, the domain's postmaster can raise the quota; then send it again."},
    {WHY_bad_address, "", NULL, "Please check how the address is written."},
    {WHY_policy, "", NULL,
     "Please check the domain of the address; the administrator of this host knows which domains are here."},
    {WHY_UNKNOWN, "", NULL, ADMINISTRATOR},
};

void send_refusal_append(stralloc *out, enum why why, const char *text)
{
    size_t n = strspn(text, "0123456789.");
    const char *words = text[n] == ' ' ? text + n + 1 : text + n;
    const struct refusal *refusal = refusals;
    while (refusal->why != WHY_UNKNOWN &&
           (refusal->why != why || (*refusal->status != '\0' && strncmp(text, refusal->status, n) != 0))) {
        refusal++;
    }
    str_cat(out, text, n);
    str_catc(out, ' ');
    if (refusal->cause != NULL) {
        str_cats(out, refusal->cause);
    } else {
        str_cats(out, words);
        str_catc(out, '.');
    }
    str_cats(out, " (#");
    str_cat(out, text, n);
    str_cats(out, ") ");
    str_cats(out, refusal->next);
}
