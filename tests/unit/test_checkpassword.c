/* SPDX-License-Identifier: ISC */
/* checkpassword: descriptor 3, services, and as whom nothing is run. */
#include "auth/checkpassword.h"

#include <errno.h>
#include <unistd.h>

#include "tests/tap.h"

#define TEXT(s) s, sizeof s - 1

static const struct {
    const char *bytes;
    size_t n;
    const char *login, *password; /* NULL: not of that form */
    const char *name;
} inputs[] = {
    {TEXT("joe\0secret\0now\0"), "joe", "secret", "three_texts"},
    {TEXT("joe\0secret\0\0"), "joe", "secret", "an_empty_timestamp"},
    {TEXT("joe\0secret\0now\0more\0and more"), "joe", "secret", "what_comes_behind_is_left_alone"},
    {TEXT("\0\0\0"), "", "", "empty_texts"},
    {TEXT(""), NULL, NULL, "nothing"},
    {TEXT("joe"), NULL, NULL, "no_nul"},
    {TEXT("joe\0"), NULL, NULL, "no_password"},
    {TEXT("joe\0secret"), NULL, NULL, "no_nul_behind_the_password"},
    {TEXT("joe\0secret\0"), NULL, NULL, "no_timestamp"},
    {TEXT("joe\0secret\0now"), NULL, NULL, "no_nul_behind_the_timestamp"},
};

static void test_parse(void)
{
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        const char *login = NULL, *password = NULL;
        bool is_good = checkpassword_parse(inputs[i].bytes, inputs[i].n, &login, &password);
        ok(is_good == (inputs[i].login != NULL), inputs[i].name);
        is(login, inputs[i].login, "login");
        is(password, inputs[i].password, "password");
    }
}

static const struct {
    unsigned port;
    const char *program, *service;
} services[] = {
    {25, "true", "smtp"},
    {465, "x", "smtp"},
    {587, "x", "smtp"},
    {110, "/bin/true", "pop3"},
    {995, "imapd", "pop3"},
    {143, "true", "imap"},
    {993, "true", "imap"},
    {0, "/bin/true", "smtp"},
    {0, "/usr/sbin/imapd", "imap"},
    {0, "qmail-pop3d", "pop3"},
    {2110, "qmail-pop3d", "pop3"},
    {2525, "/bin/true", "smtp"},
};

static void test_services(void)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        is(checkpassword_service(services[i].port, services[i].program), services[i].service, services[i].program);
    }
}

static void test_read(void)
{
    char out[CHECKPASSWORD_MAX], big[CHECKPASSWORD_MAX + 1];
    int ends[2];
    memset(big, 'x', sizeof big);
    bool is_open = pipe(ends) == 0 && write(ends[1], "a\0b\0c\0", 6) == 6;
    errno = 0;
    ok(is_open && checkpassword_read(ends[0], 0, out) == -1 && errno == ETIMEDOUT, "a_pipe_that_stays_open_has_a_deadline");
    is_open = write(ends[1], "a\0b\0c\0", 6) == 6 && close(ends[1]) == 0;
    ok(is_open && checkpassword_read(ends[0], 1, out) == 6 && memcmp(out, "a\0b\0c\0", 6) == 0, "reads_to_the_end");
    close(ends[0]);
    is_open = pipe(ends) == 0 && write(ends[1], big, CHECKPASSWORD_MAX) == CHECKPASSWORD_MAX && close(ends[1]) == 0;
    ok(is_open && checkpassword_read(ends[0], 1, out) == CHECKPASSWORD_MAX, "takes_2048_bytes");
    close(ends[0]);
    is_open = pipe(ends) == 0 && write(ends[1], big, sizeof big) == (ssize_t)sizeof big && close(ends[1]) == 0;
    errno = 0;
    ok(is_open && checkpassword_read(ends[0], 1, out) == -1 && errno == EFBIG, "refuses_one_more");
    close(ends[0]);
    ok(checkpassword_read(-1, 1, out) == -1, "a_closed_descriptor_is_an_error");
}

int main(void)
{
    test_parse();
    test_services();
    test_read();
    ok(!checkpassword_may_run_as(0, "root"), "never_as_root");
    ok(!checkpassword_may_run_as(0, ""), "nor_as_a_root_without_name");
    ok(!checkpassword_may_run_as(990, "stafeta"), "nor_as_one_of_the_house");
    ok(checkpassword_may_run_as(990, "vmail"), "as_vmail");
    ok(checkpassword_may_run_as(64023, ""), "as_a_user_without_name");
    return done();
}
