/* SPDX-License-Identifier: ISC */
/* How a server runs (DESIGN, "How a server runs"): main() of every server ends in serve().
 *   fd 0 connected (pipe, socket, terminal, file): session() once for that client, exit 0.
 *   fd 0 listening: accept, one fresh fork a connection; or -p N kept members that accept in turn (one that grows has up to -c of
 *   them while all are busy; -C does not count with members).
 * In the session fd 0 and 1 are the client; it returns (kept members go on) or exits. SIGTERM: accept no more, children finish,
 * exit 0. SIGHUP: refresh at once. Options: -c N connections in all, -C N of one peer (address; on a unix socket uid), -p N
 * members, -u NAME,… allowed peers (user names or uids; root is not implied; unix sockets only), -T print the control table and
 * exit 0. */
#ifndef SERVE_H
#define SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "control.h"

struct serve_peer {
    bool is_unix;    /* a unix socket: uid, gid and pid are SO_PEERCRED's */
    bool is_checked; /* uid came over a listening socket with -u (or the socket itself), not from a pipe */
    uid_t uid;
    gid_t gid;
    pid_t pid;
    char ip[46]; /* client; "" where there is none. ::ffff:a.b.c.d is written a.b.c.d */
    unsigned port;
    char local_ip[46];
    unsigned local_port;
    bool is_crowded; /* four fifths of the connections that there may be were taken when this one came */
};

struct serve {
    const char *name;               /* program_start() has been called with it */
    unsigned limit_all, limit_peer; /* defaults of -c and -C; 0: none */
    unsigned members;               /* default of -p; 0: fork a connection */
    bool forks_always;              /* -p does not count: strangers share no process */
    bool grows;                     /* with -p: calls may be long, so more than that are started while none is idle */
    const struct control_entry
        *controls;         /* loaded before prepare(), looked at again once a second, NULL-name ended; may be NULL */
    void (*prepare)(void); /* once, in the parent: rlimits, outer sandbox; may be NULL */
    void (*session)(const struct serve_peer *peer);
    /* At a limit, in the parent: one short, non-blocking write to fd. NULL: the connection waits in the backlog instead. */
    void (*refuse)(const struct serve_peer *peer, int fd);
};

/* optind on return of the option loop is not shared: programs with own options give them in `extra` ("s:" …, getopt(3) letters
 * other than c C p u T) and get each by on_option. */
int serve(int argc, char *const *argv, const struct serve *server);
int serve_with_options(int argc, char *const *argv, const struct serve *server, const char *extra,
                       void (*on_option)(int letter, const char *value));

/* For refuse(): one try, without waiting. The client may not read: the kernel's buffer takes the bytes, or nothing does. */
void serve_say(int fd, const char *bytes, size_t n);

/* A sid for log lines: 12 characters, unique in time and process. */
enum { SERVE_SID_LEN = 12 };
void serve_make_sid(char out[SERVE_SID_LEN + 1]);

#endif
