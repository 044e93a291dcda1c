/* SPDX-License-Identifier: ISC */
/* The asking side of rcpt. An answer K becomes at once the R frame that local will get, so nothing of it is kept otherwise. What
 * cannot be asked is a deferral, never a failure. */
#include <string.h>

#include "lib/str.h"
#include "queue/send_end.h"
#include "queue/send_job.h"
#include "queue/send_refusal.h"
#include "queue/send_reply.h"
#include "queue/send_route.h"
#include "queue/send_service.h"

enum { ROUTE_MS = 30000 };

void route_init(struct scheduler *scheduler)
{
    scheduler->known = memory_get(KNOWN_SLOTS, sizeof *scheduler->known);
    scheduler->rcpt = (struct service){.path = "sockets/rcpt", .name = "rcpt"};
    for (int i = 0; i < ROUTES_MAX; i++) {
        channel_init(&scheduler->routes[i].channel, -1, -1);
        scheduler->routes[i].job = NOTHING;
    }
}

static void put_question(struct scheduler *scheduler, stralloc *out, const struct job *job)
{
    const struct message *message = &scheduler->messages[job->message];
    size_t start = frame_begin(out, 'Q');
    field_put(out, "op", "rcpt");
    field_put(out, "sid", message->id);
    field_put(out, "from", message->sender.s);
    field_put(out, "to", job->address.s);
    field_put_number(out, "size", message->header.mlen);
    field_put(out, "for", "deliver");
    frame_end(out, start);
}

/* The job of a call that is over; its connection is closed. */
static int take_job(struct scheduler *scheduler, struct route_call *call)
{
    int job = call->job;
    service_disconnect(&call->channel);
    call->job = NOTHING;
    scheduler->n_routes--;
    return job;
}

static void fail_call(struct scheduler *scheduler, struct route_call *call, const struct send_reply *reply)
{
    end_job_reply(scheduler, take_job(scheduler, call), reply);
}

static struct route_call *free_call(struct scheduler *scheduler)
{
    int i = 0;
    while (scheduler->routes[i].job != NOTHING) {
        i++;
    }
    return &scheduler->routes[i];
}

static bool ask(struct scheduler *scheduler, int job)
{
    int fd = service_connect(&scheduler->rcpt, scheduler->now_ms);
    if (fd < 0) {
        job_queue_put_back(scheduler, &scheduler->unrouted, job);
        return false;
    }
    struct route_call *call = free_call(scheduler);
    service_use(&call->channel, fd);
    call->job = job;
    call->deadline_ms = scheduler->now_ms + ROUTE_MS;
    scheduler->n_routes++;
    put_question(scheduler, &call->channel.outbox, &scheduler->jobs[job]);
    if (channel_flush_now(&call->channel) != 1) { /* a fresh socket takes a question whole, or is dead */
        fail_call(scheduler, call, &send_rcpt_closed);
    }
    return true;
}

/* The frame for local: the job's own fields, then what rcptd said. */
static void put_recipient(struct job *job, const char *fields, size_t n)
{
    stralloc *out = &job->frame;
    out->len = 0;
    size_t start = frame_begin(out, 'R');
    field_put_number(out, "n", job->n);
    field_put(out, "orig", job->address.s);
    str_cat(out, fields, n);
    frame_end(out, start);
}

static void take_folder(struct scheduler *scheduler, int index, const struct fields *fields)
{
    static const char *const passed_on[] = {"kind", "home", "quota", "user", "local", "dash", "ext", "flags"};
    struct job *job = &scheduler->jobs[index];
    stralloc folder = STRALLOC_ZERO;
    for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++) {
        field_put(&folder, passed_on[i], fields_get(fields, passed_on[i]));
    }
    known_put(scheduler->known, &job->address, folder.s, folder.len, scheduler->now_ms);
    put_recipient(job, folder.s, folder.len);
    stralloc_free(&folder);
}

static bool is_known(struct scheduler *scheduler, int index)
{
    struct job *job = &scheduler->jobs[index];
    /* Mail that waited is asked about anew: its mailbox may have gone meanwhile, and local would make the folder again. */
    bool is_old = scheduler->messages[job->message].is_old;
    const stralloc *folder = is_old ? NULL : known_find(scheduler->known, &job->address, scheduler->now_ms);
    if (folder == NULL) {
        return false;
    }
    put_recipient(job, folder->s, folder->len);
    job_queue_put(scheduler, &scheduler->routed, index);
    return true;
}

