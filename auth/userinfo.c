/* SPDX-License-Identifier: ISC */
/* The display of vuserinfo: order, labels and blanks are those that scripts cut with awk. */
#include "auth/userinfo.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth/textfile.h"
#include "lib/quota.h"
#include "lib/str.h"

static const struct {
    uint32_t flag;
    const char *words;
} limit_words[] = {
    {USERDB_NO_PASSWORD_CHANGE, "password can not be changed by user"},
    {USERDB_NO_POP, "pop access closed"},
    {USERDB_NO_WEBMAIL, "webmail access closed"},
    {USERDB_NO_IMAP, "imap access closed"},
    {USERDB_NO_SMTP, "smtp access is closed"},
    {USERDB_NO_RELAY, "user not allowed to relay mail"},
    {USERDB_NO_SPAMASSASSIN, "spamassassin processing disabled"},
    {USERDB_DELETE_SPAM, "delete spam"},
    {USERDB_NO_MAILDROP, "maildrop processing disabled"},
    {USERDB_NO_DIALUP, "no dialup flag has been set"},
    {USERDB_BOUNCE_MAIL, "mail will be bounced back to sender"},
    {USERDB_QA_ADMIN, "has qmailadmin administrator access"},
    {USERDB_SA_ADMIN, "has system administrator access"},
    {USERDB_SA_EXPERT, "has expert access"},
    {USERDB_USER0, "user flag 0 is set"},
    {USERDB_USER1, "user flag 1 is set"},
    {USERDB_USER2, "user flag 2 is set"},
    {USERDB_USER3, "user flag 3 is set"},
    {USERDB_OVERRIDE, "user is not subject to domain limits"},
};

static unsigned find_percent(const char *dir, const char *quota_text)
{
    char path[600];
    struct quota quota;
    struct quota_usage usage;
    unsigned percent = 0;
    if (!quota_parse(quota_text, strlen(quota_text), &quota) || !userdb_path(dir, "Maildir", path, sizeof path)) {
        return 0;
    }
    int maildir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (maildir < 0) {
        return 0;
    }
    if (quota_load(maildir, &quota, 0, (uint64_t)time(NULL), &usage) == 0) {
        percent = quota_percent(&quota, &usage);
    }
    close(maildir);
    return percent;
}

/* lastauth holds the address of the last login; its mtime is the time. */
static void find_last(const char *dir, struct userinfo_facts *facts)
{
    char path[600];
    stralloc text = STRALLOC_ZERO;
    struct stat st;
    bool is_there = false;
    if (!userdb_path(dir, "lastauth", path, sizeof path) || fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        textfile_read_name(AT_FDCWD, path, &text, &is_there) < 0 || !is_there) {
        return;
    }
    size_t n = 0;
    while (n < text.len && n < sizeof facts->last_ip - 1 && text.s[n] > ' ' && text.s[n] < 0x7f) {
        n++;
    }
    memcpy(facts->last_ip, text.s, n);
    facts->last_ip[n] = '\0';
    facts->last_seconds = (int64_t)st.st_mtime;
    stralloc_free(&text);
}

void userinfo_find(const struct userdb_record *record, const char *relative_dir, struct userinfo_facts *out)
{
    *out = (struct userinfo_facts){.percent = find_percent(relative_dir, record->quota)};
    find_last(relative_dir, out);
}

static void show_limits(const struct userdb_record *record, uint32_t in_force)
{
    if (in_force == 0) {
        printf("limits: No user limits set.\n");
        return;
    }
    printf("limits:\n");
    for (size_t i = 0; i < sizeof limit_words / sizeof limit_words[0]; i++) {
        if ((in_force & limit_words[i].flag) != 0) {
            printf("        %s%s\n", limit_words[i].words, (record->flags & limit_words[i].flag) != 0 ? "" : " (*)");
        }
    }
    if (in_force != record->flags) {
        printf("        * = set by domain-wide limits\n");
    }
}

static void show_usage(const struct userdb_record *record, const struct userinfo_facts *facts, const char *label)
{
    struct quota quota;
    if (quota_parse(record->quota, strlen(record->quota), &quota) && !quota_is_limited(&quota)) {
        printf("%sNOQUOTA\n", label);
    } else {
        printf("%s%u%%\n", label, facts->percent);
    }
}

static void show_last(const struct userinfo_facts *facts)
{
    char when[64];
    struct tm parts;
    time_t seconds = (time_t)facts->last_seconds;
    if (facts->last_seconds == 0 || facts->last_ip[0] == '\0' || localtime_r(&seconds, &parts) == NULL ||
        strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y", &parts) == 0) {
        printf("last auth: Never logged in\n");
        return;
    }
    printf("last auth: %s\nlast auth ip: %s\n", when, facts->last_ip);
}

static void show_all(const struct userdb_record *record, uint32_t in_force, const struct userinfo_facts *facts)
{
    printf("name:   %s\n", record->name);
    printf("passwd: %s\n", record->password);
    printf("clear passwd: %s\n", record->clear);
    printf("comment/gecos: %s\n", record->gecos);
    printf("uid:    %lld\n", (long long)record->uid);
    printf("gid:    %lu\n", (unsigned long)record->flags);
    printf("flags:  %lu\n", (unsigned long)in_force);
    printf("gecos: %s\n", record->gecos);
    show_limits(record, in_force);
    printf("dir:       %s\n", record->dir);
    printf("quota:     %s\n", record->quota);
    show_usage(record, facts, "usage:     ");
    show_last(facts);
}

static void show_text(unsigned view, unsigned field, const char *text)
{
    if ((view & field) != 0) {
        printf("%s\n", text);
    }
}

void userinfo_show(const struct userdb_record *record, uint32_t in_force, const struct userinfo_facts *facts, unsigned view)
{
    if ((view & USERINFO_ALL) != 0) {
        show_all(record, in_force, facts);
        return;
    }
    show_text(view, USERINFO_NAME, record->name);
    show_text(view, USERINFO_PASSWORD, record->password);
    show_text(view, USERINFO_CLEAR, record->clear);
    if ((view & USERINFO_UID) != 0) {
        printf("%lld\n", (long long)record->uid);
    }
    if ((view & USERINFO_GID) != 0) {
        printf("%lu\n", (unsigned long)record->flags);
    }
    show_text(view, USERINFO_COMMENT, record->gecos);
    show_text(view, USERINFO_DIR, record->dir);
    show_text(view, USERINFO_QUOTA, record->quota);
    if ((view & USERINFO_USAGE) != 0) {
        show_usage(record, facts, "");
    }
    if ((view & USERINFO_LAST) != 0) {
        show_last(facts);
    }
}
