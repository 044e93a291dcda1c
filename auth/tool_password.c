/* SPDX-License-Identifier: ISC */
/* Passwords of the tools (tool.h): from the command line, from the terminal, from chance; and their hash. */
#include "auth/tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "auth/password.h"
#include "lib/control.h"
#include "lib/die.h"
#include "lib/scan.h"
#include "lib/str.h"

/* One line from the terminal without echo. False: its end came first. */
static bool read_hidden_line(const char *prompt, stralloc *out)
{
    struct termios shown, hidden;
    if (tcgetattr(0, &shown) < 0) {
        return false;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    /* Before the prompt: what is typed when it shows is never thrown away. */
    tcsetattr(0, TCSAFLUSH, &hidden);
    printf("%s", prompt);
    fflush(stdout);
    char c = '\0';
    ssize_t n = 1;
    out->len = 0;
    while ((n = read(0, &c, 1)) == 1 && c != '\n' && out->len <= PASSWORD_MAX) {
        str_catc(out, c);
    }
    tcsetattr(0, TCSANOW, &shown);
    printf("\n");
    (void)str_text(out);
    return n == 1;
}

static bool ask(const char *whom, stralloc *out)
{
    char prompt[256];
    stralloc again = STRALLOC_ZERO;
    snprintf(prompt, sizeof prompt, "Please enter password for %s: ", whom);
    bool is_same = false, is_open = true;
    while (is_open && !is_same) {
        is_open = read_hidden_line(prompt, out) && read_hidden_line("enter password again: ", &again);
        is_same = is_open && strcmp(out->s, again.s) == 0;
        if (is_open && !is_same) {
            printf("Passwords do not match, try again\n");
        }
    }
    if (again.s != NULL) {
        password_wipe(again.s, again.len);
    }
    stralloc_free(&again);
    return is_same;
}

bool tool_get_password(char *argument, const char *whom, stralloc *out)
{
    if (argument == NULL) {
        return isatty(0) && ask(whom, out) && out->len > 0;
    }
    str_copys(out, argument);
    (void)str_text(out);
    /* Others see a command line in ps. */
    password_wipe(argument, strlen(argument));
    return out->len > 0;
}

bool tool_random_password(const char *length, stralloc *out)
{
    uint64_t n = 12;
    if (length != NULL && (!scan_decimal_text(length, 128, &n) || n == 0)) {
        return false;
    }
    password_random(out, (size_t)n);
    (void)str_text(out);
    return true;
}

void tool_hash_password(const char *password, stralloc *out)
{
    const char *scheme = NULL;
    const struct control_entry controls[] = {{"passwordscheme", CONTROL_TEXT, PASSWORD_SCHEME_DEFAULT, 0, 0, &scheme}, {0}};
    if (control_load(controls) < 0) {
        die_temporary("cannot read control/passwordscheme");
    }
    if (password_hash(scheme, password, out) < 0) {
        if (errno == ERANGE) {
            tool_fail(VA_PASSWD_TOO_LONG, "a password has 1 to 511 bytes");
        }
        die_permanent("control/passwordscheme: \"%s\" is no scheme for new passwords: use $6$, $5$, $2b$, $y$, $gy$ or $7$",
                      scheme);
    }
    (void)str_text(out);
}
