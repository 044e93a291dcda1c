/* SPDX-License-Identifier: ISC */
/* See settings.h; control(5) has the words. */
#include "imapd/settings.h"

static struct settings settings;

const struct control_entry settings_table[] = {
    {"me", CONTROL_TEXT, NULL, 0, 0, &settings.me},
    {"imapprefix", CONTROL_TEXT, "", 0, 0, &settings.prefix},
    {"imapseparator", CONTROL_TEXT, "/", 0, 0, &settings.separator},
    {"timeoutimap", CONTROL_NUMBER, "1800", 60, 86400, &settings.timeout},
    {"databytes", CONTROL_NUMBER, "10485760", 0, UINT32_MAX, &settings.databytes},
    {"imapmaxerrors", CONTROL_NUMBER, "50", 1, 1000000, &settings.maxerrors},
    {"spoolsync", CONTROL_TEXT, NULL, 0, 0, &settings.spoolsync},
    {"imapsearchtime", CONTROL_NUMBER, "120", 0, 86400, &settings.searchtime},
    {"imapsessions", CONTROL_NUMBER, "500", 0, 100000, &settings.sessions},
    {"imapidlelook", CONTROL_NUMBER, "5", 1, 3600, &settings.idlelook},
    {0},
};

const struct settings *settings_now(void)
{
    return &settings;
}
