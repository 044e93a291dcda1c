/* SPDX-License-Identifier: ISC */
/* A worker that dies, answers nonsense or is late costs its recipients a deferral and itself the connection; it can neither fail
 * nor lose a mail. Old mail never takes more than three quarters of the workers. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/str.h"
#include "queue/send_end.h"
#include "queue/send_job.h"
#include "queue/send_local.h"
#include "queue/send_message.h"
#include "queue/send_reply.h"
#include "queue/send_service.h"
#include "queue/send_try.h"

enum { DELIVERIES_MAX = 1000, IDLE_MS = 45000 };

void local_init(struct scheduler *scheduler)
{
    scheduler->local = (struct service){.path = "sockets/local", .name = "local"};
    scheduler->workers = memory_get(WORKERS_MAX, sizeof *scheduler->workers);
    for (int i = 0; i < WORKERS_MAX; i++) {
        channel_init(&scheduler->workers[i].channel, -1, -1);
        scheduler->workers[i].message = NOTHING;
        scheduler->workers[i].message_fd = -1;
    }
}

/* Takes it off the idle ones. */
static void drop_idle(struct scheduler *scheduler, int index)
{
    for (unsigned i = 0; i < scheduler->n_idle; i++) {
        if (scheduler->idle[i] == index) {
            memmove(&scheduler->idle[i], &scheduler->idle[i + 1], (scheduler->n_idle - i - 1) * sizeof scheduler->idle[0]);
            scheduler->n_idle--;
            return;
        }
    }
}

static void disconnect(struct scheduler *scheduler, int index)
{
    drop_idle(scheduler, index);
    service_disconnect(&scheduler->workers[index].channel);
    scheduler->n_workers--;
}

/* The call is over; the worker is busy no more, and neither idle yet. */
static void end_call(struct scheduler *scheduler, struct worker *worker)
{
    if (worker->message_fd >= 0) {
        close(worker->message_fd);
        worker->message_fd = -1;
    }
    worker->message = NOTHING;
    scheduler->n_busy--;
    scheduler->n_busy_old -= worker->is_old;
    scheduler->log.local = scheduler->n_busy;
}

/* What was not answered is deferred, with this reason. */
static void end_jobs(struct scheduler *scheduler, struct worker *worker, const struct send_reply *reply)
{
    unsigned n = worker->n_jobs;
    worker->n_jobs = 0;
    for (unsigned i = 0; i < n; i++) {
        if (worker->jobs[i] != NOTHING) {
            end_job_reply(scheduler, worker->jobs[i], reply);
        }
    }
}

static void fail_worker(struct scheduler *scheduler, int index, const struct send_reply *reply)
{
    struct worker *worker = &scheduler->workers[index];
    bool was_busy = worker->message != NOTHING;
    disconnect(scheduler, index);
    if (was_busy) {
        end_call(scheduler, worker);
        log_event("worker-lost", "service=%s reason=%s", "local", reply->text);
        end_jobs(scheduler, worker, reply);
    }
}

/* It ended while it was idle, as far as one can see, and the call was meant for nobody: once, another one gets it. */
static bool may_ask_another(const struct scheduler *scheduler, const struct worker *worker)
{
    bool is_fresh = worker->message != NOTHING && worker->deliveries > worker->n_jobs;
    for (unsigned i = 0; i < worker->n_jobs; i++) {
        is_fresh = is_fresh && worker->jobs[i] != NOTHING && !scheduler->jobs[worker->jobs[i]].is_second;
    }
    return is_fresh;
}

static void lose_worker(struct scheduler *scheduler, int index)
{
    struct worker *worker = &scheduler->workers[index];
    if (!may_ask_another(scheduler, worker)) {
        fail_worker(scheduler, index, &send_local_closed);
        return;
    }
    for (unsigned i = worker->n_jobs; i > 0; i--) {
        scheduler->jobs[worker->jobs[i - 1]].is_second = true;
        job_queue_put_back(scheduler, &scheduler->routed, worker->jobs[i - 1]);
    }
    worker->n_jobs = 0;
    disconnect(scheduler, index);
    end_call(scheduler, worker);
}

static void go_idle(struct scheduler *scheduler, int index)
{
    struct worker *worker = &scheduler->workers[index];
    end_call(scheduler, worker);
    if (worker->deliveries >= DELIVERIES_MAX || scheduler->n_workers > scheduler->settings.concurrencylocal) {
        disconnect(scheduler, index);
        return;
    }
    worker->deadline_ms = scheduler->now_ms + IDLE_MS;
    scheduler->idle[scheduler->n_idle++] = index;
}

