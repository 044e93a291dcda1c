/* SPDX-License-Identifier: ISC */
/* The one table of smtpd's control files: `stafet-smtpd -T` prints it, stafet-smtpd(8) explains it. */
#include "smtpd/settings.h"

static struct settings settings;

const struct control_entry settings_table[] = {
    {"me", CONTROL_TEXT, NULL, 0, 0, &settings.me},
    {"smtpgreeting", CONTROL_TEXT, "=me", 0, 0, &settings.greeting},
    {"databytes", CONTROL_NUMBER, "10485760", 0, UINT32_MAX, &settings.databytes},
    {"maxrcpt", CONTROL_NUMBER, "1000", 1, 50000, &settings.maxrcpt},
    {"maxerrors", CONTROL_NUMBER, "50", 1, 1000000, &settings.maxerrors},
    {"maxunknown", CONTROL_NUMBER, "3", 1, 1000, &settings.maxunknown},
    {"maxcommands", CONTROL_NUMBER, "5000", 10, 1000000, &settings.maxcommands},
    {"maxtransactions", CONTROL_NUMBER, "1000", 1, 1000000, &settings.maxtransactions},
    {"timeoutsmtpd", CONTROL_NUMBER, "300", 1, 86400, &settings.timeoutsmtpd},
    {"timeoutsession", CONTROL_NUMBER, "21600", 1, 86400, &settings.timeoutsession},
    {"minrate", CONTROL_NUMBER, "500", 0, UINT32_MAX, &settings.minrate},
    {"minrategrace", CONTROL_NUMBER, "60", 0, 86400, &settings.minrategrace},
    {"badmailfrom", CONTROL_LIST, NULL, 0, 0, &settings.badmailfrom},
    {0},
};

const struct settings *settings_now(void)
{
    return &settings;
}
