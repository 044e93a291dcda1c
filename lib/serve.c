/* SPDX-License-Identifier: ISC */
/* The loop of every server. The parent parses nothing that a client sends: it accepts, counts, forks. Connections are fresh forks
 * (or kept members), so a session's memory and faults end with it. */
#include "serve.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"
#include "die.h"
#include "log.h"
#include "scan.h"
#include "serve_peer.h"
#include "serve_state.h"
#include "str.h"

enum { ACCEPT_BATCH = 16, REAP_MS = 1000 };

volatile sig_atomic_t serve_got_term, serve_got_hup;

void serve_on_signal(int signal_number)
{
    if (signal_number == SIGTERM) {
        serve_got_term = 1;
    } else if (signal_number == SIGHUP) {
        serve_got_hup = 1;
    }
}

void serve_set_handler(int signal_number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigaction(signal_number, &action, NULL);
}

/* Signals are let in only while poll waits. */
static void take_signals(struct serve_state *state)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGHUP);
    sigaddset(&blocked, SIGCHLD);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &state->open_mask);
    sigdelset(&state->open_mask, SIGTERM);
    sigdelset(&state->open_mask, SIGHUP);
    sigdelset(&state->open_mask, SIGCHLD);
    sigdelset(&state->open_mask, SIGUSR1);
    serve_set_handler(SIGTERM, serve_on_signal);
    serve_set_handler(SIGHUP, serve_on_signal);
    serve_set_handler(SIGCHLD, serve_on_signal);
    serve_set_handler(SIGUSR1, serve_on_signal); /* of a member: no other is idle */
}

/* A poll that finds something ready lets no signal in: without this a busy server would never hear one. */
void serve_hear_signals(const sigset_t *open_mask)
{
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, open_mask, &blocked);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void serve_give_back_signals(const struct serve_state *state)
{
    serve_set_handler(SIGTERM, SIG_DFL);
    serve_set_handler(SIGHUP, SIG_IGN);
    serve_set_handler(SIGCHLD, SIG_DFL);
    serve_set_handler(SIGUSR1, SIG_DFL);
    sigprocmask(SIG_SETMASK, &state->open_mask, NULL);
}

/* Users of the house stand in /etc/passwd itself: no directory service is asked (which a static program could not). */
static bool find_user(const char *name, uint64_t *number)
{
    FILE *file = fopen("/etc/passwd", "re");
    const struct passwd *entry = NULL;
    while (file != NULL && (entry = fgetpwent(file)) != NULL && strcmp(entry->pw_name, name) != 0) {
    }
    *number = entry != NULL ? entry->pw_uid : 0;
    if (file != NULL) {
        fclose(file);
    }
    return entry != NULL;
}

static void allow(struct serve_state *state, const char *names)
{
    while (*names != '\0') {
        size_t n = strcspn(names, ",");
        char name[64];
        uint64_t number;
        if (n >= sizeof name || state->n_allowed == SERVE_ALLOWED_MAX) {
            die_permanent("-u takes at most %d names of less than %zu bytes", SERVE_ALLOWED_MAX, sizeof name);
        }
        memcpy(name, names, n);
        name[n] = '\0';
        if (!scan_decimal(name, n, UINT32_MAX - 1, &number) && !find_user(name, &number)) {
            die_temporary("-u: there is no user %s in /etc/passwd", name);
        }
        state->allowed[state->n_allowed++] = (uid_t)number;
        names += n + (names[n] == ',');
    }
}

static unsigned option_number(int letter, const char *text)
{
    uint64_t number;
    if (!scan_decimal_text(text, 1000000, &number)) {
        die_permanent("-%c needs a number, not %s", letter, text);
    }
    return (unsigned)number;
}

static void parse_options(struct serve_state *state, int argc, char *const *argv, const char *extra,
                          void (*on_option)(int letter, const char *value))
{
    char letters[64];
    snprintf(letters, sizeof letters, "+c:C:p:u:T%s", extra);
    int letter;
    while ((letter = getopt(argc, argv, letters)) != -1) {
        switch (letter) {
        case 'c':
            state->limit_all = option_number(letter, optarg);
            break;
        case 'C':
            state->limit_peer = option_number(letter, optarg);
            break;
        case 'p':
            state->members = option_number(letter, optarg);
            break;
        case 'u':
            allow(state, optarg);
            break;
        case 'T':
            state->only_print = true;
            break;
        default:
            if (letter == '?' || on_option == NULL) {
                die_permanent("usage: stafet-%s [-c connections] [-C per-peer] [-p members] [-u user,...] [-T]",
                              state->server->name);
            }
            on_option(letter, optarg);
        }
    }
}

