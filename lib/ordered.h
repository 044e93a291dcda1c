/* SPDX-License-Identifier: ISC */
/* May a sync of a folder be left out? (CONTRACTS section 3, steps 2a and 6.) */
#ifndef ORDERED_H
#define ORDERED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* True when a name and its data are both safe after one fsync of the file, on every mount of the device: ext4 or XFS without an
 * option that gives that up. Reads /proc and /sys: before the sandbox. */
bool ordered_device_is_safe(dev_t device);
/* The same by mountinfo text (proc_pid_mountinfo(5)) for device major:minor. Pure. */
bool ordered_mount_is_safe(const char *mountinfo, size_t n, unsigned major, unsigned minor);
/* One of the options that give it up among words parted by commas, blanks or LFs. Pure. */
bool ordered_options_are_unsafe(const char *options, size_t n);

#endif
