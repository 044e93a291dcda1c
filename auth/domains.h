/* SPDX-License-Identifier: ISC */
/* The lists in control/ that make a domain ours: rcpthosts (mail for it is taken), virtualdomains (DOMAIN:DOMAIN: it goes to
 * users/assign), locals and me (it would be a system domain: taken out). Every list is replaced whole (lib/durable); comments and
 * the order of other lines stay. Programs see the change within a second.
 *
 * More than 50 domains in rcpthosts are left there: our readers sort the list in memory, so there is nothing that
 * control/morercpthosts would speed up. A domain that an older tool put there is taken out of its text and its cdb. */
#ifndef DOMAINS_H
#define DOMAINS_H

#include <stdbool.h>

/* One change of domains at a time: locks users/assign.lock. The descriptor to close at the end; -1 errno (EAGAIN: busy for 30 s).
 */
int domains_lock(int home_at);
/* virtualdomains, locals, then rcpthosts: mail is taken when everything else stands. 0; -1 errno, *file_out names the file. */
int domains_add(int home_at, const char *domain, const char **file_out) __attribute__((warn_unused_result));
/* rcpthosts and morercpthosts first: no more mail is taken. */
int domains_stop_mail(int home_at, const char *domain, const char **file_out) __attribute__((warn_unused_result));
/* virtualdomains. */
int domains_remove(int home_at, const char *domain, const char **file_out) __attribute__((warn_unused_result));

#endif
