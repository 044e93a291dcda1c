/* SPDX-License-Identifier: ISC */
/* What serve.c and serve_members.c share: the server's parent. */
#ifndef SERVE_STATE_H
#define SERVE_STATE_H

#include <signal.h>
#include <stdint.h>
#include "serve.h"

enum { SERVE_ALLOWED_MAX = 32 };

struct serve_child {
    pid_t pid;
    unsigned slot; /* a member's byte in `idle` */
    struct serve_peer peer;
};

struct serve_state {
    const struct serve *server;
    unsigned limit_all, limit_peer, members;
    uid_t allowed[SERVE_ALLOWED_MAX];
    unsigned n_allowed;
    bool only_print;
    int nothing; /* /dev/null, opened before the sandbox: what a member has on fd 0 and 1 between two calls */
    struct serve_child *children;
    size_t n_children, room;
    char *idle;       /* shared with the members: 1 for each that waits for a call; NULL without members */
    unsigned n_slots; /* bytes of idle */
    bool has_crashed; /* a member has died other than by leaving */
    uint64_t limit_logged_ms, refused_logged_ms;
    sigset_t open_mask; /* signals as they were: for poll, and for children */
};

extern volatile sig_atomic_t serve_got_term, serve_got_hup;

void serve_on_signal(int signal_number);
void serve_set_handler(int signal_number, void (*handler)(int));
/* In a child: signals as they were before the server took them. */
void serve_give_back_signals(const struct serve_state *state);
bool serve_is_allowed(struct serve_state *state, const struct serve_peer *peer);
void serve_refresh(const struct serve_state *state, bool now);
void serve_reap(struct serve_state *state);
struct serve_child *serve_remember(struct serve_state *state, pid_t pid, const struct serve_peer *peer);
void serve_hear_signals(const sigset_t *open_mask);

/* Before the sandbox: what members need open. */
void serve_prepare_members(struct serve_state *state);
/* Until SIGTERM. */
void serve_member_loop(struct serve_state *state);

#endif
