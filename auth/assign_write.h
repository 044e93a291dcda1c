/* SPDX-License-Identifier: ISC */
/* Changes of users/assign and users/cdb, and the list of a site's virtual domains. Run it as the home folder's owner, with
 * domains_lock() held for a change. */
#ifndef ASSIGN_WRITE_H
#define ASSIGN_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include "auth/assign.h"

/* A virtual domain: a wildcard line `+DOMAIN-:REAL:…:-::` whose name holds a dot. */
struct assign_domain {
    char name[256];
    struct assign_entry entry; /* entry.user: the real domain */
};
/* Adds the line of a domain before the final dot, writes text and cdb. A line of that name is replaced. 0; -1 errno
 * (EBADMSG: users/assign has a line that is not understood; EPERM: not the home owner's alone). */
int assign_add_domain(int home_at, const struct assign_domain *domain) __attribute__((warn_unused_result));
/* Takes out the line of `name`. 0, also when there is none; -1 as above. */
int assign_remove_domain(int home_at, const char *name) __attribute__((warn_unused_result));
/* Every virtual domain in the order of the text. 0; -1 errno. */
int assign_each_domain(int home_at, void (*each)(const struct assign_domain *, void *ctx), void *ctx)
    __attribute__((warn_unused_result));
bool assign_domain_is_alias(const struct assign_domain *domain);

#endif
