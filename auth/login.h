/* SPDX-License-Identifier: ISC */
/* Login names (vpopmail's forms): user@domain, user%domain, user/domain, or a bare user of control/defaultdomain. Pure. There is
 * no ip_alias_map: which domain a bare name belongs to does not depend on the address the client came to. */
#ifndef LOGIN_H
#define LOGIN_H

#include <stdbool.h>
#include <stddef.h>

enum { LOGIN_USER_MAX = 64, LOGIN_DOMAIN_MAX = 255 };
struct login {
    char user[LOGIN_USER_MAX + 1]; /* lower case */
    char domain[LOGIN_DOMAIN_MAX + 1];
};
/* The separators are tried in the order @ % /, the first occurrence of each. False: no such form (empty part, a byte that no
 * mailbox or domain name has, too long). `otherwise` is the default domain; NULL or "": a bare user is none. */
bool login_parse(const char *name, size_t n, const char *otherwise, struct login *out);

#endif
