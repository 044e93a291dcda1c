/* SPDX-License-Identifier: ISC */
/* How a try ends. A mark is written before anything relies on it; only the last recipient's is not, since the unlink says the
 * same (CONTRACTS section 3, steps 7 to 10). Nothing here removes a file unless every recipient is delivered or reported. */
#include <errno.h>
#include <string.h>

#include "lib/crc32c.h"
#include "lib/log.h"
#include "lib/str.h"
#include "queue/send_end.h"
#include "queue/send_job.h"
#include "queue/send_message.h"
#include "queue/send_times.h"

enum { DIRTY_MS = 1000, ERROR_SECONDS = 600 };

void end_forget(struct scheduler *scheduler, int index)
{
    struct message *message = &scheduler->messages[index];
    message_close(scheduler, message);
    scheduler->n_messages--;
    scheduler->n_old -= message->is_old;
    message->state = MESSAGE_FREE;
    message->next = scheduler->free_message;
    scheduler->free_message = index;
}

static void put_later(struct scheduler *scheduler, int index)
{
    struct message *message = &scheduler->messages[index];
    bool is_local = message->site_kind == SITE_LOCAL || message->site_kind == SITE_NONE;
    uint64_t birth = message->header.accepted_us / 1000000;
    uint64_t slot =
        times_next_slot(birth, scheduler->now_s, scheduler->settings.queuelifetime, is_local ? STEP_LOCAL : STEP_REMOTE);
    struct waiting entry = {.id = id_pack(message->id),
                            .tries = (uint16_t)(message->tries < UINT16_MAX ? message->tries + 1 : UINT16_MAX),
                            .minute = (uint32_t)(slot / 60),
                            .number = message->number,
                            .site = message->site,
                            .why = (uint8_t)message->why,
                            .flags = (uint8_t)(is_local ? SITE_LOCAL : message->site_kind)};
    if (message->wish == WISH_FAIL) { /* it came while recipients were under way already */
        entry.flags |= WAITING_FAIL | WAITING_NOW;
    }
    message_sync(scheduler, message);
    if (spool_put_later(&scheduler->spool, &entry) < 0) {
        log_event("alert", "id=%s error=%s reason=%s", message->id, strerror(errno),
                  "it waits in spool/cur instead of spool/later");
    }
    waiting_add(&scheduler->later, &entry);
    end_forget(scheduler, index);
}

static void remove_message(struct scheduler *scheduler, int index)
{
    struct message *message = &scheduler->messages[index];
    if (spool_remove(&scheduler->spool, message->id) < 0 && errno != ENOENT) {
        /* From here the same happens as after a crash: it is tried again, and the equal name stops a second copy. */
        log_event("alert", "id=%s error=%s reason=%s", message->id, strerror(errno), "done, but its file cannot be removed");
        struct waiting entry = {.id = id_pack(message->id),
                                .number = message->number,
                                .minute = (uint32_t)((scheduler->now_s + ERROR_SECONDS) / 60),
                                .flags = WAITING_IN_CUR};
        waiting_add(&scheduler->later, &entry);
    } else {
        send_log_end(&scheduler->log, message->number);
    }
    end_forget(scheduler, index);
}

static void put_damaged(struct scheduler *scheduler, int index)
{
    struct message *message = &scheduler->messages[index];
    if (spool_put_bad(&scheduler->spool, message->id, "crc") < 0) {
        log_event("alert", "id=%s error=%s", message->id, strerror(errno));
    } else {
        log_event("alert", "id=%s file=spool/bad/%s.crc reason=%s", message->id, message->id,
                  "its envelope is damaged; kept for you to look at");
    }
    end_forget(scheduler, index);
}

static void put_hold(struct scheduler *scheduler, int index)
{
    struct message *message = &scheduler->messages[index];
    message_sync(scheduler, message);
    if (spool_put_hold(&scheduler->spool, message->id) < 0) {
        log_event("alert", "id=%s error=%s", message->id, strerror(errno));
        put_later(scheduler, index);
        return;
    }
    end_forget(scheduler, index);
}

static void end_try(struct scheduler *scheduler, int index)
{
    struct message *message = &scheduler->messages[index];
    if (message->wish == WISH_DELETE) {
        log_event("deleted", "id=%s reason=%s", message->id, "an operator");
        remove_message(scheduler, index);
    } else if (message->is_damaged) {
        put_damaged(scheduler, index);
    } else if (message->failed > 0 && !message->is_report_late) {
        message_sync(scheduler, message);
        message->state = MESSAGE_REPORTING;
        scheduler->n_reporting++;
    } else if (message->failed == 0 && message->waiting == 0) {
        remove_message(scheduler, index);
    } else if (message->wish == WISH_HOLD) {
        put_hold(scheduler, index);
    } else {
        put_later(scheduler, index);
    }
}

struct reading {
    struct scheduler *scheduler;
    int message;
};

static bool add_job(void *ctx, uint32_t n, char mark, const char *address)
{
    const struct reading *reading = ctx;
    if (mark != '.') {
        return false;
    }
    int job = job_new(reading->scheduler, reading->message, n, address);
    job_queue_put(reading->scheduler, &reading->scheduler->unrouted, job);
    return true;
}

/* Every message may have a few jobs, whatever the others have; a mailing takes its window only while there is plenty. */
static unsigned room_for_jobs(const struct scheduler *scheduler, const struct message *message)
{
    unsigned kept = MESSAGES_MAX + JOBS_A_MESSAGE;
    if (message->jobs > JOBS_A_MESSAGE / 2) {
        return 0;
    }
    return scheduler->n_jobs + kept < JOBS_MAX ? JOBS_A_MESSAGE - message->jobs : message->jobs == 0 ? 1 : 0;
}

