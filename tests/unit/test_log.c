/* SPDX-License-Identifier: ISC */
/* lib/log and lib/replytext: foreign bytes are escaped and cut, a line is one line; lib/home: which folder it is. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/home.h"
#include "lib/log.h"
#include "lib/replytext.h"
#include "lib/str.h"
#include "tests/scratch.h"
#include "tests/tap.h"

static int pipes[2], old_stderr;
static stralloc text;

/* What was said since, with its line end. */
static const char *said(void)
{
    text.len = 0;
    (void)!write(2, "\1", 1); /* an end, so that nothing said does not block */
    do {
        ssize_t n = read(pipes[0], str_room(&text, 4096), 4096);
        text.len += n > 0 ? (size_t)n : 0;
    } while (text.s[text.len - 1] != '\1');
    text.len--;
    return str_text(&text);
}

static void begin(void)
{
    if (pipe(pipes) < 0) {
        exit(111);
    }
    old_stderr = dup(2);
    dup2(pipes[1], 2);
}

static void values(void)
{
    static const char *const rows[][2] = {{"plain", "plain"},
                                          {"a/b:c@d.e-f_g", "a/b:c@d.e-f_g"},
                                          {"", "\"\""},
                                          {"two words", "\"two words\""},
                                          {"a=b", "\"a=b\""},
                                          {"say \"x\"", "\"say \\\"x\\\"\""},
                                          {"back\\slash", "\"back\\\\slash\""},
                                          {"line\nid=forged", "\"line\\x0aid=forged\""},
                                          {"\r\t\x7f", "\"\\x0d\\x09\\x7f\""},
                                          {"\xc3\xa9", "\"\\xc3\\xa9\""},
                                          {"%s%n", "%s%n"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char want[128];
        log_event("event", "key=%s more=1", rows[i][0]);
        (void)snprintf(want, sizeof want, "event key=%s more=1\n", rows[i][1]);
        is(said(), want, rows[i][0]);
    }
    const char *none = getenv("NOBODY_SETS_THIS");
    log_event("event", "key=%s", none);
    is(said(), "event key=\"\"\n", "no_value");
    log_event("event", "%s", "");
    is(said(), "event \"\"\n", "an_empty_one");
}

static void numbers(void)
{
    log_event("n", "a=%d b=%u c=%ld d=%lu e=%lld f=%llu g=%zu h=%x i=%i", -1, 4294967295U, LONG_MIN, ULONG_MAX, LLONG_MIN,
              ULLONG_MAX, (size_t)7, 0xbeefU, 12);
    is(said(),
       "n a=-1 b=4294967295 c=-9223372036854775808 d=18446744073709551615 e=-9223372036854775808 f=18446744073709551615 g=7 "
       "h=beef i=12\n",
       "numbers_of_all_sizes");
    log_event("c", "a=%c b=%c", 'x', ' ');
    is(said(), "c a=x b=\" \"\n", "characters");
    errno = EXDEV;
    log_event("e", "a=%d", 1);
    is_number(errno, EXDEV, "errno_is_kept");
    (void)said();
}

static void long_lines(void)
{
    static char value[3000];
    memset(value, 'x', sizeof value - 1);
    unsigned wrong = 0;
    for (size_t n = 900; n < 1100; n++) {
        char c = value[n];
        value[n] = '\0';
        log_event("event", "key=%s after=%d", value, 7);
        const char *got = said();
        wrong += text.len > 1000 || strchr(got, '\n') != got + text.len - 1;
        wrong += n < 970 && strstr(got, " after=7\n") == NULL;
        wrong += n > 1000 && strstr(got, "x...\n") == NULL && strstr(got, "=...\n") == NULL;
        value[n] = c;
    }
    memset(value, '\n', sizeof value - 1);
    log_event("event", "key=%s", value);
    (void)said();
    wrong += text.len > 1000 || strstr(text.s, "...") == NULL;
    is_number(wrong, 0, "a_line_has_a_thousand_bytes_at_most");
}

/* A datagram a write. */
static void together(void)
{
    int pair[2];
    char bytes[200];
    stralloc lines = STRALLOC_ZERO;
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0) {
        exit(111);
    }
    dup2(pair[1], 2);
    errno = ENOENT;
    log_event_add(&lines, "one", "a=%s", "b c");
    log_event_add(&lines, "two", "b=%d", -10);
    is_number(recv(pair[0], bytes, sizeof bytes, MSG_DONTWAIT), -1, "lines_that_wait_are_not_written");
    errno = ENOENT;
    log_lines(&lines);
    is_number(errno, ENOENT, "errno_is_kept");
    ssize_t n = recv(pair[0], bytes, sizeof bytes, MSG_DONTWAIT);
    is_bytes(bytes, n < 0 ? 0 : (size_t)n, "one a=\"b c\"\ntwo b=-10\n", 22, "then_all_by_one_write");
    is_number((long long)lines.len, 0, "and_none_waits_any_more");
    dup2(pipes[1], 2);
    close(pair[0]);
    close(pair[1]);
}

