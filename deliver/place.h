/* SPDX-License-Identifier: ISC */
/* Paths of .qmail lines and of the caller, made relative to the working directory. */
#ifndef PLACE_H
#define PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <skalibs/stralloc.h>

struct delivery_settings;

/* `path` is absolute, or relative to `folder` (NULL: to the working directory). The prefix of the home folder's absolute name is
 * taken off, `./`, doubled and final slashes too. False: a component `..`, a NUL, or a place outside domains/, alias/ and
 * the domains/ of an old site's vpopmail (settings->is_anywhere: any place is good). */
bool place_resolve(const struct delivery_settings *settings, const char *folder, const char *path, size_t n, stralloc *out);

#endif
