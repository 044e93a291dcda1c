/* SPDX-License-Identifier: ISC */
/* stafet-local: the last mile to Maildirs and .qmail files. Answers op=deliver of stafet-call(5) for stafet-send; runs as vmail.
 * Reads the message from the passed descriptor only; sees domains/, alias/ and control/, not the spool. Says K when the message
 * is durable where it belongs. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/local_session.h"
#include "deliver/parsed.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/ordered.h"
#include "lib/sandbox.h"
#include "lib/serve.h"
#include "lib/str.h"

enum { MEMORY_MAX = 512 << 20, FILES_MAX = 128 };

static struct {
    const char *me, *envnoathost, *spoolsync;
    bool is_ordered; /* the device of domains/ */
    uint64_t timeoutprogram, timeoutmbox;
    struct control_list defaultdelivery;
    stralloc home_folder, converters;
    struct delivery_settings settings;
} local;

static const struct control_entry controls[] = {{"me", CONTROL_TEXT, NULL, 0, 0, &local.me},
                                                {"envnoathost", CONTROL_TEXT, "=me", 0, 0, &local.envnoathost},
                                                {"defaultdelivery", CONTROL_LIST, NULL, 0, 0, &local.defaultdelivery},
                                                {"timeoutprogram", CONTROL_NUMBER, "300", 1, 3600, &local.timeoutprogram},
                                                {"spoolsync", CONTROL_TEXT, NULL, 0, 0, &local.spoolsync},
                                                {"timeoutmbox", CONTROL_NUMBER, "30", 1, 600, &local.timeoutmbox},
                                                {0}};

static void take_controls(void)
{
    local.settings.me = local.me;
    local.settings.default_host = local.envnoathost;
    local.settings.program_seconds = local.timeoutprogram;
    local.settings.mbox_seconds = local.timeoutmbox;
    local.settings.default_delivery = &local.defaultdelivery;
    local.settings.may_skip_folder_sync = local.is_ordered && (local.spoolsync == NULL || strcmp(local.spoolsync, "two") != 0);
}

/* Where the spool lies on the same device (each message's descriptor tells), a last recipient saves a sync. */
static void find_device(void)
{
    struct stat found = {.st_dev = 0};
    local.is_ordered = stat("domains", &found) == 0 && ordered_device_is_safe(found.st_dev);
    local.settings.ordered_device = found.st_dev;
    log_event("maildirs", "journal=%s spoolsync=%s", local.is_ordered ? "ordered" : "unknown", local.spoolsync);
}

/* Once in the parent. No sandbox here: each worker's runner must be free of it. */
static void prepare(void)
{
    char *room = str_room(&local.home_folder, 4096);
    umask(077);
    if (local.me == NULL) {
        die_permanent("control/me is missing: it names this host");
    }
    if (getcwd(room, 4096) == NULL) {
        die_temporary("the working directory has no name");
    }
    local.settings.home_folder = room;
    find_device();
    local.settings.queue_socket = "sockets/queue";
    local.settings.rcpt_socket = "sockets/rcpt";
    parsed_prepare(&local.converters);
}

static void confine(void)
{
    const struct sandbox_path paths[] = {
        {"domains", SANDBOX_READ | SANDBOX_WRITE},   {VPOPMAIL_HOME "/domains", SANDBOX_READ | SANDBOX_WRITE},
        {"alias", SANDBOX_READ | SANDBOX_WRITE},     {"control", SANDBOX_READ},
        {str_text(&local.converters), SANDBOX_READ},
    };
    static const struct sandbox_limits limits = {
        .memory = MEMORY_MAX, .files = FILES_MAX, .file_size = UINT64_MAX, .no_fork = true};
    sandbox_limit(&limits);
    sandbox_paths_or_die(paths, sizeof paths / sizeof *paths);
    sandbox_calls(SANDBOX_RPATH | SANDBOX_WPATH | SANDBOX_CPATH | SANDBOX_UNIX);
}

static void refresh(void)
{
    (void)control_refresh(controls, false);
    take_controls();
}

static void session(const struct serve_peer *peer)
{
    struct runner runner;
    (void)peer;
    if (runner_start(&runner) < 0) {
        die_temporary("the runner of program lines cannot be forked");
    }
    confine();
    refresh();
    local_session_run(&local.settings, &runner, refresh);
}

int main(int argc, char **argv)
{
    static const struct serve server = {.name = "local", .controls = controls, .prepare = prepare, .session = session};
    program_start("local");
    return serve(argc, argv, &server);
}
