/* SPDX-License-Identifier: ISC */
/* What operators do. A message that is being tried gets its wish when its try ends; any other at once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "queue/send_ctl.h"
#include "queue/send_end.h"

enum { FILES_A_STEP = 32 };

static bool is_same(const void *ctx, const struct waiting *entry)
{
    return memcmp(ctx, &entry->id, sizeof entry->id) == 0;
}

static bool is_same_too(void *ctx, const struct waiting *entry)
{
    return is_same(ctx, entry);
}

/* The message that is being tried, by its id; NULL: it is not. */
static struct message *find_tried(struct scheduler *scheduler, const struct waiting *entry)
{
    char id[MSGID_LEN + 1];
    id_unpack(&entry->id, id);
    for (int i = 0; i < MESSAGES_MAX; i++) {
        if (scheduler->messages[i].state != MESSAGE_FREE && strcmp(scheduler->messages[i].id, id) == 0) {
            return &scheduler->messages[i];
        }
    }
    return NULL;
}

static void retry(struct scheduler *scheduler, struct ctl *ctl, const struct ctl_item *item)
{
    if (item->place == PLACE_LATER) {
        ctl->count += waiting_hurry(&scheduler->later, is_same, &item->entry.id);
    }
}

/* Off the list; its file is then the caller's. False: it is not (or no longer) there. */
static bool take_out(struct scheduler *scheduler, struct ctl_item *item)
{
    return item->place != PLACE_LATER || waiting_remove(&scheduler->later, is_same_too, &item->entry.id) > 0;
}

/* hold, release and bounce: from where it lies to hold/ or cur/; there the scheduler finds it. */
static bool move(struct scheduler *scheduler, const struct ctl_item *item, enum spool_place to)
{
    char from_name[SPOOL_NAME], to_name[SPOOL_NAME];
    int from = spool_where(&scheduler->spool, item->place, &item->entry, from_name);
    int folder = spool_where(&scheduler->spool, to, &item->entry, to_name);
    if (renameat(from, from_name, folder, to_name) == 0) {
        scheduler->spool.n_hold += to == PLACE_HOLD;
        scheduler->spool.n_hold -= item->place == PLACE_HOLD && to != PLACE_HOLD;
        return true;
    }
    log_event("alert", "name=%s error=%s", from_name, strerror(errno));
    if (item->place == PLACE_LATER) {
        waiting_add(&scheduler->later, &item->entry);
    }
    return false;
}

static bool release(struct scheduler *scheduler, const struct ctl_item *item, unsigned flags)
{
    struct waiting entry = item->entry;
    if (!move(scheduler, item, PLACE_CUR)) {
        return false;
    }
    entry.flags = (uint8_t)((entry.flags & WAITING_SITE) | WAITING_NOW | WAITING_IN_CUR | flags);
    waiting_add(&scheduler->later, &entry);
    return true;
}

static bool delete (struct scheduler *scheduler, const struct ctl_item *item)
{
    char name[SPOOL_NAME], id[MSGID_LEN + 1];
    int folder = spool_where(&scheduler->spool, item->place, &item->entry, name);
    if (unlinkat(folder, name, 0) < 0) {
        log_event("alert", "name=%s error=%s", name, strerror(errno));
        return false;
    }
    id_unpack(&item->entry.id, id);
    log_event("deleted", "id=%s reason=%s", id, "an operator");
    scheduler->spool.n_hold -= item->place == PLACE_HOLD;
    if (item->entry.number != 0) {
        send_log_end(&scheduler->log, item->entry.number);
    }
    return true;
}

static enum wish wish_of(enum ctl_do what)
{
    switch (what) {
    case CTL_HOLD:
        return WISH_HOLD;
    case CTL_DELETE:
        return WISH_DELETE;
    case CTL_BOUNCE:
        return WISH_FAIL;
    case CTL_IDLE:
    case CTL_LIST:
    case CTL_SHOW:
    case CTL_RETRY:
    case CTL_RELEASE:
        break;
    }
    return WISH_NONE;
}

static bool act_on_file(struct scheduler *scheduler, const struct ctl *ctl, struct ctl_item *item)
{
    bool is_held = item->place == PLACE_HOLD;
    if (is_held ? ctl->what == CTL_HOLD : ctl->what == CTL_RELEASE) {
        return false;
    }
    if (item->place == PLACE_CUR || !take_out(scheduler, item)) {
        return false; /* found at the start and not looked at yet, or on its way from one place to the other */
    }
    switch (ctl->what) {
    case CTL_HOLD:
        return move(scheduler, item, PLACE_HOLD);
    case CTL_RELEASE:
        return release(scheduler, item, 0);
    case CTL_DELETE:
        return delete (scheduler, item);
    case CTL_BOUNCE:
        return release(scheduler, item, WAITING_FAIL);
    case CTL_IDLE:
    case CTL_LIST:
    case CTL_SHOW:
    case CTL_RETRY:
        break;
    }
    return false;
}

static void act(struct scheduler *scheduler, struct ctl *ctl, struct ctl_item *item)
{
    if (ctl->what == CTL_RETRY) {
        retry(scheduler, ctl, item);
        return;
    }
    struct message *message = find_tried(scheduler, &item->entry);
    if (message != NULL) {
        message->wish = ctl->what == CTL_RELEASE ? message->wish : wish_of(ctl->what);
        ctl->count += ctl->what != CTL_RELEASE;
        return;
    }
    ctl->count += act_on_file(scheduler, ctl, item);
}

void ctl_act_step(struct scheduler *scheduler, struct ctl *ctl)
{
    bool needs_file = ctl->filter.from != NULL || ctl->filter.to != NULL;
    for (unsigned i = 0; i < FILES_A_STEP && ctl->at < ctl->n_items; i++) {
        struct ctl_item *item = &ctl->items[ctl->at++];
        if (!needs_file || ctl_item_fits(scheduler, ctl, item)) {
            act(scheduler, ctl, item);
        }
        ctl_close_shown(ctl);
    }
    if (ctl->at == ctl->n_items) {
        ctl_put_count(ctl);
    }
}
