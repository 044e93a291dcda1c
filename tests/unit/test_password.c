/* SPDX-License-Identifier: ISC */
/* password: hashes of other programs are known, hostile ones never match, unknown users cost the same work. */
#include "auth/password.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"
#include "tests/tap.h"

static const struct {
    const char *stored, *given;
    bool is_good;
    const char *name;
} checks[] = {
    /* The SHA vectors are openssl-passwd(1)'s. */
    {"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!", true,
     "knows_sha512_crypt"},
    {"$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!", true, "knows_sha256_crypt"},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", true, "knows_bcrypt"},
    {"$1$abcdef$0r6mPvVxLyBnLVqcJI6RC1", "x", false, "a_wrong_password_does_not_match_md5_crypt"},
    {"{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
     "Hello world!", true, "skips_a_scheme_in_braces"},
    {"{CRYPT}", "", false, "a_scheme_without_hash_matches_nothing"},
    {"{PLAIN}secret", "secret", false, "a_plain_password_behind_a_scheme_is_no_hash"},
    {"secret", "secret", false, "a_plain_password_is_no_hash"},
    {"", "", false, "no_password_matches_no_hash"},
    {"", "x", false, "nothing_matches_an_empty_hash"},
    {NULL, "x", false, "nothing_matches_an_unknown_user"},
    {NULL, "the password of nobody", false, "the_dummys_own_password_is_no_way_in"},
    {"*", "*", false, "a_star_locks"},
    {"*0", "x", false, "crypts_failure_token_matches_nothing"},
    {"!$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!",
     false, "an_exclamation_mark_locks"},
    {"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world", false,
     "a_shorter_password_does_not_match"},
    {"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz", "Hello world!", false,
     "a_cut_hash_does_not_match"},
    {"$6$saltstring", "Hello world!", false, "a_salt_without_hash_does_not_match"},
    {"$6$", "x", false, "a_scheme_alone_does_not_match"},
    {"$nosuch$x$y", "x", false, "an_unknown_method_does_not_match"},
};

static void checks_hashes(void)
{
    struct password_checker checker;
    password_start(&checker, "$6$");
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        ok(password_check(&checker, checks[i].stored, checks[i].given) == checks[i].is_good, checks[i].name);
    }
    char longer[PASSWORD_MAX + 2];
    stralloc hash = STRALLOC_ZERO;
    memset(longer, 'a', sizeof longer - 1);
    longer[PASSWORD_MAX + 1] = '\0';
    ok(password_hash("$6$", longer, &hash) < 0 && errno == ERANGE, "512_bytes_are_too_many");
    longer[PASSWORD_MAX] = '\0';
    ok(password_hash("$6$", longer, &hash) == 0, "511_bytes_are_taken");
    ok(password_check(&checker, str_text(&hash), longer), "and_match");
    longer[PASSWORD_MAX] = 'b';
    ok(!password_check(&checker, hash.s, longer), "a_longer_password_is_refused_not_cut");
    stralloc_free(&hash);
    free(checker.data);
}

static void makes_hashes(void)
{
    static const char *const schemes[] = {"$6$", "$5$", "$2b$", "$y$", "$gy$", "$7$"};
    struct password_checker checker;
    password_start(&checker, "$5$");
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        stralloc hash = STRALLOC_ZERO;
        bool good = password_hash(schemes[i], "p\xc3\xa4ss", &hash) == 0 &&
                    strncmp(str_text(&hash), schemes[i], strlen(schemes[i])) == 0 && hash.len <= 128 &&
                    password_check(&checker, hash.s, "p\xc3\xa4ss") && !password_check(&checker, hash.s, "pass");
        ok(good, schemes[i]);
        stralloc_free(&hash);
    }
    stralloc one = STRALLOC_ZERO, two = STRALLOC_ZERO;
    ok(password_hash("$5$", "x", &one) == 0 && password_hash("$5$", "x", &two) == 0 &&
           strcmp(str_text(&one), str_text(&two)) != 0,
       "two_hashes_of_one_password_have_two_salts");
    ok(password_hash("$1$", "x", &one) < 0 && errno == EINVAL, "md5_is_no_scheme_for_new_passwords");
    ok(password_hash("", "x", &one) < 0, "des_is_no_scheme_for_new_passwords");
    ok(password_hash("$6$rounds=1", "x", &one) < 0, "a_scheme_is_a_prefix_and_nothing_more");
    ok(password_hash("$6$", "", &one) < 0 && errno == ERANGE, "an_empty_password_has_no_hash");
    stralloc_free(&one);
    stralloc_free(&two);
    free(checker.data);
}

static void makes_random_passwords(void)
{
    stralloc one = STRALLOC_ZERO, two = STRALLOC_ZERO;
    password_random(&one, 40);
    password_random(&two, 40);
    ok(one.len == 40 && strcmp(str_text(&one), str_text(&two)) != 0, "random_passwords_differ");
    ok(strpbrk(one.s, "0O1lI") == NULL && strpbrk(two.s, "0O1lI") == NULL, "no_letter_looks_like_another");
    stralloc_free(&one);
    stralloc_free(&two);
}

int main(void)
{
    checks_hashes();
    makes_hashes();
    makes_random_passwords();
    return done();
}
