/* SPDX-License-Identifier: ISC */
/* What a domain, a mailbox, a comment may be called: pure checks, each refusal with a sentence that says what to do. */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include "auth/va.h"

enum { NAMES_DOMAIN_MAX = 96, NAMES_USER_MAX = 64, NAMES_GECOS_MAX = 64 };
struct names_email {
    char user[NAMES_USER_MAX + 1];
    char domain[NAMES_DOMAIN_MAX + 1]; /* "": there was no domain */
};
struct names_fault {
    enum va code;
    const char *why; /* one sentence without its name, lower case */
};
/* Labels of letters, digits and inner hyphens, at least two, 3-96 bytes, the last label 2-63 long and not all digits. `out`
 * (NAMES_DOMAIN_MAX + 1 bytes) gets it in lower case. code VA_SUCCESS: good. */
struct names_fault names_check_domain(const char *text, char *out);
/* A mailbox or alias: vpopmail's characters but '/', 1-64 of them, not beginning with '.', not "vpasswd…". Lower case in `out`.
 */
struct names_fault names_check_user(const char *text, char *out);
/* user@domain; user%domain and user/domain as vpopmail takes them. Without a separator the domain is "". */
struct names_fault names_check_email(const char *text, struct names_email *out);
/* At most 64 bytes, no ':', no control byte, UTF-8 allowed. */
struct names_fault names_check_gecos(const char *text);
/* A line of a .qmail file: at most 499 bytes (vpopmail's reader cuts longer ones), no control byte, not empty. */
struct names_fault names_check_line(const char *text);
/* Letters, digits and . _ + = , : @ / - only: may stand in a line that a shell may read. */
bool names_is_shell_safe(const char *text);

#endif
