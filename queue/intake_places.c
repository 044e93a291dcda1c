/* SPDX-License-Identifier: ISC */
/* One sync or two: the spool's folders, opened as the form needs them (lib/ordered says which). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/ordered.h"
#include "queue/intake_places.h"

enum { WAIT_TRIES = 50 };

bool intake_file_system_needs_two(int folder)
{
    struct stat st;
    if (fstat(folder, &st) < 0) {
        die_temporary("spool/new cannot be looked at");
    }
    return !ordered_device_is_safe(st.st_dev);
}

/* What only send may change is waited for: where all services start at once, it has not done so yet. */
static int open_folder(const char *name, int how)
{
    static const struct timespec wait = {.tv_nsec = 100000000};
    int fd = open(name, how | O_DIRECTORY | O_CLOEXEC);
    for (int tries = 0; fd < 0 && errno == EACCES && how == O_RDONLY; tries++) {
        if (tries == WAIT_TRIES) {
            die_temporary("%s cannot be opened to be synced: stafet-send gives it mode 3770 when it starts; start it", name);
        }
        nanosleep(&wait, NULL);
        fd = open(name, how | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0) {
        die_temporary("%s cannot be opened", name);
    }
    return fd;
}

void intake_places_open(const struct intake_settings *settings, struct intake_places *out)
{
    const char *form = settings->spoolsync;
    if (form != NULL && strcmp(form, "one") != 0 && strcmp(form, "two") != 0) {
        die_permanent("control/spoolsync is \"%s\"; it can be one or two", form);
    }
    out->tmp = open_folder("spool/tmp", O_PATH);
    out->new = open_folder("spool/new", O_PATH);
    out->is_two_sync = form != NULL ? strcmp(form, "two") == 0 : intake_file_system_needs_two(out->new);
    if (out->is_two_sync) {
        close(out->new);
        out->new = open_folder("spool/new", O_RDONLY);
    }
    log_event("spoolsync", "form=%s by=%s", out->is_two_sync ? "two" : "one", form != NULL ? "control/spoolsync" : "file system");
}
