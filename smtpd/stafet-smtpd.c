/* SPDX-License-Identifier: ISC */
/* stafet-smtpd: takes mail by SMTP on fd 0 and 1. Knows no mailbox, no password and no spool: rcptd judges recipients, queue
 * keeps messages. Promise: 250 after the text means that queue said K. */
#include <stdlib.h>
#include <string.h>

#include "lib/die.h"
#include "lib/sandbox.h"
#include "lib/scan.h"
#include "lib/serve.h"
#include "lib/str.h"
#include "smtpd/session.h"

enum { MEMORY_MAX = 64 << 20, FILES_MAX = 64 };

/* What smtpd may do; the sessions inherit it. It never opens for writing, and never executes. */
static const struct sandbox_path paths[] = {{"control", SANDBOX_READ}};
static const unsigned calls = SANDBOX_STDIO | SANDBOX_RPATH | SANDBOX_UNIX | SANDBOX_FORK | SANDBOX_SERVE;

static void prepare(void)
{
    static const struct sandbox_limits limits = {.memory = MEMORY_MAX, .files = FILES_MAX, .file_size = UINT64_MAX};
    sandbox_limit(&limits);
    sandbox_paths_or_die(paths, sizeof paths / sizeof paths[0]);
    sandbox_calls(calls);
}

static const char *environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL ? value : otherwise;
}

/* DATABYTES of tcprules goes before control/databytes; one that is no number lets nothing larger than a byte through. */
static uint64_t databytes(const struct settings *settings)
{
    const char *value = getenv("DATABYTES");
    uint64_t number = 1;
    if (value == NULL) {
        return settings->databytes;
    }
    return scan_decimal_text(value, UINT32_MAX, &number) ? number : 1;
}

static void serve_client(const struct serve_peer *peer)
{
    static struct session session;
    session.settings = settings_now();
    session.databytes = databytes(session.settings);
    session.ip = environment("TCPREMOTEIP", peer->ip);
    session.rdns = environment("TCPREMOTEHOST", "");
    session.is_relay = getenv("RELAYCLIENT") != NULL;
    session.relay_suffix = environment("RELAYCLIENT", "");
    session_run(&session);
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
        .name = "smtpd",
        .limit_all = 200,
        .limit_peer = 50,
        .controls = settings_table,
        .prepare = prepare,
        .session = serve_client,
        .refuse = refuse,
    };
    program_start("stafet-smtpd");
    return serve(argc, argv, &server);
}
