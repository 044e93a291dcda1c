/* SPDX-License-Identifier: ISC */
/* Passwords that were right a while ago need no second hash: phones and webmail log in again and again with the same one. What is
 * kept is a keyed digest of hash and password together, in memory that authd's members share and that dies with authd: a new
 * password, another hash, or another secret, and it fits no more. Wrong passwords and unknown users always cost the hash. */
#ifndef PASSWORD_CACHE_H
#define PASSWORD_CACHE_H

#include <stdbool.h>
#include <stdint.h>

enum { PASSWORD_CACHE_ENTRIES = 8192 };

/* Before the members are forked; without it nothing is kept. Dies (111) without memory or random bytes. */
void password_cache_start(void);
/* Was `given` right for `stored` less than `seconds` ago? Monotonic time, from now_ms. */
bool password_cache_knows(const char *stored, const char *given, uint64_t seconds, uint64_t now_ms);
/* It is right. */
void password_cache_learn(const char *stored, const char *given, uint64_t now_ms);

#endif
