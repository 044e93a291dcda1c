/* SPDX-License-Identifier: ISC */
/* stafet-queue(8): takes messages into the spool. Runs as stafetq, which can create in spool/tmp, rename to spool/new and wake
 * send, and can neither list nor read back. Trusts its callers (sockets/queue: the house's own programs, by their uid) as far as
 * CONTRACTS says, and with -i (sockets/inject: everybody) almost nothing. Promises: K means safe on disk, anything else means no
 * trace. */
#include <sys/socket.h>

#include "lib/die.h"
#include "lib/sandbox.h"
#include "lib/serve.h"
#include "queue/intake_places.h"
#include "queue/intake_reply.h"
#include "queue/intake_session.h"

static struct intake_house house;
static struct intake_session the_session;

static const struct control_entry controls[] = {
    {"databytes", CONTROL_NUMBER, "10485760", 0, INT64_MAX, &house.settings.databytes},
    {"maxrecipients", CONTROL_NUMBER, "50000", 1, 1000000, &house.settings.max_recipients},
    {"me", CONTROL_TEXT, NULL, 0, 0, &house.settings.me},
    {"spoolreserve", CONTROL_NUMBER, "33554432", 0, INT64_MAX, &house.settings.reserve},
    {"spoolsync", CONTROL_TEXT, NULL, 0, 0, &house.settings.spoolsync},
    {"timeoutqueue", CONTROL_NUMBER, "1260", 1, 86400, &house.settings.timeout},
    {0}};

static void prepare(void)
{
    static const struct sandbox_path paths[] = {{"control", SANDBOX_READ},
                                                {"spool/tmp", SANDBOX_WRITE | SANDBOX_READ},
                                                {"spool/new", SANDBOX_WRITE},
                                                {"spool/trigger", SANDBOX_WRITE}};
    if (house.settings.me == NULL) {
        die_temporary("control/me is missing: write this host's name into it");
    }
    intake_places_open(&house.settings, &house.places);
    sandbox_limit(&(struct sandbox_limits){.memory = 64 << 20, .files = 1024, .file_size = UINT64_MAX});
    sandbox_paths_or_die(paths, sizeof paths / sizeof paths[0]);
    sandbox_calls(SANDBOX_RPATH | SANDBOX_WPATH | SANDBOX_CPATH | SANDBOX_FORK | SANDBOX_SERVE | SANDBOX_KILL);
}

static void session(const struct serve_peer *peer)
{
    intake_session_run(&the_session, &house, peer);
}

/* Everybody's socket is at its limit: a caller of ours waits and asks again. */
static void refuse(const struct serve_peer *peer, int fd)
{
    stralloc answer = STRALLOC_ZERO;
    (void)peer;
    intake_reply_put(&answer, &intake_busy, NULL);
    (void)!send(fd, answer.s, answer.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    stralloc_free(&answer);
}

static struct serve server = {
    .name = "queue", .limit_all = 200, .grows = true, .controls = controls, .prepare = prepare, .session = session};

static void on_option(int letter, const char *value)
{
    (void)value;
    if (letter != 'i') {
        die_permanent("usage: stafet-queue [-i] [-c connections] [-C per-peer] [-p members] [-u user,...] [-T]");
    }
    house.is_inject = true;
    server.refuse = refuse;
    server.forks_always = true;
}

int main(int argc, char **argv)
{
    program_start("stafet-queue");
    return serve_with_options(argc, argv, &server, "i", on_option);
}
