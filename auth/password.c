/* SPDX-License-Identifier: ISC */
/* Password hashes by crypt(3). A check always costs one hash, whether the user exists or not, so that the time tells nobody which
 * names do. libxcrypt reads the work factor from the hash itself; a hash that a password file holds is therefore trusted, a
 * password is not. */
#include "auth/password.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/die.h"
#include "lib/str.h"

/* No 0 O 1 l I: a random password is read from a screen and typed. */
static const char random_letters[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
enum { RANDOM_LETTERS = sizeof random_letters - 1, RANDOM_LEN_MAX = 128 };

void password_wipe(void *bytes, size_t n)
{
    if (n > 0) {
        explicit_bzero(bytes, n);
    }
}

bool password_scheme_is_good(const char *scheme)
{
    static const char *const schemes[] = {"$y$", "$gy$", "$7$", "$2b$", "$2y$", "$2a$", "$6$", "$5$"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strcmp(scheme, schemes[i]) == 0) {
            return true;
        }
    }
    return false;
}

int password_hash(const char *scheme, const char *given, stralloc *out)
{
    size_t n = strlen(given);
    if (n == 0 || n > PASSWORD_MAX) {
        errno = ERANGE;
        return -1;
    }
    char *setting = password_scheme_is_good(scheme) ? crypt_gensalt_ra(scheme, 0, NULL, 0) : NULL;
    if (setting == NULL) {
        errno = EINVAL;
        return -1;
    }
    void *data = NULL;
    int size = 0;
    const char *hash = crypt_ra(given, setting, &data, &size);
    bool is_made = hash != NULL && hash[0] != '*';
    if (is_made) {
        str_cats(out, hash);
    }
    if (data != NULL) {
        password_wipe(data, (size_t)size);
        free(data);
    }
    free(setting);
    errno = EINVAL;
    return is_made ? 0 : -1;
}

void password_start(struct password_checker *checker, const char *scheme)
{
    stralloc hash = STRALLOC_ZERO;
    *checker = (struct password_checker){.data = NULL};
    if (password_hash(scheme, "the password of nobody", &hash) < 0 || hash.len >= sizeof checker->dummy) {
        die_permanent("control/passwordscheme: \"%s\" is no scheme for new passwords: use $6$, $5$, $2b$, $y$, $gy$ or $7$",
                      scheme);
    }
    memcpy(checker->dummy, hash.s, hash.len);
    checker->dummy[hash.len] = '\0';
    stralloc_free(&hash);
}

/* Behind a {SCHEME} prefix as Dovecot writes it. */
static const char *skip_scheme(const char *stored)
{
    const char *end = stored[0] == '{' ? strchr(stored, '}') : NULL;
    return end == NULL ? stored : end + 1;
}

/* The length of a hash is no secret: its scheme decides it. */
static bool equal_in_constant_time(const char *a, const char *b)
{
    size_t n = strlen(a);
    if (n != strlen(b)) {
        return false;
    }
    unsigned difference = 0;
    for (size_t i = 0; i < n; i++) {
        difference |= (unsigned)((unsigned char)a[i] ^ (unsigned char)b[i]);
    }
    return difference == 0;
}

bool password_check(struct password_checker *checker, const char *stored, const char *given)
{
    const char *hash = stored == NULL ? "" : skip_scheme(stored);
    bool is_usable = hash[0] != '\0' && hash[0] != '*' && hash[0] != '!' && given[0] != '\0' && strlen(given) <= PASSWORD_MAX;
    if (is_usable) {
        int kind = crypt_checksalt(hash);
        is_usable = kind == CRYPT_SALT_OK || kind == CRYPT_SALT_METHOD_LEGACY;
    }
    char cut[PASSWORD_MAX + 1];
    size_t n = strnlen(given, PASSWORD_MAX);
    memcpy(cut, given, n);
    cut[n] = '\0';
    const char *setting = is_usable ? hash : checker->dummy;
    const char *made = crypt_ra(cut, setting, &checker->data, &checker->size);
    bool is_equal = made != NULL && made[0] != '*' && equal_in_constant_time(made, setting);
    if (checker->data != NULL) {
        password_wipe(checker->data, (size_t)checker->size);
    }
    password_wipe(cut, sizeof cut);
    return is_equal && is_usable;
}

void password_random(stralloc *out, size_t n)
{
    char letters[RANDOM_LEN_MAX];
    size_t made = 0;
    n = n > RANDOM_LEN_MAX ? RANDOM_LEN_MAX : n;
    while (made < n) {
        unsigned char byte;
        if (getrandom(&byte, 1, 0) != 1) {
            continue; /* EINTR: there is no other error without flags */
        }
        /* Bytes over the last multiple are thrown away, so that each letter is as likely as any other. */
        if (byte < 256 / RANDOM_LETTERS * RANDOM_LETTERS) {
            letters[made++] = random_letters[byte % RANDOM_LETTERS];
        }
    }
    str_cat(out, letters, n);
    password_wipe(letters, sizeof letters);
}
