/* SPDX-License-Identifier: ISC */
/* How a try begins. Old mail (due again, or found in cur/ at the start) never takes more than three quarters of the room, and
 * every fourth turn is its own: neither waits for the other. */
#include <errno.h>
#include <string.h>

#include "lib/log.h"
#include "lib/str.h"
#include "queue/send_end.h"
#include "queue/send_job.h"
#include "queue/send_message.h"
#include "queue/send_try.h"

enum { AT_ONCE = 64, OLD_SHARE = 4, PAUSE_MS = 1000, BUSY_SECONDS = 60, ERROR_SECONDS = 600 };

void try_init(struct scheduler *scheduler)
{
    scheduler->messages = memory_get(MESSAGES_MAX, sizeof *scheduler->messages);
    for (int i = 0; i < MESSAGES_MAX; i++) {
        scheduler->messages[i].next = i + 1 < MESSAGES_MAX ? i + 1 : NOTHING;
        scheduler->messages[i].fd = scheduler->messages[i].write_fd = -1;
    }
    scheduler->free_message = 0;
    job_init(scheduler);
}

static int new_message(struct scheduler *scheduler, const struct waiting *entry, bool is_old)
{
    int index = scheduler->free_message;
    struct message *message = &scheduler->messages[index];
    stralloc sender = message->sender;
    scheduler->free_message = message->next;
    scheduler->n_messages++;
    scheduler->n_old += is_old;
    *message = (struct message){.state = MESSAGE_TRYING,
                                .number = entry->number,
                                .tries = entry->tries,
                                .is_old = is_old,
                                .fd = -1,
                                .write_fd = -1,
                                .wish = (entry->flags & WAITING_FAIL) != 0 ? WISH_FAIL : WISH_NONE,
                                .sender = sender,
                                .site_kind = SITE_NONE,
                                .began_s = scheduler->now_s};
    id_unpack(&entry->id, message->id);
    return index;
}

static void log_begin(struct scheduler *scheduler, struct message *message, const char *uid)
{
    bool is_known = message->number != 0;
    if (!is_known) {
        scheduler->next_number += scheduler->next_number == UINT32_MAX ? 2 : 1;
        message->number = scheduler->next_number;
    }
    struct send_log_message line = {.number = message->number,
                                    .bytes = message->header.mlen,
                                    .sender = message->sender.s,
                                    .uid = uid,
                                    .id = message->id,
                                    .recipients = message->header.n,
                                    .tries = message->tries};
    if (is_known) {
        send_log_again(&scheduler->log, &line);
    } else {
        send_log_message(&scheduler->log, &line);
    }
}

static void put_bad(struct scheduler *scheduler, struct message *message, const char *reason, const char *words)
{
    log_event(strcmp(reason, "torn") == 0 ? "torn" : "alert", "id=%s file=spool/bad/%s.%s reason=%s", message->id, message->id,
              reason, words);
    if (spool_put_bad(&scheduler->spool, message->id, reason) < 0) {
        log_event("alert", "id=%s error=%s", message->id, strerror(errno));
    }
}

/* It cannot be tried now: again after some seconds, from where it lies. */
static void come_back(struct scheduler *scheduler, const struct waiting *entry, uint64_t seconds)
{
    struct waiting again = *entry;
    again.flags = (uint8_t)((again.flags & ~WAITING_NOW) | WAITING_IN_CUR);
    again.minute = (uint32_t)((scheduler->now_s + seconds + 59) / 60);
    waiting_add(&scheduler->later, &again);
}

