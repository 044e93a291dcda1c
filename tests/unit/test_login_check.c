/* SPDX-License-Identifier: ISC */
/* login_check: each check costs one password hash, whoever is asked for; a waiting address costs none. crypt_ra() of this file
 * counts, and calls the one of libxcrypt. */
#include "auth/login_check.h"
#include "auth/password_cache.h"

#include <crypt.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/assign_write.h"
#include "auth/userdb_write.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static unsigned hashes;

char *crypt_ra(const char *phrase, const char *setting, void **data, int *size)
{
    char *(*real)(const char *, const char *, void **, int *);
    *(void **)&real = dlsym(RTLD_NEXT, "crypt_ra");
    hashes++;
    return real(phrase, setting, data, size);
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    fputs(text, file);
    fclose(file);
}

static void make_mailbox(const char *name, const char *hash, uint32_t flags)
{
    struct userdb_record record = {.uid = 1, .flags = flags, .quota = "NOQUOTA", .dir = "/x"};
    snprintf(record.name, sizeof record.name, "%s", name);
    snprintf(record.password, sizeof record.password, "%s", hash);
    enum userdb_write result = strcmp(name, "postmaster") == 0 ? userdb_create(AT_FDCWD, "domains/example.test", &record)
                                                               : userdb_add(AT_FDCWD, "domains/example.test", &record);
    if (result != USERDB_WRITE_DONE) {
        printf("# no mailbox %s\n", name);
    }
}

static void make_house(void)
{
    static const char *const folders[] = {"control", "users", "domains", "domains/example.test", "auth"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        mkdir(folders[i], 0700);
    }
    put("control/me", "mx.test\n");
    put("control/passwordscheme", "$5$\n");
    struct assign_domain domain = {
        .name = "example.test", .entry = {.user = "example.test", .home = "/x", .dash = "-", .uid = geteuid(), .gid = getegid()}};
    char home[200];
    snprintf(domain.entry.home, sizeof domain.entry.home, "%s/domains/example.test",
             getcwd(home, sizeof home) == NULL ? "" : home);
    ok(assign_add_domain(AT_FDCWD, &domain) == 0, "the_domain_is_there");
    stralloc hash = STRALLOC_ZERO;
    ok(password_hash("$5$", "secret", &hash) == 0, "the_hash_too");
    make_mailbox("postmaster", str_text(&hash), 0);
    make_mailbox("joe", str_text(&hash), 0);
    make_mailbox("shut", str_text(&hash), USERDB_NO_POP | USERDB_NO_IMAP | USERDB_NO_SMTP);
    make_mailbox("none", "", 0);
    make_mailbox("star", "*", 0);
    make_mailbox("torn", "$5$", 0);
    make_mailbox("plain", "{PLAIN}secret", 0);
    stralloc_free(&hash);
}

static const struct {
    const char *user, *password, *ip;
    enum login_reply reply;
    unsigned hashes;
    const char *name;
} rows[] = {
    {"joe@example.test", "secret", "", LOGIN_REPLY_WELCOME, 1, "the_right_password"},
    {"joe@example.test", "wrong", "", LOGIN_REPLY_BAD_PASSWORD, 1, "a_wrong_one"},
    {"joe@example.test", "", "", LOGIN_REPLY_BAD_PASSWORD, 1, "an_empty_one"},
    {"nobody@example.test", "secret", "", LOGIN_REPLY_BAD_PASSWORD, 1, "an_unknown_user"},
    {"joe@nowhere.test", "secret", "", LOGIN_REPLY_BAD_PASSWORD, 1, "an_unknown_domain"},
    {"joe", "secret", "", LOGIN_REPLY_BAD_PASSWORD, 1, "a_bare_user"},
    {"", "", "", LOGIN_REPLY_BAD_PASSWORD, 1, "nobody"},
    {"../x@example.test", "secret", "", LOGIN_REPLY_BAD_PASSWORD, 1, "a_malformed_name"},
    {"none@example.test", "", "", LOGIN_REPLY_BAD_PASSWORD, 1, "a_user_without_password"},
    {"star@example.test", "*", "", LOGIN_REPLY_BAD_PASSWORD, 1, "a_locked_user"},
    {"torn@example.test", "secret", "", LOGIN_REPLY_BAD_PASSWORD, 1, "a_torn_hash"},
    {"plain@example.test", "secret", "", LOGIN_REPLY_BAD_PASSWORD, 1, "a_plain_password"},
    {"shut@example.test", "secret", "", LOGIN_REPLY_DISABLED, 1, "a_disabled_user"},
    {"shut@example.test", "wrong", "", LOGIN_REPLY_BAD_PASSWORD, 1, "a_disabled_user_and_a_wrong_password"},
    {"joe@example.test", "wrong", "192.0.2.7", LOGIN_REPLY_BAD_PASSWORD, 1, "a_guess_from_an_address"},
    {"joe@example.test", "secret", "192.0.2.7", LOGIN_REPLY_TOO_MANY_FAILURES, 0, "no_hash_while_the_address_waits"},
    {"nobody@example.test", "secret", "192.0.2.7", LOGIN_REPLY_TOO_MANY_FAILURES, 0, "nor_for_an_unknown_user"},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct login_answer answer;
        uint64_t now_us = 0;
        struct stat st;
        if (stat("auth/penalty/192.0.2.7", &st) == 0) {
            now_us = (uint64_t)st.st_mtim.tv_sec * 1000000;
        }
        hashes = 0;
        login_check(&(struct login_question){.service = "smtp",
                                             .name = rows[i].user,
                                             .password = rows[i].password,
                                             .mech = "PLAIN",
                                             .ip = rows[i].ip,
                                             .sid = "1",
                                             .now_us = now_us},
                    &answer);
        ok(answer.reply == rows[i].reply, rows[i].name);
        ok(hashes == rows[i].hashes, "with_its_work");
    }
}

/* Hashes of a check by imap, and its reply. */
static unsigned count_hashes(const char *name, const char *password, enum login_reply *reply_out)
{
    struct login_answer answer;
    hashes = 0;
    login_check(
        &(struct login_question){.service = "imap", .name = name, .password = password, .mech = "PLAIN", .ip = "", .sid = "x"},
        &answer);
    *reply_out = answer.reply;
    return hashes;
}

static void test_known_password(void)
{
    enum login_reply reply;
    password_cache_start();
    login_settings.cache_seconds = 60;
    is_number(count_hashes("joe@example.test", "secret", &reply), 1, "the_first_login_costs_a_hash");
    is_number(count_hashes("joe@example.test", "secret", &reply), 0, "the_next_none");
    is_number(reply, LOGIN_REPLY_WELCOME, "and_is_welcome");
    is_number(count_hashes("joe@example.test", "wrong", &reply), 1, "a_wrong_password_still_does");
    is_number(count_hashes("nobody@example.test", "secret", &reply), 1, "and_an_unknown_user");
    is_number(reply, LOGIN_REPLY_BAD_PASSWORD, "who_stays_out");
    (void)count_hashes("shut@example.test", "secret", &reply);
    (void)count_hashes("shut@example.test", "secret", &reply);
    is_number(reply, LOGIN_REPLY_DISABLED, "a_known_password_opens_nothing_that_is_shut");
    login_settings.cache_seconds = 0;
    is_number(count_hashes("joe@example.test", "secret", &reply), 1, "switched_off_it_costs_the_hash_again");
}

int main(void)
{
    scratch_begin();
    make_house();
    ok(control_load(login_controls) == 0, "settings");
    login_start();
    test_rows();
    test_known_password();
    return scratch_end(done());
}
