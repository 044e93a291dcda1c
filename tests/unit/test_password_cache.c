/* SPDX-License-Identifier: ISC */
/* password_cache: knows only what was right, for the hash that it was right for, and not for ever. */
#include "auth/password_cache.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tap.h"

enum { HOUR = 3600, START_MS = 5000 };

static void test_one(void)
{
    ok(!password_cache_knows("$6$a", "secret", HOUR, START_MS), "nothing_is_known_before_the_start");
    password_cache_learn("$6$a", "secret", START_MS);
    password_cache_start();
    ok(!password_cache_knows("$6$a", "secret", HOUR, START_MS), "nor_what_was_learnt_before_it");
    password_cache_learn("$6$a", "secret", START_MS);
    ok(password_cache_knows("$6$a", "secret", HOUR, START_MS), "what_was_right_is_known");
    ok(!password_cache_knows("$6$a", "secreT", HOUR, START_MS), "another_password_is_not");
    ok(!password_cache_knows("$6$b", "secret", HOUR, START_MS), "nor_the_same_one_for_another_hash");
    ok(!password_cache_knows("$6$as", "ecret", HOUR, START_MS), "hash_and_password_do_not_run_into_each_other");
    ok(!password_cache_knows("", "", HOUR, START_MS), "nothing_is_not_known");
    ok(!password_cache_knows("$6$a", "secret", 0, START_MS), "0_seconds_know_nothing");
    ok(password_cache_knows("$6$a", "secret", HOUR, START_MS + (HOUR - 1) * 1000), "it_stays_for_its_time");
    ok(!password_cache_knows("$6$a", "secret", HOUR, START_MS + HOUR * 1000), "and_no_longer");
}

static void test_members(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        password_cache_learn("$6$c", "of a member", START_MS);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    ok(password_cache_knows("$6$c", "of a member", HOUR, START_MS), "members_share_it");
}

static void test_full(void)
{
    char given[24];
    unsigned known = 0;
    for (unsigned i = 0; i < 2 * PASSWORD_CACHE_ENTRIES; i++) {
        snprintf(given, sizeof given, "%u", i);
        password_cache_learn("$6$d", given, START_MS + i);
    }
    for (unsigned i = 0; i < 2 * PASSWORD_CACHE_ENTRIES; i++) {
        snprintf(given, sizeof given, "%u", i);
        known += password_cache_knows("$6$d", given, HOUR, START_MS + 2 * PASSWORD_CACHE_ENTRIES);
    }
    ok(known > PASSWORD_CACHE_ENTRIES / 2 && known <= PASSWORD_CACHE_ENTRIES, "the_newest_push_the_oldest_out");
    snprintf(given, sizeof given, "%u", 2 * PASSWORD_CACHE_ENTRIES - 1);
    ok(password_cache_knows("$6$d", given, HOUR, START_MS + 2 * PASSWORD_CACHE_ENTRIES), "the_last_is_there");
}

int main(void)
{
    test_one();
    test_members();
    test_full();
    return done();
}
