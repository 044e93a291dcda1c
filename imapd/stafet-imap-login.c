/* SPDX-License-Identifier: ISC */
/* stafet-imap-login: IMAP until the password, on fd 0 and 1. It asks authd, which hands the connection itself to a session; then
 * this process ends. Each client has a process of its own that can open no file at all. */
#include <stdlib.h>

#include "imapd/login.h"
#include "lib/die.h"
#include "lib/handoff.h"
#include "lib/sandbox.h"

enum { MEMORY_MAX = 64 << 20, FILES_MAX = 64 };

/* The parent reads control/ again when it changes; whoever speaks with a client opens nothing and connects to sockets/auth. */
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
    static struct login login;
    const char *ip = getenv("TCPREMOTEIP");
    handoff_confine();
    login_run(&login, peer, ip != NULL ? ip : peer->ip);
}

/* At a limit of connections. */
static void refuse(const struct serve_peer *peer, int fd)
{
    static const char line[] =
        "* BYE [UNAVAILABLE] too many connections at the moment, in all or from your address; try again in a minute\r\n";
    (void)peer;
    serve_say(fd, line, sizeof line - 1);
}

int main(int argc, char **argv)
{
    static const struct serve server = {
        .name = "imap-login",
        .limit_all = 500,
        .limit_peer = 50,
        .controls = login_settings_table,
        .prepare = prepare,
        .session = serve_client,
        .refuse = refuse,
    };
    program_start("stafet-imap-login");
    return serve(argc, argv, &server);
}