bool serve_is_allowed(struct serve_state *state, const struct serve_peer *peer)
{
    if (!peer->is_unix || state->n_allowed == 0) {
        return true;
    }
    for (unsigned i = 0; i < state->n_allowed; i++) {
        if (state->allowed[i] == peer->uid) {
            return true;
        }
    }
    log_event_rarely(&state->refused_logged_ms, "refused-peer", "service=%s uid=%u pid=%d", state->server->name, peer->uid,
                     peer->pid);
    return false;
}

void serve_refresh(const struct serve_state *state, bool now)
{
    if (state->server->controls != NULL) {
        (void)control_refresh(state->server->controls, now);
    }
}

static void serve_one(struct serve_state *state)
{
    struct serve_peer peer;
    if (!serve_peer_of_socket(0, &peer)) {
        serve_peer_of_environment(&peer);
    }
    serve_peer_add_local(0, &peer);
    if (!serve_is_allowed(state, &peer)) {
        exit(100);
    }
    state->server->session(&peer);
}

static void note_death(const struct serve_state *state, const struct serve_child *child, int status)
{
    bool was_asked = serve_got_term && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM; /* a member between two calls */
    if (WIFSIGNALED(status) && !was_asked) {
        log_event("child-died", "service=%s pid=%d signal=%d peer=%s", state->server->name, child->pid, WTERMSIG(status),
                  child->peer.ip);
    }
}

static void forget(struct serve_state *state, pid_t pid, int status)
{
    for (size_t i = 0; i < state->n_children; i++) {
        if (state->children[i].pid != pid) {
            continue;
        }
        note_death(state, &state->children[i], status);
        if (state->idle != NULL) {
            state->idle[state->children[i].slot] = 0;
            state->has_crashed = state->has_crashed || status != 0;
        }
        state->children[i] = state->children[--state->n_children];
        return;
    }
}

void serve_reap(struct serve_state *state)
{
    int status;
    pid_t pid;
    while (state->n_children > 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
        forget(state, pid, status);
    }
}

struct serve_child *serve_remember(struct serve_state *state, pid_t pid, const struct serve_peer *peer)
{
    if (state->n_children == state->room) {
        state->room = state->room * 2 + 16;
        state->children = memory_grow(state->children, state->room, sizeof *state->children);
    }
    struct serve_child *child = &state->children[state->n_children++];
    *child = (struct serve_child){.pid = pid, .peer = *peer};
    return child;
}

static bool is_same_peer(const struct serve_peer *a, const struct serve_peer *b)
{
    return a->is_unix ? a->uid == b->uid : strcmp(a->ip, b->ip) == 0;
}

static unsigned count_peer(const struct serve_state *state, const struct serve_peer *peer)
{
    unsigned n = 0;
    for (size_t i = 0; i < state->n_children; i++) {
        n += is_same_peer(&state->children[i].peer, peer);
    }
    return n;
}

static bool is_full(const struct serve_state *state)
{
    return state->limit_all > 0 && state->n_children >= state->limit_all;
}

static bool is_crowded(const struct serve_state *state)
{
    return state->limit_all > 0 && state->n_children >= state->limit_all - state->limit_all / 5;
}

/* True when the connection may have a child; else it was turned away. */
static bool has_place(struct serve_state *state, const struct serve_peer *peer, int fd)
{
    bool peer_is_full = state->limit_peer > 0 && count_peer(state, peer) >= state->limit_peer;
    if (!is_full(state) && !peer_is_full) {
        return true;
    }
    log_event_rarely(&state->limit_logged_ms, "limit", "service=%s which=%s in-use=%zu of=%u peer=%s", state->server->name,
                     peer_is_full ? "per-peer" : "connections", state->n_children,
                     peer_is_full ? state->limit_peer : state->limit_all, peer->ip);
    if (state->server->refuse != NULL) {
        state->server->refuse(peer, fd);
    }
    return false;
}

static _Noreturn void run_child(struct serve_state *state, const struct serve_peer *peer, int fd)
{
    serve_give_back_signals(state);
    dup2(fd, 0);
    dup2(fd, 1);
    close(fd);
    state->server->session(peer);
    _exit(0); /* nothing of stdio waits here, and exit() costs a tenth of a short connection */
}