/* An idle worker, else a new one; NOTHING: not now. A second try gets a new one: that one cannot have ended unseen. */
static int find_worker(struct scheduler *scheduler, bool must_be_new)
{
    if (must_be_new && scheduler->n_idle > 0 && scheduler->n_workers >= scheduler->settings.concurrencylocal) {
        disconnect(scheduler, scheduler->idle[0]);
    }
    if (!must_be_new && scheduler->n_idle > 0) {
        return scheduler->idle[--scheduler->n_idle];
    }
    if (scheduler->n_workers >= scheduler->settings.concurrencylocal || scheduler->n_workers == WORKERS_MAX) {
        return NOTHING;
    }
    int fd = service_connect(&scheduler->local, scheduler->now_ms);
    if (fd < 0) {
        return NOTHING;
    }
    int index = 0;
    while (scheduler->workers[index].channel.in >= 0) {
        index++;
    }
    service_use(&scheduler->workers[index].channel, fd);
    scheduler->workers[index].deliveries = 0;
    scheduler->n_workers++;
    return index;
}

static void put_call(struct scheduler *scheduler, struct worker *worker)
{
    const struct message *message = &scheduler->messages[worker->message];
    stralloc *out = &worker->channel.outbox;
    size_t start = frame_begin(out, 'Q');
    field_put(out, "op", "deliver");
    field_put(out, "id", message->id);
    field_put(out, "from", message->sender.s);
    field_put_number(out, "moff", spoolfile_message_at());
    field_put_number(out, "mlen", message->header.mlen);
    field_put(out, "body", (message->header.flags & SPOOLFILE_8BIT) != 0 ? "8BITMIME" : NULL);
    field_put(out, "utf8", (message->header.flags & SPOOLFILE_UTF8) != 0 ? "1" : NULL);
    /* Only where the unlink follows at once: nobody waits, nobody's failure is to be reported (CONTRACTS section 3, step 6). */
    field_put(out, "last", message->waiting == 1 && message->failed == 0 ? "1" : NULL);
    frame_end(out, start);
    for (unsigned i = 0; i < worker->n_jobs; i++) {
        const struct job *job = &scheduler->jobs[worker->jobs[i]];
        str_cat(out, job->frame.s, job->frame.len);
    }
    frame_put(out, 'E', "", 0);
}

/* How many recipients one call carries: one, so that they run side by side, but several where a message has very many. */
static unsigned batch_size(const struct scheduler *scheduler, const struct message *message)
{
    uint64_t share = message->waiting / (scheduler->settings.concurrencylocal * 4);
    return share < 1 ? 1 : share > BATCH_MAX ? BATCH_MAX : (unsigned)share;
}

static void fill_batch(struct scheduler *scheduler, struct worker *worker, int job)
{
    unsigned most = batch_size(scheduler, &scheduler->messages[worker->message]);
    worker->n_jobs = 0;
    while (job != NOTHING) {
        worker->jobs[worker->n_jobs++] = job;
        worker->deliveries++;
        if (scheduler->jobs[job].delivery == 0) {
            end_starting(scheduler, job, "local");
        }
        job = worker->n_jobs < most && worker->deliveries < DELIVERIES_MAX
                  ? job_queue_take_same(scheduler, &scheduler->routed, worker->message)
                  : NOTHING;
    }
}

/* A message of one recipient gives its own descriptor, another a fresh one for each call: locks and offsets are per opening. */
static int call_descriptor(struct scheduler *scheduler, struct worker *worker)
{
    const struct message *message = &scheduler->messages[worker->message];
    if (message->header.n == 1) {
        return message->fd;
    }
    worker->message_fd = message_descriptor(scheduler, message);
    return worker->message_fd;
}

static void start_call(struct scheduler *scheduler, int index, int job)
{
    struct worker *worker = &scheduler->workers[index];
    worker->message = scheduler->jobs[job].message;
    worker->is_old = scheduler->messages[worker->message].is_old;
    scheduler->n_busy++;
    scheduler->n_busy_old += worker->is_old;
    scheduler->log.local = scheduler->n_busy;
    fill_batch(scheduler, worker, job);
    int fd = call_descriptor(scheduler, worker);
    if (fd < 0) {
        log_event("alert", "id=%s error=%s", scheduler->messages[worker->message].id, strerror(errno));
        struct worker copy = *worker;
        go_idle(scheduler, index);
        end_jobs(scheduler, &copy, &send_unreadable);
        return;
    }
    worker->deadline_ms = scheduler->now_ms + scheduler->settings.timeoutlocal * 1000;
    put_call(scheduler, worker);
    channel_attach_fd(&worker->channel, fd);
    if (channel_flush_now(&worker->channel) >= 0) {
        return;
    }
    lose_worker(scheduler, index);
}

