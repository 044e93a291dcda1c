/* SPDX-License-Identifier: ISC */
/* Kept members: each accepts by itself, one call after the other. A server that grows starts one more when none is idle, so a
 * slow caller keeps nobody waiting; those beyond -p leave when the rush is over. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"
#include "die.h"
#include "log.h"
#include "serve_peer.h"
#include "serve_state.h"

enum { FD_FLOOR = 10, PAUSE_MS = 1000, CALLS_MAX = 1000 };

static unsigned count_idle(const struct serve_state *state)
{
    unsigned n = 0;
    for (unsigned i = 0; i < state->n_slots; i++) {
        n += __atomic_load_n(&state->idle[i], __ATOMIC_RELAXED) != 0;
    }
    return n;
}

static bool is_any_idle(const struct serve_state *state)
{
    for (unsigned i = 0; i < state->n_slots; i++) {
        if (__atomic_load_n(&state->idle[i], __ATOMIC_RELAXED) != 0) {
            return true;
        }
    }
    return false;
}

static void set_idle(const struct serve_state *state, unsigned slot, bool is_idle)
{
    __atomic_store_n(&state->idle[slot], is_idle, __ATOMIC_SEQ_CST);
}

static void serve_call(struct serve_state *state, int fd, struct serve_peer *peer)
{
    sigset_t between;
    sigemptyset(&between);
    sigaddset(&between, SIGTERM);
    sigaddset(&between, SIGHUP);
    sigprocmask(SIG_BLOCK, &between, NULL);
    serve_refresh(state, serve_got_hup);
    serve_got_hup = 0;
    dup2(fd, 0);
    dup2(fd, 1);
    close(fd);
    state->server->session(peer);
    dup2(state->nothing, 0);
    dup2(state->nothing, 1);
    sigprocmask(SIG_UNBLOCK, &between, NULL);
}

/* One call after the other, signals only between two; not without its parent. The listener lies above the descriptors of the
 * session. */
static _Noreturn void run_member(struct serve_state *state, int listener, unsigned slot, pid_t parent)
{
    bool grows = state->server->grows;
    for (unsigned calls = 0; getppid() == parent && (!grows || (calls < CALLS_MAX && count_idle(state) <= state->members));) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        struct serve_peer peer;
        if (fd < 0 || !serve_peer_of_socket(fd, &peer) || !serve_is_allowed(state, &peer)) {
            if (fd >= 0) {
                close(fd);
            }
            continue;
        }
        set_idle(state, slot, false);
        if (grows && !is_any_idle(state)) {
            kill(parent, SIGUSR1);
        }
        serve_call(state, fd, &peer);
        set_idle(state, slot, true);
        calls++;
    }
    exit(0);
}

static unsigned free_slot(const struct serve_state *state)
{
    for (unsigned slot = 0; slot < state->n_slots; slot++) {
        bool is_taken = false;
        for (size_t i = 0; i < state->n_children && !is_taken; i++) {
            is_taken = state->children[i].slot == slot;
        }
        if (!is_taken) {
            return slot;
        }
    }
    return 0; /* not reached: there are never more children than slots */
}

static bool start_member(struct serve_state *state, int listener)
{
    unsigned slot = free_slot(state);
    set_idle(state, slot, true);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        serve_give_back_signals(state);
        serve_set_handler(SIGHUP, serve_on_signal);
        run_member(state, listener, slot, parent);
    }
    if (pid < 0) {
        set_idle(state, slot, false);
        log_event_rarely(&state->limit_logged_ms, "limit", "service=%s which=processes in-use=%zu error=%s", state->server->name,
                         state->n_children, strerror(errno));
        return false;
    }
    struct serve_peer nobody = {.is_unix = true};
    serve_remember(state, pid, &nobody)->slot = slot;
    return true;
}

static void tell_members(const struct serve_state *state, int signal_number)
{
    for (size_t i = 0; i < state->n_children; i++) {
        kill(state->children[i].pid, signal_number);
    }
}

void serve_prepare_members(struct serve_state *state)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    state->nothing = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_FLOOR);
    state->n_slots = state->server->grows && state->limit_all > state->members ? state->limit_all : state->members;
    state->idle = mmap(NULL, state->n_slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (state->nothing < 0 || state->idle == MAP_FAILED) {
        die_temporary("members cannot be started: %s", strerror(errno));
    }
    close(fd);
}

/* True while members are missing that could not be started now. */
static bool start_missing(struct serve_state *state, int listener, uint64_t *crashed_ms)
{
    uint64_t now = clock_monotonic_ms();
    if (state->has_crashed) {
        *crashed_ms = now;
        state->has_crashed = false;
    }
    while (state->n_children < state->members || (state->server->grows && !is_any_idle(state))) {
        if (state->n_children == state->n_slots) {
            log_event_rarely(&state->limit_logged_ms, "limit", "service=%s which=connections in-use=%zu of=%u",
                             state->server->name, state->n_children, state->n_slots);
            return false;
        }
        bool must_pause = *crashed_ms != 0 && now - *crashed_ms < PAUSE_MS; /* no storm of forks that die */
        if (must_pause || !start_member(state, listener)) {
            return true;
        }
    }
    return false;
}

void serve_member_loop(struct serve_state *state)
{
    int listener = fcntl(0, F_DUPFD_CLOEXEC, FD_FLOOR);
    fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) & ~O_NONBLOCK);
    uint64_t crashed_ms = 0;
    bool was_told = false;
    while (!serve_got_term || state->n_children > 0) {
        bool is_short = !serve_got_term && start_missing(state, listener, &crashed_ms);
        struct timespec pause = {.tv_sec = 1};
        ppoll(NULL, 0, is_short ? &pause : NULL, &state->open_mask);
        serve_hear_signals(&state->open_mask);
        serve_reap(state);
        if (serve_got_hup) {
            tell_members(state, SIGHUP);
            serve_got_hup = 0;
        }
        if (serve_got_term && !was_told) {
            tell_members(state, SIGTERM);
            was_told = true;
        }
    }
}
