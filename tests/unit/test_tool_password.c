/* SPDX-License-Identifier: ISC */
/* Passwords of the tools, asked for on a terminal: a pseudo terminal whose other end is typed on here. */
#include "auth/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lib/str.h"
#include "tests/tap.h"

static int open_terminal(void)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0) {
        perror("posix_openpt");
        exit(111);
    }
    return terminal;
}

/* Exit 0 with `*password` and a bar on fd 1 when one was got; 1 when not. */
static _Noreturn void ask_in_child(const char *name)
{
    stralloc password = STRALLOC_ZERO;
    setsid();
    int fd = open(name, O_RDWR);
    if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0) {
        exit(111);
    }
    bool is_there = tool_get_password(NULL, "joe@example.test", &password);
    struct termios settings;
    bool has_echo = tcgetattr(0, &settings) == 0 && (settings.c_lflag & ECHO) != 0;
    printf("[%s]%s\n", is_there ? str_text(&password) : "none", has_echo ? "" : " echo is off");
    exit(is_there ? 0 : 1);
}

/* Types each line when a colon and a blank ask for it. What the terminal showed; the exit code in *code_out. */
static void converse(const char *const *lines, stralloc *shown, int *code_out)
{
    int terminal = open_terminal();
    const char *name = ptsname(terminal);
    pid_t child = fork();
    if (child == 0) {
        ask_in_child(name);
    }
    shown->len = 0;
    size_t asked = 0;
    for (;;) {
        char more[256];
        struct pollfd wait = {.fd = terminal, .events = POLLIN};
        ssize_t n = poll(&wait, 1, 10000) == 1 ? read(terminal, more, sizeof more) : -1;
        if (n <= 0) {
            break;
        }
        str_cat(shown, more, (size_t)n);
        bool is_asked = shown->len > asked + 2 && memcmp(shown->s + shown->len - 2, ": ", 2) == 0;
        if (is_asked && *lines != NULL) {
            asked = shown->len;
            (void)!write(terminal, *lines, strlen(*lines));
            lines++;
        }
    }
    int status = 0;
    waitpid(child, &status, 0);
    close(terminal);
    *code_out = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    (void)str_text(shown);
}

int main(void)
{
    stralloc shown = STRALLOC_ZERO;
    int code;
    converse((const char *const[]){"se cret\n", "se cret\n", NULL}, &shown, &code);
    ok(code == 0, "a_password_typed_twice");
    is(shown.s, "Please enter password for joe@example.test: \r\nenter password again: \r\n[se cret]\r\n", "is_not_shown");
    converse((const char *const[]){"one\n", "two\n", "three\n", "three\n", NULL}, &shown, &code);
    ok(code == 0 && strstr(shown.s, "Passwords do not match, try again\r\n") != NULL && strstr(shown.s, "[three]") != NULL,
       "asks_again_when_they_differ");
    converse((const char *const[]){"\n", "\n", NULL}, &shown, &code);
    ok(code == 1 && strstr(shown.s, "[none]\r\n") != NULL, "an_empty_one_is_none");
    converse((const char *const[]){"\x04", NULL}, &shown, &code);
    ok(code == 1 && strstr(shown.s, "[none]\r\n") != NULL, "the_end_of_input_is_none");
    char argument[] = "secret";
    stralloc password = STRALLOC_ZERO;
    ok(tool_get_password(argument, "joe", &password), "an_argument_is_taken");
    is(str_text(&password), "secret", "as_it_is");
    ok(argument[0] == '\0' && argument[5] == '\0', "and_wiped_where_it_stood");
    ok(!tool_get_password(argument, "joe", &password), "an_empty_argument_is_none");
    ok(!tool_random_password("0", &password) && !tool_random_password("129", &password) && !tool_random_password("x", &password),
       "lengths_that_are_none");
    password.len = 0;
    ok(tool_random_password(NULL, &password) && password.len == 12, "twelve_letters");
    return done();
}