void end_continue(struct scheduler *scheduler, int index)
{
    struct message *message = &scheduler->messages[index];
    struct reading reading = {.scheduler = scheduler, .message = index};
    message->is_read = message->is_read || message->waiting == 0;
    unsigned room = message->is_read || scheduler->is_stopping ? 0 : room_for_jobs(scheduler, message);
    if (room > 0) {
        message_read_recipients(scheduler, message, room, add_job, &reading);
    }
    if (message->jobs == 0 && message->is_read && message->state == MESSAGE_TRYING) {
        end_try(scheduler, index);
    }
}

void end_starting(struct scheduler *scheduler, int index, const char *channel)
{
    struct job *job = &scheduler->jobs[index];
    job->delivery = ++scheduler->next_delivery;
    send_log_starting(&scheduler->log, job->delivery, scheduler->messages[job->message].number, channel, job->address.s);
}

/* The other host's domain in lower case, "-" where it is our own folders that matter. */
static void name_site(stralloc *out, const struct job *job, enum why why)
{
    const char *at = strrchr(job->address.s, '@');
    str_copys(out, why == WHY_no_route && at != NULL ? at + 1 : "-");
    str_lower(out->s, out->len);
}

static void note(struct scheduler *scheduler, const struct job *job, char letter, const char *text, enum why why)
{
    stralloc site = STRALLOC_ZERO;
    name_site(&site, job, why);
    struct spoolfile_note note_of = {.seconds = scheduler->now_s,
                                     .n = job->n,
                                     .letter = letter,
                                     .site = site.s,
                                     .site_len = site.len,
                                     .text = text,
                                     .text_len = strlen(text)};
    message_note(scheduler, &scheduler->messages[job->message], &note_of);
    stralloc_free(&site);
}

/* The name in later/ tells the first reason of this try, and whom it concerns. */
static void remember_reason(struct message *message, const struct job *job, enum why why)
{
    uint32_t site = 0;
    enum waiting_site kind = SITE_LOCAL;
    if (why == WHY_no_route) {
        stralloc domain = STRALLOC_ZERO;
        name_site(&domain, job, why);
        site = crc32c(0, domain.s, domain.len);
        stralloc_free(&domain);
        kind = SITE_ONE;
    }
    if (message->site_kind == SITE_NONE) {
        message->why = why;
        message->site_kind = kind;
        message->site = site;
    } else if (message->site_kind != kind || message->site != site) {
        message->site_kind = SITE_SEVERAL;
    }
}

static void deliver_end(struct scheduler *scheduler, struct message *message, const struct job *job)
{
    bool is_last = message->waiting == 1 && message->failed == 0;
    if (!is_last) {
        (void)message_mark(scheduler, message, job->n, 'K'); /* not written: this recipient is tried again after a restart */
    }
    message->waiting--;
}

static bool fail_end(struct scheduler *scheduler, struct message *message, const struct job *job, const char *text, enum why why)
{
    note(scheduler, job, 'D', text, why);
    if (message_mark(scheduler, message, job->n, 'D') < 0) {
        return false;
    }
    message->waiting--;
    message->failed++;
    return true;
}

void end_job(struct scheduler *scheduler, int index, char letter, const char *text, enum why why)
{
    struct job *job = &scheduler->jobs[index];
    int message_index = job->message;
    struct message *message = &scheduler->messages[message_index];
    stralloc words = STRALLOC_ZERO;
    str_copys(&words, text);
    if (letter == 'Z' &&
        times_is_last_try(message->header.accepted_us / 1000000, message->began_s, scheduler->settings.queuelifetime)) {
        str_cats(&words, send_too_long);
        letter = 'D';
    }
    text = str_text(&words);
    if (letter == 'K') {
        deliver_end(scheduler, message, job);
    } else if (letter == 'Z' || !fail_end(scheduler, message, job, text, why)) {
        letter = 'Z';
        note(scheduler, job, 'Z', text, why);
        remember_reason(message, job, why);
    }
    send_log_delivery(&scheduler->log, job->delivery, letter, text);
    stralloc_free(&words);
    job_free(scheduler, index);
    end_continue(scheduler, message_index);
}

void end_job_reply(struct scheduler *scheduler, int job, const struct send_reply *reply)
{
    if (scheduler->jobs[job].delivery == 0) {
        end_starting(scheduler, job, "local");
    }
    end_job(scheduler, job, reply->letter, reply->text, reply->why);
}

void end_reported(struct scheduler *scheduler, int index, bool is_sent)
{
    struct message *message = &scheduler->messages[index];
    message->state = MESSAGE_TRYING;
    if (is_sent && message_mark_reported(scheduler, message) == 0) {
        message->failed = 0;
    } else {
        message->is_report_late = true;
        if (message->site_kind == SITE_NONE) {
            message->site_kind = SITE_LOCAL;
            message->why = WHY_service;
        }
    }
    end_try(scheduler, index);
}

void end_sync_marks(struct scheduler *scheduler)
{
    for (int i = 0; scheduler->n_dirty > 0 && i < MESSAGES_MAX; i++) {
        struct message *message = &scheduler->messages[i];
        if (message->is_dirty && scheduler->now_ms - message->dirty_ms >= DIRTY_MS) {
            message_sync(scheduler, message);
        }
    }
}
