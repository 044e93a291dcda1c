/* SPDX-License-Identifier: ISC */
/* One recipient, from the checks that hold for all kinds to the place that decides what happens. */
#include "deliver/delivery.h"

#include <string.h>

#include "deliver/instructions.h"
#include "deliver/place.h"
#include "lib/log.h"
#include "lib/str.h"

enum { FLAG_BOUNCE_MAIL = 0x10 };

const char *delivery_mailbox_name(const struct delivery *delivery)
{
    const char *slash = strrchr(delivery->home, '/');
    return slash == NULL ? delivery->home : slash + 1;
}

const char *delivery_host(const struct delivery *delivery)
{
    const char *at = strrchr(delivery->orig, '@');
    return at == NULL ? "" : at + 1;
}

/* A header line ends where we say: bytes that would end it earlier are not copied. */
static void cat_header_text(stralloc *out, const char *text)
{
    for (; *text != '\0'; text++) {
        str_catc(out, *text == '\n' || *text == '\r' ? '_' : *text);
    }
}

void delivery_append_return_path(stralloc *out, const struct delivery *delivery)
{
    str_cats(out, "Return-Path: <");
    cat_header_text(out, delivery->message->sender);
    str_cats(out, ">\n");
}

void delivery_append_delivered_to(stralloc *out, const struct delivery *delivery)
{
    str_cats(out, "Delivered-To: ");
    cat_header_text(out, delivery->orig);
    str_catc(out, '\n');
}

/* Refusals that need no look into the recipient's folder. */
static bool is_refused(struct delivery *delivery)
{
    if (delivery->flags & FLAG_BOUNCE_MAIL) {
        outcome_set(delivery->outcome, &reply_locked);
        return true;
    }
    int found = message_was_delivered_to(delivery->message, delivery->orig);
    if (found != 0) {
        outcome_set(delivery->outcome, found > 0 ? &reply_looping : &reply_read_error);
    }
    return found != 0;
}

bool delivery_begin(struct delivery *delivery)
{
    outcome_clear(delivery->outcome);
    delivery->prefix.len = 0;
    delivery_append_return_path(&delivery->prefix, delivery);
    delivery_append_delivered_to(&delivery->prefix, delivery);
    delivery->default_part = NULL;
    return !is_refused(delivery);
}

void delivery_run(struct delivery *delivery)
{
    stralloc home = STRALLOC_ZERO;
    if (!delivery_begin(delivery)) {
        return;
    }
    if (!place_resolve(delivery->settings, NULL, delivery->home, strlen(delivery->home), &home)) {
        outcome_set_detail(delivery->outcome, &reply_home_outside, delivery->home, strlen(delivery->home));
    } else {
        delivery->home = str_text(&home);
        instructions_run(delivery);
    }
    stralloc_free(&home);
}
