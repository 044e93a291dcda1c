/* SPDX-License-Identifier: ISC */
/* What the v* tools share: finding home, who does which half, asking for a password, how an error is told.
 *
 * Started by root in a home folder of root's: control/ and users/ are changed by root; passwords by a child as the owner of auth/
 * (stafeta); folders by a child as the owner of domains/ or of the domain (vmail). In a home folder of an ordinary user, all is
 * done as that user, by root too. */
#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <sys/types.h>
#include <skalibs/stralloc.h>
#include "auth/assign.h"
#include "auth/names.h"
#include "auth/va.h"

struct tool_identity {
    uid_t uid;
    gid_t gid;
    gid_t extra_group; /* the group of domains/ */
};
struct tool {
    const char *home; /* absolute, no '/' at its end */
    struct tool_identity auth, mail;
    bool is_shared; /* passwords and mail belong to two user ids */
};

/* Into the home folder: `home` (-H), else $STAFET_HOME, else the compiled one; finds the identities. Dies with the reason. */
void tool_start(struct tool *tool, const char *name, const char *home);
/* vpopmail's "version: …" line. */
void tool_print_version(void);

/* Runs `work` as that user: in a child when it takes a change of uid, else right here. What it appends to `out` comes back. */
enum va tool_run_as(const struct tool_identity *who, enum va (*work)(void *ctx, stralloc *out), void *ctx, stralloc *out);
/* The same, in a child in every case. */
enum va tool_run_in_child(const struct tool_identity *who, enum va (*work)(void *ctx, stralloc *out), void *ctx, stralloc *out);
/* The user a domain's folders belong to; never root, unless all mail does. */
struct tool_identity tool_domain_identity(const struct tool *tool, const struct assign_entry *entry);

/* "Error: WORDS" on fd 1 as vpopmail says it, `why` (may be NULL or "") in a line on fd 2, and the exit code of `code`. */
_Noreturn void tool_fail(enum va code, const char *why);
/* `said` instead of "Error: WORDS". */
_Noreturn void tool_fail_with(int exit_code, const char *said, const char *why);

/* Parses user@domain, looks the domain up in users/cdb; email->domain becomes the real one of an alias domain. False: no domain
 * was written (email->domain is "") or there is none of that name. A name that none can have: dies with vpopmail's words. */
bool tool_find_mailbox(const char *text, struct names_email *email, struct assign_entry *entry);
/* The same for a domain's name; false: no such domain. */
bool tool_find_domain(const char *text, char *domain, struct assign_entry *entry);
/* Password from the argument (wiped from the command line), or asked for twice on the terminal. False: there is no terminal, or
 * the password is empty. */
bool tool_get_password(char *argument, const char *whom, stralloc *out);
/* Random password of -r[LEN]: LEN 1-128, default 12. False: no such length. */
bool tool_random_password(const char *length, stralloc *out);
/* Hash by control/passwordscheme. Dies when that is no scheme. */
void tool_hash_password(const char *password, stralloc *out);

#endif
