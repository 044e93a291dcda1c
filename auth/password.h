/* SPDX-License-Identifier: ISC */
/* Password hashes: whatever crypt(3) of libxcrypt knows. The only file that calls it.
 *
 *   struct password_checker checker;
 *   password_start(&checker, scheme);                      once (costs one hash)
 *   bool good = password_check(&checker, found ? record.password : NULL, given); */
#ifndef PASSWORD_H
#define PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <skalibs/stralloc.h>

/* Longer ones are refused, never cut (libxcrypt's own limit is 512 with the NUL). */
enum { PASSWORD_MAX = 511 };
#define PASSWORD_SCHEME_DEFAULT "$6$"

struct password_checker {
    void *data; /* crypt_ra's work area, kept between calls */
    int size;
    char dummy[256];
};
/* True for a prefix crypt_gensalt(3) can make salts for ("$6$", "$2b$", "$y$" …) and whose hashes are no toys: not DES ("", "_"),
 * not "$1$", "$3$", not "$md5". */
bool password_scheme_is_good(const char *scheme);
/* Makes the hash that unknown users are checked against, of `scheme` (control/passwordscheme). Dies (100) when it is not good. */
void password_start(struct password_checker *checker, const char *scheme);
/* Is `given` the password of `stored`? A {SCHEME} prefix is skipped. stored NULL (no such user), "" or no hash at all: false
 * after the same work. The comparison's time does not depend on the bytes. */
bool password_check(struct password_checker *checker, const char *stored, const char *given);
/* Appends a fresh salted hash. 0; -1 errno: EINVAL scheme, ERANGE longer than PASSWORD_MAX or empty. */
int password_hash(const char *scheme, const char *given, stralloc *out);
/* Appends a random password of n letters and digits that cannot be mistaken for each other (5.8 bits each); n <= 128. */
void password_random(stralloc *out, size_t n);
/* Wipes bytes; the compiler may not leave it out. */
void password_wipe(void *bytes, size_t n);

#endif
