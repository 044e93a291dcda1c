/* SPDX-License-Identifier: ISC */
/* The home folder and its settings, as a caller of any uid sees them. */
#ifndef INJECT_HOME_H
#define INJECT_HOME_H

#include "queue/addrlist.h"
#include "queue/inject_reply.h"

struct inject_home {
    struct addrlist_hosts hosts; /* control/defaulthost, defaultdomain, plusdomain, or QMAILDEFAULTHOST … */
    const char *id_host;         /* control/idhost or QMAILIDHOST */
    const char *no_at_host;      /* control/envnoathost */
};
/* Makes the home folder ($STAFET_HOME, else the compiled one) the working directory, reads the settings. Fails (inject_fail)
 * where it cannot. */
void inject_home_enter(enum inject_name name, struct inject_home *out);

#endif
