/* SPDX-License-Identifier: ISC */
/* One pass: what is new, what is due, who is asked, who delivers; then the log, then a wait until something happens. Nothing in a
 * pass waits for anybody but the disk. Waits are at most a minute by the monotonic clock, so a wall clock that is set matters for
 * a minute at most. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "queue/send_bounce.h"
#include "queue/send_ctl.h"
#include "queue/send_end.h"
#include "queue/send_local.h"
#include "queue/send_loop.h"
#include "queue/send_message.h"
#include "queue/send_route.h"
#include "queue/send_times.h"
#include "queue/send_try.h"

enum { WAIT_MS = 60000, EXPIRE_MS = 100, CLOCK_STEP_S = 5, POLLS_MAX = 2 + CTL_MAX + WORKERS_MAX + ROUTES_MAX };

static volatile sig_atomic_t got_stop, got_refresh, got_all, got_child;

static void on_signal(int number)
{
    switch (number) {
    case SIGTERM:
        got_stop = 1;
        break;
    case SIGHUP:
        got_refresh = 1;
        break;
    case SIGALRM:
        got_all = 1;
        break;
    default:
        got_child = 1;
    }
}

void loop_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaddset(&action.sa_mask, SIGTERM);
    (void)sigaddset(&action.sa_mask, SIGHUP);
    (void)sigaddset(&action.sa_mask, SIGALRM);
    (void)sigaddset(&action.sa_mask, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &action.sa_mask, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)sigaction(SIGCHLD, &action, NULL);
}

static bool is_any(const void *ctx, const struct waiting *entry)
{
    (void)ctx;
    (void)entry;
    return true;
}

static bool is_for_service(const void *ctx, const struct waiting *entry)
{
    (void)ctx;
    return entry->why == WHY_service;
}

/* Both clocks; a wall clock that was set back must not leave mail waiting for the old future. */
static void tell_time(struct scheduler *scheduler)
{
    uint64_t wall_s = clock_wall_us() / 1000000, monotonic_ms = clock_monotonic_ms();
    uint64_t expected_s = scheduler->now_s + (monotonic_ms - scheduler->now_ms) / 1000;
    bool is_set_back = scheduler->now_s == 0 || wall_s + CLOCK_STEP_S < expected_s;
    scheduler->now_ms = monotonic_ms;
    scheduler->now_s = wall_s;
    if (is_set_back) {
        size_t n = waiting_heal_clock(&scheduler->later, wall_s, times_longest_delay(scheduler->settings.queuelifetime));
        if (n > 0) {
            log_event("clock", "messages=%zu reason=%s", n, "they were to wait longer than any delay is: the clock was set back");
        }
    }
}

static void take_signals(struct scheduler *scheduler, void (*refresh)(struct scheduler *scheduler, bool now))
{
    if (got_stop) {
        scheduler->is_stopping = true;
    }
    refresh(scheduler, got_refresh != 0);
    got_refresh = 0;
    if (got_all) {
        got_all = 0;
        log_event("retry", "messages=%zu reason=%s", waiting_hurry(&scheduler->later, is_any, NULL), "SIGALRM");
    }
    if (got_child) {
        got_child = 0;
        send_bounce_reap(scheduler);
    }
    if (scheduler->rcpt.came_back || scheduler->local.came_back) {
        scheduler->rcpt.came_back = scheduler->local.came_back = false;
        (void)waiting_hurry(&scheduler->later, is_for_service, NULL);
    }
}

static void expire(struct scheduler *scheduler)
{
    if (scheduler->now_ms - scheduler->expired_ms >= EXPIRE_MS) {
        scheduler->expired_ms = scheduler->now_ms;
        route_expire(scheduler);
        local_expire(scheduler);
        ctl_expire(scheduler);
    }
}

