/* SPDX-License-Identifier: ISC */
/* What authd remembers from one login to the next: small files below auth/, time = the file's mtime, so every member and vchkpw
 * see the same. Each may be deleted at any time; where one cannot be written the login goes on, and the log says so.
 *
 *   auth/penalty/IP         one byte a failed login; IPv6 by /64. Nobody is locked out: the wait is 2, 4, 8, then 15 seconds
 *   auth/last/USER@DOMAIN   the last POP check that was let in
 *   auth/open-smtp/IP       the last POP or IMAP login from there (relay-ctrl's form) */
#ifndef PENALTY_H
#define PENALTY_H

#include <stdbool.h>
#include <stdint.h>
#include "auth/login.h"

enum { PENALTY_KEY_SIZE = 64, PENALTY_FADE_SECONDS = 600 };
/* Makes the folders where they are missing, before the program confines itself. */
void penalty_prepare(void);
/* The name of an address's file. False: no address (a pipe), or this host itself (a web mail there must not wait for one
 * guesser). */
bool penalty_key(const char *ip, char out[PENALTY_KEY_SIZE]);
/* Seconds after n failures: 0, 2, 4, 8, 15, 15 … */
unsigned penalty_seconds(uint64_t failures);

/* Seconds that this address still has to wait; 0: it may try. A file from the future (the clock was set back) counts as old. */
unsigned penalty_wait(const char *ip, uint64_t now_us);
/* One more failure. Ten minutes without one and the count begins anew. */
void penalty_add(const char *ip, uint64_t now_us);
/* A good login: up to three failures (a person's typing) are forgotten, more fade with time only. */
void penalty_forgive(const char *ip);

/* Seconds until the account's next POP check is due; 0: now, which counts as its last. */
unsigned penalty_pop_wait(const struct login *login, uint64_t interval, uint64_t now_us);
void penalty_open_smtp(const char *ip, const struct login *login);
/* Once an hour: removes what has grown old. */
void penalty_sweep(uint64_t now_us);

#endif
