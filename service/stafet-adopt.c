/* SPDX-License-Identifier: ISC */
/* stafet-adopt PROGRAM…
 *
 * Leads a session of its own, adopts every orphan that descends from it (PR_SET_CHILD_SUBREAPER) and becomes PROGRAM. With
 * s6-svscan as PROGRAM all processes of an instance stay below one process, whatever dies between: so `stop` finds them all,
 * also those that nobody may look into. Reads nothing, opens nothing; no descriptor of the caller but 0-2 goes on. */
#include <sys/prctl.h>
#include <unistd.h>
#include "lib/die.h"

int main(int argc, char **argv)
{
    program_start("stafet-adopt");
    if (argc < 2) {
        die_permanent("usage: stafet-adopt PROGRAM...");
    }
    if (close_range(3, ~0U, 0) < 0) {
        die_temporary("cannot close the caller's descriptors");
    }
    (void)setsid(); /* fails where it leads one already */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
        die_temporary("cannot adopt orphans");
    }
    execvp(argv[1], argv + 1);
    die_temporary("cannot run %s", argv[1]);
}
