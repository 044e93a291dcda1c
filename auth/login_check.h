/* SPDX-License-Identifier: ISC */
/* One password check, from the login name to the verdict: used by authd and by vchkpw. Each check costs one hash, whether the
 * user exists or not, unless the address has to wait (then none) or authd knows the password already (password_cache.h). */
#ifndef LOGIN_CHECK_H
#define LOGIN_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include "auth/login.h"
#include "auth/login_reply.h"
#include "auth/password.h"
#include "auth/route.h"
#include "lib/control.h"

struct login_settings {
    const char *default_domain, *scheme;
    uint64_t pop_interval, cache_seconds;
    bool keeps_open_smtp;
    struct route_config route; /* users/cdb, home, vmail's uid */
    struct password_checker checker;
};
extern const struct control_entry login_controls[];
/* Without popinterval and passwordcache: it is a process a check, and checkpassword has no words for "too soon", and a mail
 * program would ask its user for the password. */
extern const struct control_entry *const login_controls_of_vchkpw;
extern struct login_settings login_settings; /* the one filled by login_controls */
/* After the controls are loaded, before the program confines itself: one hash, the folders of auth/. */
void login_start(void);
/* Limits, then the paths that a check needs and the classes of system calls that the program needs. */
void login_confine(unsigned classes);

struct login_question {
    const char *service; /* pop3, imap, smtp */
    const char *name, *password, *mech, *ip, *sid;
    uint64_t now_us;
};
struct login_answer {
    enum login_reply reply;
    unsigned wait; /* seconds, with the too-often replies */
    /* Known when the password was right: */
    struct login login;                            /* in the real domain */
    char domain_folder[512], home[512], quota[64]; /* relative to the home folder where they lie there */
    uint32_t flags;
};
bool login_service_is_known(const char *service);
/* Logs the outcome (never a password), also as the line of vchkpw that fail2ban's rules know. */
void login_check(const struct login_question *question, struct login_answer *out);

#endif