static void start_child(struct serve_state *state, struct serve_peer *peer, int fd)
{
    if (!serve_is_allowed(state, peer) || !has_place(state, peer, fd)) {
        close(fd);
        return;
    }
    peer->is_crowded = is_crowded(state);
    serve_peer_add_local(fd, peer); /* here, since each child would fetch the pages of libc's printf for it */
    pid_t pid = _Fork();            /* without the handlers of fork(): there is one thread, and it holds no lock */
    if (pid == 0) {
        run_child(state, peer, fd);
    }
    if (pid < 0) {
        log_event_rarely(&state->limit_logged_ms, "limit", "service=%s which=processes in-use=%zu error=%s", state->server->name,
                         state->n_children, strerror(errno));
        if (state->server->refuse != NULL) {
            state->server->refuse(peer, fd);
        }
    } else {
        serve_remember(state, pid, peer);
    }
    close(fd);
}

static void accept_some(struct serve_state *state)
{
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        if (is_full(state) && state->server->refuse == NULL) {
            return;
        }
        int fd = accept4(0, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                log_event_rarely(&state->limit_logged_ms, "limit", "service=%s which=accept error=%s", state->server->name,
                                 strerror(errno));
                poll(NULL, 0, 100);
            }
            return;
        }
        struct serve_peer peer;
        if (serve_peer_of_socket(fd, &peer)) {
            start_child(state, &peer, fd);
        } else {
            close(fd); /* gone already */
        }
    }
}

/* Children that ended are buried before each connection is taken, and once a second: to wake up for each would cost a twentieth
 * of a short connection. Their ends are heard at once where only they can bring anything. */
static void fork_loop(struct serve_state *state)
{
    static const struct timespec pause = {.tv_sec = REAP_MS / 1000, .tv_nsec = REAP_MS % 1000 * 1000000L};
    sigset_t busy_mask = state->open_mask;
    sigaddset(&busy_mask, SIGCHLD);
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    while (!serve_got_term || state->n_children > 0) {
        bool takes_more = !serve_got_term && (!is_full(state) || state->server->refuse != NULL);
        struct pollfd listener = {.fd = takes_more ? 0 : -1, .events = POLLIN};
        const sigset_t *mask = takes_more ? &busy_mask : &state->open_mask;
        int ready = ppoll(&listener, 1, takes_more && state->n_children > 0 ? &pause : NULL, mask);
        serve_hear_signals(mask);
        serve_reap(state);
        if (serve_got_hup || ready > 0) {
            serve_refresh(state, serve_got_hup);
            serve_got_hup = 0;
        }
        if (ready > 0) {
            accept_some(state);
        }
    }
}

static bool is_listening(int fd)
{
    int yes = 0;
    socklen_t n = sizeof yes;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 && yes != 0;
}

int serve(int argc, char *const *argv, const struct serve *server)
{
    return serve_with_options(argc, argv, server, "", NULL);
}

int serve_with_options(int argc, char *const *argv, const struct serve *server, const char *extra,
                       void (*on_option)(int letter, const char *value))
{
    struct serve_state state = {
        .server = server, .limit_all = server->limit_all, .limit_peer = server->limit_peer, .members = server->members};
    parse_options(&state, argc, argv, extra, on_option);
    state.members = server->forks_always ? 0 : state.members;
    if (server->controls != NULL && control_load(server->controls) < 0) {
        die_temporary("control files cannot be read");
    }
    if (state.only_print) {
        if (server->controls != NULL) {
            control_print(server->controls);
        }
        return 0;
    }
    if (state.members > 0) {
        serve_prepare_members(&state);
    }
    if (server->prepare != NULL) {
        server->prepare();
    }
    if (!is_listening(0)) {
        serve_one(&state);
        return 0;
    }
    take_signals(&state);
    if (state.members > 0) {
        serve_member_loop(&state);
    } else {
        fork_loop(&state);
    }
    return 0;
}

void serve_say(int fd, const char *bytes, size_t n)
{
    ssize_t sent = send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)sent;
}

void serve_make_sid(char out[SERVE_SID_LEN + 1])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    uint64_t value = clock_wall_us() << 9 | ((uint64_t)getpid() & 511);
    for (int i = SERVE_SID_LEN - 1; i >= 0; i--) {
        out[i] = digits[value & 31];
        value >>= 5;
    }
    out[SERVE_SID_LEN] = '\0';
}