void local_pump(struct scheduler *scheduler)
{
    int job;
    unsigned limit = (unsigned)scheduler->settings.concurrencylocal;
    uint64_t stale = service_stale_before(&scheduler->local, scheduler->now_ms);
    while (stale > 0 && (job = job_queue_take_stale(scheduler, &scheduler->routed, stale)) != NOTHING) {
        end_job_reply(scheduler, job, &send_local_down);
    }
    while (!scheduler->is_stopping && scheduler->n_busy < limit) {
        bool may_be_old = scheduler->n_busy_old < try_old_limit(limit);
        job = job_queue_take(scheduler, &scheduler->routed, may_be_old);
        if (job == NOTHING) {
            return;
        }
        int index = find_worker(scheduler, scheduler->jobs[job].is_second);
        if (index == NOTHING) {
            job_queue_put_back(scheduler, &scheduler->routed, job);
            return;
        }
        start_call(scheduler, index, job);
    }
}

/* False: no answer to anything that was asked. */
static bool take_recipient(struct scheduler *scheduler, struct worker *worker, const struct frame *frame)
{
    struct verdict verdict;
    uint64_t n;
    if (!verdict_parse_numbered(frame->payload, frame->len, &n, &verdict) || verdict.letter == 'C') {
        return false;
    }
    for (unsigned i = 0; i < worker->n_jobs; i++) {
        int job = worker->jobs[i];
        if (job != NOTHING && scheduler->jobs[job].n == n) {
            worker->jobs[i] = NOTHING;
            worker->deadline_ms = scheduler->now_ms + scheduler->settings.timeoutlocal * 1000;
            end_job(scheduler, job, verdict.letter, verdict.text, why_from_word(fields_get(&verdict.fields, "why")));
            return true;
        }
    }
    return false;
}

/* True: the worker can go on. */
static bool take_frame(struct scheduler *scheduler, int index, const struct frame *frame)
{
    struct worker *worker = &scheduler->workers[index];
    if (worker->message != NOTHING && frame->type == 'P' && take_recipient(scheduler, worker, frame)) {
        return true;
    }
    if (worker->message == NOTHING || frame->type != 'K') {
        fail_worker(scheduler, index, &send_local_strange);
        return false;
    }
    go_idle(scheduler, index);
    end_jobs(scheduler, worker, &send_local_strange);
    return worker->channel.in >= 0;
}

unsigned local_poll(const struct scheduler *scheduler, struct pollfd *list, int *which)
{
    unsigned n = 0;
    for (int i = 0; n < scheduler->n_workers && i < WORKERS_MAX; i++) {
        const struct worker *worker = &scheduler->workers[i];
        if (worker->channel.in >= 0) {
            which[n] = i;
            list[n++] = (struct pollfd){.fd = worker->channel.in,
                                        .events = (short)(worker->channel.outbox.len > 0 ? POLLIN | POLLOUT : POLLIN)};
        }
    }
    return n;
}

void local_ready(struct scheduler *scheduler, int index)
{
    struct worker *worker = &scheduler->workers[index];
    struct frame frame;
    if (worker->channel.in < 0) {
        return;
    }
    if (worker->channel.outbox.len > 0 && channel_flush_now(&worker->channel) < 0) {
        lose_worker(scheduler, index);
        return;
    }
    enum channel_result result = channel_fill_now(&worker->channel);
    while (result == CHANNEL_FRAME && (result = channel_next(&worker->channel, &frame)) == CHANNEL_FRAME) {
        if (!take_frame(scheduler, index, &frame)) {
            return;
        }
    }
    if (result == CHANNEL_BAD) {
        fail_worker(scheduler, index, &send_local_strange);
    } else if (result == CHANNEL_EOF || result == CHANNEL_ERROR) {
        lose_worker(scheduler, index);
    }
}

void local_expire(struct scheduler *scheduler)
{
    unsigned seen = 0;
    for (int i = 0; seen < scheduler->n_workers && i < WORKERS_MAX; i++) {
        const struct worker *worker = &scheduler->workers[i];
        seen += worker->channel.in >= 0;
        if (worker->channel.in >= 0 && worker->deadline_ms <= scheduler->now_ms) {
            fail_worker(scheduler, i, &send_local_late);
        }
    }
}

uint64_t local_timeout(const struct scheduler *scheduler)
{
    uint64_t least = UINT64_MAX;
    unsigned seen = 0;
    for (int i = 0; seen < scheduler->n_workers && i < WORKERS_MAX; i++) {
        const struct worker *worker = &scheduler->workers[i];
        if (worker->channel.in >= 0) {
            uint64_t left = worker->deadline_ms > scheduler->now_ms ? worker->deadline_ms - scheduler->now_ms : 0;
            least = left < least ? left : least;
            seen++;
        }
    }
    bool waits = scheduler->routed.line[LINE_FRESH].n + scheduler->routed.line[LINE_OLD].n > 0;
    uint64_t wait = service_wait_ms(&scheduler->local, scheduler->now_ms);
    return waits && !scheduler->is_stopping && wait < least ? wait : least;
}