/* New tries and their jobs give each other room, so they take turns until nothing moves. */
static void work(struct scheduler *scheduler)
{
    spool_scan(&scheduler->spool, &scheduler->fresh, scheduler->now_ms);
    try_begin_more(scheduler);
    route_pump(scheduler);
    local_pump(scheduler);
    send_bounce_pump(scheduler);
    end_sync_marks(scheduler);
    spool_clean(&scheduler->spool, scheduler->now_ms, scheduler->now_s);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Until old mail is due, where it may begin at all: without room an end of a try wakes the loop. */
static uint64_t until_due_ms(const struct scheduler *scheduler)
{
    uint64_t due_s = waiting_next_due(&scheduler->later);
    if (scheduler->n_old >= try_old_limit(scheduler->messages_limit)) {
        return WAIT_MS;
    }
    if (scheduler->again.n > 0 || due_s <= scheduler->now_s) {
        return 0;
    }
    return due_s - scheduler->now_s > WAIT_MS / 1000 ? WAIT_MS : (due_s - scheduler->now_s) * 1000;
}

static uint64_t timeout_ms(const struct scheduler *scheduler)
{
    uint64_t wait = least(WAIT_MS, least(route_timeout(scheduler), local_timeout(scheduler)));
    if (!scheduler->is_stopping && scheduler->n_messages < scheduler->messages_limit) {
        uint64_t pause = scheduler->pause_ms > scheduler->now_ms ? scheduler->pause_ms - scheduler->now_ms : 0;
        uint64_t begin = scheduler->fresh.n > 0 ? 0 : until_due_ms(scheduler);
        wait = least(wait, begin > pause ? begin : pause);
    }
    if (scheduler->n_ctl > 0 || scheduler->spool.is_cur_dirty || scheduler->n_dirty > 0) {
        wait = least(wait, 1000);
    }
    return wait;
}

struct polls {
    struct pollfd list[POLLS_MAX];
    int which[POLLS_MAX];
    unsigned n_routes, n_workers, n_ctl;
};

static unsigned fill(const struct scheduler *scheduler, struct polls *polls)
{
    unsigned n = 1;
    polls->list[0] = (struct pollfd){.fd = scheduler->spool.trigger, .events = POLLIN};
    n += polls->n_routes = route_poll(scheduler, polls->list + n, polls->which + n);
    n += polls->n_workers = local_poll(scheduler, polls->list + n, polls->which + n);
    n += polls->n_ctl = ctl_poll(scheduler, polls->list + n, polls->which + n);
    return n;
}

/* Calls `ready` for those of n places from `at` on that have news; returns the place behind them. */
static unsigned tell(struct scheduler *scheduler, const struct polls *polls, unsigned at, unsigned n,
                     void (*ready)(struct scheduler *scheduler, int which))
{
    for (unsigned end = at + n; at < end; at++) {
        if (polls->list[at].revents != 0) {
            ready(scheduler, polls->which[at]);
        }
    }
    return at;
}

static void serve(struct scheduler *scheduler, const struct polls *polls)
{
    if (polls->list[0].revents != 0) {
        spool_read_trigger(&scheduler->spool, &scheduler->fresh);
    }
    unsigned at = tell(scheduler, polls, 1, polls->n_routes, route_ready);
    at = tell(scheduler, polls, at, polls->n_workers, local_ready);
    (void)tell(scheduler, polls, at, polls->n_ctl, ctl_ready);
}

static void wait_and_serve(struct scheduler *scheduler)
{
    static struct polls polls;
    sigset_t none, blocked;
    uint64_t wait = timeout_ms(scheduler);
    struct timespec timeout = {.tv_sec = (time_t)(wait / 1000), .tv_nsec = (long)(wait % 1000) * 1000000};
    (void)sigemptyset(&none);
    unsigned n_polls = fill(scheduler, &polls);
    int n = ppoll(polls.list, n_polls, &timeout, &none);
    (void)sigprocmask(SIG_SETMASK, &none, &blocked); /* a poll that finds something ready lets no signal in */
    (void)sigprocmask(SIG_SETMASK, &blocked, NULL);
    tell_time(scheduler);
    if (n > 0) {
        serve(scheduler, &polls);
    } else if (n < 0 && errno != EINTR) {
        log_event("alert", "call=%s error=%s", "ppoll", strerror(errno));
    }
    if (n == 0 || scheduler->n_messages == 0) {
        spool_sync_cur(&scheduler->spool, scheduler->now_ms);
    }
}

void loop_run(struct scheduler *scheduler, void (*refresh)(struct scheduler *scheduler, bool now))
{
    tell_time(scheduler);
    send_log_flush(&scheduler->log);
    for (;;) {
        take_signals(scheduler, refresh);
        expire(scheduler);
        work(scheduler);
        if (scheduler->is_stopping && scheduler->n_busy == 0 && scheduler->n_bounces == 0) {
            break;
        }
        send_log_flush(&scheduler->log);
        wait_and_serve(scheduler);
    }
    for (int i = 0; i < MESSAGES_MAX; i++) {
        message_sync(scheduler, &scheduler->messages[i]);
    }
    spool_sync_cur(&scheduler->spool, UINT64_MAX);
    send_log_exiting(&scheduler->log);
    send_log_flush(&scheduler->log);
}
