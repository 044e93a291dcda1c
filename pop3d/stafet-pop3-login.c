/* SPDX-License-Identifier: ISC */
/* stafet-pop3-login: POP3 until the password, on fd 0 and 1. It asks authd, which hands the connection itself to a session; then
 * this process ends. Each client has a process of its own that can open no file at all. */
#include <stdlib.h>

#include "lib/die.h"
#include "lib/handoff.h"
#include "lib/sandbox.h"
#include "lib/serve.h"
#include "pop3d/front.h"

enum { MEMORY_MAX = 64 << 20, FILES_MAX = 64 };

/* The parent reads control/ again when it changes; whoever speaks with a client can open nothing, and connects to sockets/auth.
 */
static const struct sandbox_path paths[] = {{"control", SANDBOX_READ}};
static const unsigned calls = SANDBOX_STDIO | SANDBOX_RPATH | SANDBOX_UNIX | SANDBOX_FORK | SANDBOX_SERVE | SANDBOX_SANDBOX;

static void prepare(void)
{
    static const struct sandbox_limits limits = {.memory = MEMORY_MAX, .files = FILES_MAX, .file_size = UINT64_MAX};
    sandbox_limit(&limits);
    sandbox_paths_or_die(paths, sizeof paths / sizeof paths[0]);
    sandbox_calls(calls);
}

static void serve_client(const struct serve_peer *peer)
{
    static struct front front;
    const char *ip = getenv("TCPREMOTEIP");
    handoff_confine();
    front_run(&front, peer, ip != NULL ? ip : peer->ip);
}

/* At a limit of connections. */
static void refuse(const struct serve_peer *peer, int fd)
{
    stralloc line = STRALLOC_ZERO;
    const struct reply_detail nothing = {0};
    (void)peer;
    reply_append(&line, reply(REPLY_BUSY), &nothing);
    serve_say(fd, line.s, line.len);
    stralloc_free(&line);
}

int main(int argc, char **argv)
{
    static const struct serve server = {
        .name = "pop3-login",
        .limit_all = 500,
        .limit_peer = 50,
        .controls = settings_of_login,
        .prepare = prepare,
        .session = serve_client,
        .refuse = refuse,
    };
    program_start("stafet-pop3-login");
    return serve(argc, argv, &server);
}
