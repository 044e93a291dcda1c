/* SPDX-License-Identifier: ISC */
/* The spool's folders, and whether one sync makes a new name safe there (CONTRACTS 3, steps 2a and 2b). */
#ifndef INTAKE_PLACES_H
#define INTAKE_PLACES_H

#include <stdbool.h>

#include "queue/intake.h"

/* Opens spool/tmp and spool/new and chooses the form; death (111) with the reason where that cannot be. Before the sandbox: it
 * reads /proc. */
void intake_places_open(const struct intake_settings *settings, struct intake_places *out);

/* The choice that the file system of an open folder calls for. Reads /proc. */
bool intake_file_system_needs_two(int folder);

#endif
