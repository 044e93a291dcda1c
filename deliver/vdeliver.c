/* SPDX-License-Identifier: ISC */
/* vdelivermail's work. Who has a mailbox is rcptd's knowledge (the hashes stand beside the names): it is asked over sockets/rcpt,
 * unless the route told it already (kind=catchall: there is none). */
#include "deliver/vdeliver.h"

#include <string.h>

#include "deliver/forward.h"
#include "deliver/instructions.h"
#include "deliver/lookup.h"
#include "deliver/notice.h"
#include "deliver/place.h"
#include "lib/str.h"

/* The rest of the delivery goes to a mailbox. */
static void deliver_to(struct delivery *delivery, const struct fields *answer)
{
    struct delivery mailbox = *delivery;
    uint64_t flags = 0;
    mailbox.kind = "mailbox";
    mailbox.is_inside_vdelivermail = true;
    mailbox.home = fields_get_or(answer, "home", "");
    mailbox.quota = fields_get(answer, "quota");
    mailbox.dash = fields_get_or(answer, "dash", "");
    mailbox.ext = fields_get_or(answer, "ext", "");
    mailbox.flags = fields_get_number(answer, "flags", UINT32_MAX, &flags) ? flags : 0;
    stralloc home = STRALLOC_ZERO;
    if (place_resolve(delivery->settings, NULL, mailbox.home, strlen(mailbox.home), &home)) {
        mailbox.home = home.s;
        instructions_run(&mailbox);
    } else {
        outcome_set_detail(delivery->outcome, &reply_home_outside, mailbox.home, strlen(mailbox.home));
    }
    stralloc_free(&home);
}

/* A catch-all folder that is a mailbox of the domain keeps that mailbox's quota: the name is the folder's last component. */
static void deliver_to_folder(struct delivery *delivery, const char *folder)
{
    struct delivery owner = *delivery;
    struct lookup lookup;
    const struct verdict *verdict = &lookup.verdict;
    stralloc address = STRALLOC_ZERO;
    stralloc quota = STRALLOC_ZERO;
    const char *name = strrchr(folder, '/');
    str_copys(&address, name == NULL ? folder : name + 1);
    str_catc(&address, '@');
    str_cats(&address, delivery_host(delivery));
    lookup_mailbox(&lookup, delivery, str_text(&address));
    if (verdict->letter == 'Z') {
        outcome_set_detail(delivery->outcome, &reply_lookup_deferred, verdict->text, strlen(verdict->text));
    } else {
        const char *home = verdict->letter == 'K' ? fields_get_or(&verdict->fields, "home", "") : "";
        str_copys(&quota, strcmp(home, folder) == 0 ? fields_get_or(&verdict->fields, "quota", "") : "");
        owner.kind = "mailbox";
        owner.is_inside_vdelivermail = true;
        owner.home = folder;
        owner.quota = str_text(&quota);
        owner.dash = owner.ext = "";
        instructions_run(&owner);
    }
    lookup_end(&lookup);
    stralloc_free(&address);
    stralloc_free(&quota);
}

static void run_folder(struct delivery *delivery, const struct vdelivermail *action)
{
    stralloc folder = STRALLOC_ZERO;
    if (place_resolve(delivery->settings, delivery->home, action->text, action->len, &folder)) {
        deliver_to_folder(delivery, folder.s);
    } else {
        outcome_set_detail(delivery->outcome, &reply_home_outside, action->text, action->len);
    }
    stralloc_free(&folder);
}

static void run_forward(struct delivery *delivery, const struct vdelivermail *action)
{
    struct forward forward;
    forward_start(&forward, delivery);
    if (!forward_add(&forward, delivery, action->text, action->len)) {
        outcome_set_detail(delivery->outcome, &reply_bad_address, action->text, action->len);
    } else {
        forward_send(&forward, delivery);
        if (delivery->outcome->letter != 'Z' && delivery->outcome->letter != 'D') {
            outcome_set_counts(delivery->outcome, 0, 1, 0);
        }
    }
    forward_free(&forward);
}

static void run_line(struct delivery *delivery, const struct vdelivermail *action)
{
    struct delivery inner = *delivery;
    inner.is_inside_vdelivermail = true;
    instructions_run_text(&inner, "vdelivermail", action->text, action->len);
}

void vdeliver_unknown(struct delivery *delivery, const struct vdelivermail *action)
{
    switch (action->kind) {
    case VDELIVERMAIL_BOUNCE:
        notice_refuse(delivery, ".no-user.msg", &reply_no_mailbox);
        break;
    case VDELIVERMAIL_DELETE:
        outcome_set(delivery->outcome, &reply_discarded);
        break;
    case VDELIVERMAIL_FOLDER:
        run_folder(delivery, action);
        break;
    case VDELIVERMAIL_FORWARD:
        run_forward(delivery, action);
        break;
    case VDELIVERMAIL_LINE:
        run_line(delivery, action);
        break;
    case VDELIVERMAIL_BAD:
        outcome_set(delivery->outcome, &reply_bad_vdelivermail);
        break;
    }
}

static void pass_on(struct delivery *delivery, const struct verdict *verdict)
{
    enum why why = why_from_word(fields_get(&verdict->fields, "why"));
    if (verdict->letter == 'D' && why == WHY_disabled) {
        outcome_set(delivery->outcome, &reply_locked);
    } else {
        outcome_set_detail(delivery->outcome, &reply_lookup_deferred, verdict->text, strlen(verdict->text));
    }
}

static void look_up_and_run(struct delivery *delivery, const struct vdelivermail *action)
{
    struct lookup lookup;
    lookup_mailbox(&lookup, delivery, delivery->orig);
    const struct verdict *verdict = &lookup.verdict;
    bool is_unknown = verdict->letter == 'D' && why_from_word(fields_get(&verdict->fields, "why")) == WHY_no_mailbox;
    if (verdict->letter == 'K' && strcmp(fields_get_or(&verdict->fields, "kind", ""), "mailbox") == 0) {
        deliver_to(delivery, &verdict->fields);
    } else if (is_unknown || verdict->letter == 'K') {
        vdeliver_unknown(delivery, action);
    } else {
        pass_on(delivery, verdict);
    }
    lookup_end(&lookup);
}

void vdeliver_run(struct delivery *delivery, const struct vdelivermail *action)
{
    if (delivery->is_inside_vdelivermail) {
        outcome_set(delivery->outcome, &reply_nested_vdelivermail);
    } else if (action->kind == VDELIVERMAIL_BAD) {
        outcome_set(delivery->outcome, &reply_bad_vdelivermail);
    } else if (strcmp(delivery->kind, "catchall") == 0) {
        vdeliver_unknown(delivery, action);
    } else {
        look_up_and_run(delivery, action);
    }
}
