/* SPDX-License-Identifier: ISC */
/* What operators do. A message that is being tried gets its wish when its try ends; any other at once. First those that fit are
 * chosen, then all are taken off the list of those that wait in one pass, then the files are moved, a few a step. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "queue/send_ctl.h"
#include "queue/send_end.h"

enum { FILES_A_STEP = 32 };

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
    if (item->place == PLACE_CUR || (item->place == PLACE_LATER && !item->is_taken)) {
        return false; /* found at the start and not looked at yet, or on its way from one place to the other */
    }
    item->is_taken = false;
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

static bool act(struct scheduler *scheduler, const struct ctl *ctl, struct ctl_item *item)
{
    struct message *message = find_tried(scheduler, &item->entry);
    if (message == NULL) {
        return act_on_file(scheduler, ctl, item);
    }
    message->wish = ctl->what == CTL_RELEASE ? message->wish : wish_of(ctl->what);
    return ctl->what != CTL_RELEASE;
}

static int compare_items(const void *a, const void *b)
{
    const struct ctl_item *one = a, *other = b;
    return memcmp(&one->entry.id, &other->entry.id, sizeof one->entry.id);
}

static struct ctl_item *find_item(const struct ctl *ctl, const struct waiting *entry)
{
    struct ctl_item key = {.entry = *entry};
    return ctl->n_items == 0 ? NULL : bsearch(&key, ctl->items, ctl->n_items, sizeof key, compare_items);
}

static bool is_chosen(const void *ctx, const struct waiting *entry)
{
    return find_item(ctx, entry) != NULL;
}

/* Off the list, with what the list knows by now. */
static bool take_chosen(void *ctx, const struct waiting *entry)
{
    struct ctl_item *item = find_item(ctx, entry);
    if (item == NULL) {
        return false;
    }
    *item = (struct ctl_item){.entry = *entry, .place = PLACE_LATER, .is_taken = true};
    return true;
}

/* Keeps those of the next items that fit, in front. */
static void choose(struct scheduler *scheduler, struct ctl *ctl)
{
    bool needs_file = ctl->filter.from != NULL || ctl->filter.to != NULL;
    for (unsigned i = 0; ctl->at < ctl->n_items && (!needs_file || i < FILES_A_STEP); i++) {
        struct ctl_item item = ctl->items[ctl->at++];
        if (!needs_file || ctl_item_fits(scheduler, ctl, &item)) {
            ctl->items[ctl->count++] = item;
        }
        ctl_close_shown(ctl);
    }
}

/* One pass over the list for all of them. */
static void begin_acting(struct scheduler *scheduler, struct ctl *ctl)
{
    ctl->n_items = ctl->count;
    ctl->at = ctl->count = 0;
    ctl->is_acting = true;
    if (ctl->n_items > 1) {
        qsort(ctl->items, ctl->n_items, sizeof *ctl->items, compare_items);
    }
    if (ctl->what == CTL_RETRY) {
        ctl->count = waiting_hurry(&scheduler->later, is_chosen, ctl);
        ctl->at = ctl->n_items;
    } else if (ctl->what != CTL_RELEASE) {
        (void)waiting_remove(&scheduler->later, take_chosen, ctl);
    }
}

void ctl_act_step(struct scheduler *scheduler, struct ctl *ctl)
{
    if (!ctl->is_acting) {
        choose(scheduler, ctl);
        if (ctl->at < ctl->n_items) {
            return;
        }
        begin_acting(scheduler, ctl);
    }
    for (unsigned i = 0; i < FILES_A_STEP && ctl->at < ctl->n_items; i++) {
        ctl->count += act(scheduler, ctl, &ctl->items[ctl->at++]);
    }
    if (ctl->at == ctl->n_items) {
        ctl_put_count(ctl);
    }
}

void ctl_act_give_back(struct scheduler *scheduler, struct ctl *ctl)
{
    for (size_t i = 0; i < ctl->n_items; i++) {
        if (ctl->items[i].is_taken) {
            waiting_add(&scheduler->later, &ctl->items[i].entry);
        }
    }
    ctl->n_items = 0;
}
