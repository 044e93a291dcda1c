/* SPDX-License-Identifier: ISC */
/* The cdbs that rcptd and authd keep open: users/cdb and control/morercpthosts.cdb, opened again when the name shows another
 * file. */
#ifndef ROUTE_MAPS_H
#define ROUTE_MAPS_H

#include "auth/route.h"

/* Makes config->assign usable. 1; 0: there is no users/cdb; -1: unsafe, damaged or not readable (logged). */
int route_open_assign(struct route_config *config);
/* The domain itself or one of its `.suffixes` in morercpthosts.cdb, which may be missing. 1, 0, -1 (damaged or not readable). */
int route_morercpthosts_has(struct route_config *config, const char *domain, size_t n);
/* `dir` without the home folder's prefix; a pointer into dir. */
const char *route_relative(const struct route_config *config, const char *dir);

#endif