static void rarely(void)
{
    uint64_t last = 0;
    uint64_t other = 0;
    log_event_rarely(&last, "limit", "n=%d", 1);
    log_event_rarely(&last, "limit", "n=%d", 2);
    log_event_rarely(&other, "limit", "n=%d", 3);
    is(said(), "limit n=1\nlimit n=3\n", "one_a_minute_and_place");
    ok(last != 0, "it_is_remembered");
    last = last > 60000 ? last - 60000 : 1;
    other = last;
    log_event_rarely(&last, "limit", "n=%d", 4);
    ok((said()[0] != '\0') == (last != other), "a_minute_later_one_more");
}

static void reply(const char *words, const struct reply_detail *detail, const char *want)
{
    text.len = 0;
    reply_text_append(&text, words, strlen(words), detail);
    is(str_text(&text), want, words);
}

static void replies(void)
{
    static char long_bytes[400];
    static char want[400];
    struct reply_detail detail = {"a\r\nb\xff", 5, 42, "4.3.0 told\n"};
    reply("plain", &detail, "plain");
    reply("", &detail, "");
    reply("<%s> at %n: %t!", &detail, "<a\\x0d\\x0ab\\xff> at 42: 4.3.0 told\\x0a!");
    reply("%s%s", &detail, "a\\x0d\\x0ab\\xffa\\x0d\\x0ab\\xff");
    detail = (struct reply_detail){"", 0, 0, NULL};
    reply("[%s][%n][%t]", &detail, "[][0][]");
    memset(long_bytes, 'x', sizeof long_bytes);
    memset(want, 'x', 200);
    detail = (struct reply_detail){long_bytes, 200, 0, NULL};
    reply("%s", &detail, want);
    memcpy(want + 200, "...", 4);
    detail.len = 201;
    reply("%s", &detail, want);
    memset(long_bytes, '\n', sizeof long_bytes);
    detail.len = 51;
    text.len = 0;
    reply_text_append(&text, "%s", 2, &detail);
    is_number((long long)text.len, 203, "what_grows_by_escaping_is_cut_too");
}

static int exit_of_entering(const char *option)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        home_enter(option);
        _exit(0);
    }
    (void)waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void homes(void)
{
    (void)unsetenv("STAFET_HOME");
    is(home_folder(NULL), STAFET_HOME, "the_compiled_home");
    (void)setenv("STAFET_HOME", "", 1);
    is(home_folder(NULL), STAFET_HOME, "also_where_the_environment_has_an_empty_one");
    (void)setenv("STAFET_HOME", "/env", 1);
    is(home_folder(NULL), "/env", "that_of_the_environment");
    is(home_folder("/option"), "/option", "that_of_the_option");
    is_number(exit_of_entering("."), 0, "it_is_entered");
    is_number(exit_of_entering("./none"), 111, "one_that_is_not_there_ends_the_program");
    ok(strstr(said(), "cannot enter the home folder ./none") != NULL, "which_says_so");
}

int main(void)
{
    scratch_begin();
    begin();
    values();
    numbers();
    long_lines();
    together();
    rarely();
    replies();
    homes();
    dup2(old_stderr, 2);
    return scratch_end(done());
}
