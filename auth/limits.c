/* SPDX-License-Identifier: ISC */
/* The limits file of qmailadmin and vpopmail: only what a mailbox feels is read here. */
#include "auth/limits.h"

#include <string.h>

#include "auth/textfile.h"
#include "auth/userdb.h"
#include "lib/scan.h"
#include "lib/str.h"

static const struct {
    const char *key;
    uint32_t flag;
} switches[] = {
    {"disable_pop", USERDB_NO_POP},
    {"disable_imap", USERDB_NO_IMAP},
    {"disable_dialup", USERDB_NO_DIALUP},
    {"disable_password_changing", USERDB_NO_PASSWORD_CHANGE},
    {"disable_external_relay", USERDB_NO_RELAY},
    {"disable_smtp", USERDB_NO_SMTP},
    {"disable_webmail", USERDB_NO_WEBMAIL},
    {"disable_spamassassin", USERDB_NO_SPAMASSASSIN},
    {"delete_spam", USERDB_DELETE_SPAM},
    {"disable_maildrop", USERDB_NO_MAILDROP},
};

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == ':' || c == '\r';
}

static void take_line(const char *line, size_t n, struct limits *out)
{
    size_t key_len = 0;
    while (key_len < n && !is_separator(line[key_len])) {
        key_len++;
    }
    size_t start = key_len, end = n;
    while (start < end && is_separator(line[start])) {
        start++;
    }
    while (end > start && is_separator(line[end - 1])) {
        end--;
    }
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (str_equal_nocase(line, key_len, switches[i].key, strlen(switches[i].key))) {
            out->flags |= switches[i].flag;
        }
    }
    uint64_t number;
    if (!scan_decimal(line + start, end - start, UINT64_MAX / 2, &number)) {
        return;
    }
    if (str_equal_nocase(line, key_len, "default_quota", 13)) {
        out->default_quota = number;
    } else if (str_equal_nocase(line, key_len, "default_maxmsgcount", 19)) {
        out->default_count = number;
    }
}

void limits_parse(const char *bytes, size_t n, struct limits *out)
{
    *out = (struct limits){.flags = 0};
    size_t at = 0, len;
    const char *line;
    while (textfile_next_line(bytes, n, &at, &line, &len)) {
        if (len > 0 && line[0] != '#') {
            take_line(line, len, out);
        }
    }
}

int limits_load(int dir_at, const char *folder, struct limits *out)
{
    char name[768];
    stralloc text = STRALLOC_ZERO;
    bool is_there = false;
    if (!userdb_path(folder, ".qmailadmin-limits", name, sizeof name) || textfile_read_name(dir_at, name, &text, &is_there) < 0 ||
        (!is_there && textfile_read_name(dir_at, "etc/vlimits.default", &text, &is_there) < 0)) {
        stralloc_free(&text);
        return -1;
    }
    limits_parse(text.s, text.len, out);
    stralloc_free(&text);
    return 0;
}

uint32_t limits_flags(const struct limits *limits, uint32_t flags)
{
    return (flags & USERDB_OVERRIDE) != 0 ? flags : flags | limits->flags;
}
