/* SPDX-License-Identifier: ISC */
/* The one place where a tool's working directory is decided; every other name in a tool is relative to it. */
#include "lib/home.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/die.h"

const char *home_folder(const char *option)
{
    const char *home = option != NULL ? option : getenv("STAFET_HOME");
    return home == NULL || *home == 0 ? STAFET_HOME : home;
}

void home_enter(const char *option)
{
    const char *home = home_folder(option);
    if (chdir(home) < 0) {
        die_temporary("cannot enter the home folder %s: name it with -H DIR or STAFET_HOME", home);
    }
}
