/* SPDX-License-Identifier: ISC */
/* stafet-send(8): the scheduler. Takes messages from spool/new, asks rcptd where each recipient's mail goes, hands the open file
 * to workers of local, writes marks, tries again what was deferred, reports what failed, and removes what is done. Runs as
 * stafets, the spool's owner; opens no network socket. Trusts the intake's bytes as far as their sums and its parsers go, and its
 * services for their verdicts only. Promises: a file leaves the spool when each recipient is delivered or reported, not before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/control.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "queue/intake_places.h"
#include "queue/send_ctl.h"
#include "queue/send_local.h"
#include "queue/send_loop.h"
#include "queue/send_route.h"
#include "queue/send_try.h"

enum { FILES = 4096, FILES_KEPT = 128 };

static struct scheduler the_scheduler;

static const struct control_entry controls[] = {
    {"me", CONTROL_TEXT, NULL, 0, 0, &the_scheduler.settings.me},
    {"bouncefrom", CONTROL_TEXT, "MAILER-DAEMON", 0, 0, &the_scheduler.settings.bouncefrom},
    {"bouncehost", CONTROL_TEXT, "=me", 0, 0, &the_scheduler.settings.bouncehost},
    {"concurrencylocal", CONTROL_NUMBER, "20", 1, WORKERS_MAX, &the_scheduler.settings.concurrencylocal},
    {"concurrencyremote", CONTROL_NUMBER, "20", 0, 10000, &the_scheduler.settings.concurrencyremote},
    {"doublebouncehost", CONTROL_TEXT, "=me", 0, 0, &the_scheduler.settings.doublebouncehost},
    {"doublebounceto", CONTROL_TEXT, "postmaster", 0, 0, &the_scheduler.settings.doublebounceto},
    {"queuelifetime", CONTROL_NUMBER, "86400", 0, 100000000, &the_scheduler.settings.queuelifetime},
    {"spoolsync", CONTROL_TEXT, NULL, 0, 0, &the_scheduler.settings.spoolsync},
    {"timeoutlocal", CONTROL_NUMBER, "3600", 1, 86400, &the_scheduler.settings.timeoutlocal},
    {0}};

/* A message that is tried takes up to two descriptors, a worker up to two. */
static void take_settings(struct scheduler *scheduler)
{
    struct rlimit limit;
    uint64_t workers = scheduler->settings.concurrencylocal, wanted = workers * 2 + 16;
    uint64_t files = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FILES ? limit.rlim_cur : FILES;
    uint64_t most = files > workers * 2 + FILES_KEPT + 2 ? (files - workers * 2 - FILES_KEPT) / 2 : 1;
    most = most < MESSAGES_MAX ? most : MESSAGES_MAX;
    scheduler->messages_limit = (unsigned)(wanted < most ? wanted : most);
    scheduler->log.local_limit = (unsigned)workers;
    scheduler->log.remote_limit = (unsigned)scheduler->settings.concurrencyremote;
}

static void set_modes(struct scheduler *scheduler)
{
    const char *form = scheduler->settings.spoolsync;
    spool_set_modes(&scheduler->spool, form == NULL ? scheduler->needs_two_syncs : strcmp(form, "two") == 0);
}

static void refresh(struct scheduler *scheduler, bool now)
{
    if (control_refresh(controls, now) == 1) {
        take_settings(scheduler);
        set_modes(scheduler);
    }
}

static void confine(void)
{
    static const struct sandbox_path paths[] = {{"spool", SANDBOX_READ | SANDBOX_WRITE}, {"control", SANDBOX_READ}};
    sandbox_limit(&(struct sandbox_limits){.memory = 0, .files = FILES, .file_size = UINT64_MAX});
    sandbox_paths_or_die(paths, sizeof paths / sizeof paths[0]);
    sandbox_calls(SANDBOX_RPATH | SANDBOX_WPATH | SANDBOX_CPATH | SANDBOX_UNIX | SANDBOX_FORK | SANDBOX_SERVE);
}

int main(int argc, char **argv)
{
    struct scheduler *scheduler = &the_scheduler;
    program_start("stafet-send");
    if (control_load(controls) < 0) {
        die_temporary("a control file cannot be read");
    }
    if (argc == 2 && strcmp(argv[1], "-T") == 0) {
        control_print(controls);
        return 0;
    }
    if (argc > 1) {
        die_permanent("usage: stafet-send [-T]");
    }
    if (scheduler->settings.me == NULL) {
        die_temporary("control/me is missing: write this host's name into it");
    }
    spool_open(&scheduler->spool);
    scheduler->needs_two_syncs = intake_file_system_needs_two(scheduler->spool.new);
    set_modes(scheduler);
    ctl_init(scheduler);
    confine();
    try_init(scheduler);
    route_init(scheduler);
    local_init(scheduler);
    loop_catch_signals();
    spool_read(&scheduler->spool, &scheduler->fresh, &scheduler->again, &scheduler->later);
    take_settings(scheduler);
    loop_run(scheduler, refresh);
    return 0;
}