void route_pump(struct scheduler *scheduler)
{
    int job;
    uint64_t stale = service_stale_before(&scheduler->rcpt, scheduler->now_ms);
    while (stale > 0 && (job = job_queue_take_stale(scheduler, &scheduler->unrouted, stale)) != NOTHING) {
        end_job_reply(scheduler, job, &send_rcpt_down);
    }
    while (scheduler->n_routes < ROUTES_MAX && !scheduler->is_stopping &&
           (job = job_queue_take(scheduler, &scheduler->unrouted, true)) != NOTHING) {
        if (scheduler->messages[scheduler->jobs[job].message].wish == WISH_FAIL) {
            end_job_reply(scheduler, job, &send_given_up);
        } else if (!is_known(scheduler, job) && !ask(scheduler, job)) {
            return;
        }
    }
}

static void take_verdict(struct scheduler *scheduler, struct route_call *call, const struct frame *frame)
{
    struct verdict verdict;
    if (!verdict_parse(frame->type, frame->payload, frame->len, &verdict) || verdict.letter == 'C') {
        fail_call(scheduler, call, &send_rcpt_strange);
        return;
    }
    int job = call->job;
    enum why why = why_from_word(fields_get(&verdict.fields, "why"));
    const char *kind = fields_get_or(&verdict.fields, "kind", "");
    if (verdict.letter == 'K' && strcmp(kind, "remote") != 0) {
        take_folder(scheduler, job, &verdict.fields);
        (void)take_job(scheduler, call);
        job_queue_put(scheduler, &scheduler->routed, job);
    } else if (verdict.letter == 'K') {
        (void)take_job(scheduler, call);
        end_starting(scheduler, job, "remote");
        end_job_reply(scheduler, job, &send_no_route);
    } else if (why == WHY_bad_request) { /* a fault between two programs must not cost a mail */
        fail_call(scheduler, call, &send_rcpt_strange);
    } else {
        end_starting(scheduler, job, "local");
        stralloc text = STRALLOC_ZERO;
        send_refusal_append(&text, why, verdict.text);
        (void)take_job(scheduler, call);
        end_job(scheduler, job, verdict.letter, str_text(&text), why);
        stralloc_free(&text);
    }
}

unsigned route_poll(const struct scheduler *scheduler, struct pollfd *list, int *which)
{
    unsigned n = 0;
    for (int i = 0; scheduler->n_routes > 0 && i < ROUTES_MAX; i++) {
        if (scheduler->routes[i].job != NOTHING) {
            which[n] = i;
            list[n++] = (struct pollfd){.fd = scheduler->routes[i].channel.in, .events = POLLIN};
        }
    }
    return n;
}

void route_ready(struct scheduler *scheduler, int index)
{
    struct route_call *call = &scheduler->routes[index];
    struct frame frame;
    if (call->job == NOTHING) {
        return;
    }
    enum channel_result result = channel_fill_now(&call->channel);
    if (result == CHANNEL_FRAME) {
        result = channel_next(&call->channel, &frame);
    }
    switch (result) {
    case CHANNEL_FRAME:
        take_verdict(scheduler, call, &frame);
        return;
    case CHANNEL_TIMEOUT:
        return;
    case CHANNEL_BAD:
        fail_call(scheduler, call, &send_rcpt_strange);
        return;
    case CHANNEL_EOF:
    case CHANNEL_ERROR:
        fail_call(scheduler, call, &send_rcpt_closed);
        return;
    }
}

void route_expire(struct scheduler *scheduler)
{
    for (int i = 0; scheduler->n_routes > 0 && i < ROUTES_MAX; i++) {
        struct route_call *call = &scheduler->routes[i];
        if (call->job != NOTHING && call->deadline_ms <= scheduler->now_ms) {
            fail_call(scheduler, call, &send_rcpt_late);
        }
    }
}

uint64_t route_timeout(const struct scheduler *scheduler)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; scheduler->n_routes > 0 && i < ROUTES_MAX; i++) {
        const struct route_call *call = &scheduler->routes[i];
        uint64_t left = call->deadline_ms > scheduler->now_ms ? call->deadline_ms - scheduler->now_ms : 0;
        least = call->job != NOTHING && left < least ? left : least;
    }
    bool waits = scheduler->unrouted.line[LINE_FRESH].n + scheduler->unrouted.line[LINE_OLD].n > 0;
    uint64_t wait = service_wait_ms(&scheduler->rcpt, scheduler->now_ms);
    return waits && !scheduler->is_stopping && wait < least ? wait : least;
}