static void not_opened(struct scheduler *scheduler, struct message *message, const struct waiting *entry, enum message_open how)
{
    int error = errno;
    switch (how) {
    case MESSAGE_BUSY:
        log_event("held", "id=%s reason=%s", message->id,
                  "a worker of an earlier send still delivers it; asked again each minute");
        come_back(scheduler, entry, BUSY_SECONDS);
        return;
    case MESSAGE_GONE:
        log_event("gone", "id=%s reason=%s", message->id, "its file is not in spool/cur any more");
        return;
    case MESSAGE_TORN:
        put_bad(scheduler, message, "torn", "written when the machine stopped and never acknowledged; removed after 36 hours");
        return;
    case MESSAGE_DAMAGED:
        put_bad(scheduler, message, "crc",
                "its bytes do not agree with their sums: the disk has changed them; kept for you to look at");
        return;
    case MESSAGE_ERROR:
        log_event("alert", "id=%s error=%s", message->id, strerror(error));
        if (error == EMFILE || error == ENFILE || error == ENOMEM) {
            scheduler->pause_ms = scheduler->now_ms + PAUSE_MS;
            come_back(scheduler, entry, 0);
        } else {
            come_back(scheduler, entry, ERROR_SECONDS);
        }
        return;
    case MESSAGE_GOOD:
        return;
    }
}

/* The file lies in cur/. */
static void begin(struct scheduler *scheduler, const struct waiting *entry, bool is_new, bool is_checked)
{
    const char *uid = "";
    int index = new_message(scheduler, entry, !is_new);
    struct message *message = &scheduler->messages[index];
    enum message_open how = message_open(scheduler, message, is_new, is_checked, &uid);
    if (how != MESSAGE_GOOD) {
        not_opened(scheduler, message, entry, how);
        end_forget(scheduler, index);
        return;
    }
    log_begin(scheduler, message, uid);
    end_continue(scheduler, index);
}

static bool take_new(struct scheduler *scheduler)
{
    char id[MSGID_LEN + 1];
    if (!id_queue_take(&scheduler->fresh, id)) {
        return false;
    }
    if (spool_take_new(&scheduler->spool, id) < 0) {
        if (errno != ENOENT) { /* found again by the next scan */
            log_event("alert", "id=%s error=%s", id, strerror(errno));
        }
        return true;
    }
    struct waiting entry = {.id = id_pack(id)};
    begin(scheduler, &entry, true, false);
    return true;
}

static bool take_old(struct scheduler *scheduler)
{
    char id[MSGID_LEN + 1];
    struct waiting entry;
    if (id_queue_take(&scheduler->again, id)) {
        entry = (struct waiting){.id = id_pack(id)};
        begin(scheduler, &entry, false, false);
        return true;
    }
    if (!waiting_take_due(&scheduler->later, scheduler->now_s, &entry)) {
        return false;
    }
    if (spool_take_later(&scheduler->spool, &entry) < 0) {
        id_unpack(&entry.id, id);
        log_event("alert", "id=%s error=%s", id, strerror(errno));
        if (errno != ENOENT) {
            entry.flags &= (uint8_t)~WAITING_NOW;
            scheduler->pause_ms = scheduler->now_ms + PAUSE_MS;
            waiting_add(&scheduler->later, &entry);
        }
        return true;
    }
    begin(scheduler, &entry, false, (entry.flags & WAITING_IN_CUR) == 0);
    return true;
}

unsigned try_old_limit(unsigned limit)
{
    unsigned kept = limit / OLD_SHARE > 0 ? limit / OLD_SHARE : 1;
    return limit > 1 ? limit - kept : limit;
}

void try_begin_more(struct scheduler *scheduler)
{
    unsigned limit = scheduler->messages_limit, old_limit = try_old_limit(limit);
    for (unsigned i = 0; i < AT_ONCE && scheduler->n_messages < limit; i++) {
        if (scheduler->is_stopping || scheduler->now_ms < scheduler->pause_ms) {
            return;
        }
        bool may_be_old = scheduler->n_old < old_limit;
        bool is_old_turn = scheduler->taken++ % OLD_SHARE == OLD_SHARE - 1;
        if (may_be_old && is_old_turn && take_old(scheduler)) {
            continue;
        }
        if (!take_new(scheduler) && !(may_be_old && take_old(scheduler))) {
            return;
        }
    }
}
