/* SPDX-License-Identifier: ISC */
/* The tables of POP3's control files: `stafet-pop3-login -T` and `stafet-pop3d -T` print them. */
#include "pop3d/settings.h"

static struct settings settings;

const struct control_entry settings_of_login[] = {
    {"me", CONTROL_TEXT, NULL, 0, 0, &settings.me},
    {"popinterval", CONTROL_NUMBER, "60", 0, 86400, &settings.popinterval},
    {"maxpop3errors", CONTROL_NUMBER, "20", 1, 1000000, &settings.maxpop3errors},
    {"maxunknown", CONTROL_NUMBER, "3", 1, 1000, &settings.maxunknown},
    {"maxlogins", CONTROL_NUMBER, "5", 1, 1000, &settings.maxlogins},
    {"timeoutpop3login", CONTROL_NUMBER, "120", 1, 86400, &settings.timeoutpop3login},
    {0},
};

const struct control_entry settings_of_session[] = {
    {"popinterval", CONTROL_NUMBER, "60", 0, 86400, &settings.popinterval},
    {"maxpop3errors", CONTROL_NUMBER, "100", 1, 1000000, &settings.maxpop3errors},
    {"timeoutpop3d", CONTROL_NUMBER, "1200", 1, 86400, &settings.timeoutpop3d},
    {0},
};

const struct settings *settings_now(void)
{
    return &settings;
}
