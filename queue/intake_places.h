/* SPDX-License-Identifier: ISC */
/* The spool's folders, and whether one sync makes a new name safe there (CONTRACTS 3, steps 2a and 2b). */
#ifndef INTAKE_PLACES_H
#define INTAKE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include "queue/intake.h"

/* Opens spool/tmp and spool/new and chooses the form; death (111) with the reason where that cannot be. Before the sandbox: it
 * reads /proc. */
void intake_places_open(const struct intake_settings *settings, struct intake_places *out);
/* The choice that the file system of an open folder calls for. Reads /proc. */
bool intake_file_system_needs_two(int folder);
/* True when a name and its data are both safe after one fsync of the file: ext4 or XFS by the line of mountinfo text for device
 * major:minor, without an option that gives that up. Pure. */
bool intake_mount_is_ordered(const char *mountinfo, size_t n, unsigned major, unsigned minor);
/* One of the options that give it up among words parted by commas, blanks or LFs. Pure. */
bool intake_options_are_unsafe(const char *options, size_t n);

#endif
