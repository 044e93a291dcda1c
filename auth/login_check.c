/* SPDX-License-Identifier: ISC */
/* The check. What a stranger can learn from it: whether name and password fit together, nothing else. So an unknown user, a
 * malformed name and a wrong password cost the same hash and get the same words; flags are looked at only behind the right
 * password. */
#include "auth/login_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "auth/limits.h"
#include "auth/password_cache.h"
#include "auth/penalty.h"
#include "auth/route_maps.h"
#include "auth/textfile.h"
#include "auth/userdb.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/str.h"

/* yescrypt works on 16 MiB and more; a scheme that needs beyond this is refused as a wrong password, and libxcrypt says nothing.
 */
#define MEMORY_MAX (512UL << 20)

struct login_settings login_settings;
const struct control_entry login_controls[] = {
    {"popinterval", CONTROL_NUMBER, "60", 0, 86400, &login_settings.pop_interval},
    {"passwordcache", CONTROL_NUMBER, "3600", 0, 86400, &login_settings.cache_seconds},
    {"defaultdomain", CONTROL_TEXT, "=me", 0, 0, &login_settings.default_domain},
    {"passwordscheme", CONTROL_TEXT, PASSWORD_SCHEME_DEFAULT, 0, 0, &login_settings.scheme},
    {"opensmtp", CONTROL_EXISTS, NULL, 0, 0, &login_settings.keeps_open_smtp},
    {0},
};
const struct control_entry *const login_controls_of_vchkpw = &login_controls[2];

static const struct {
    const char *name;
    uint32_t forbids; /* flags that shut this service */
    bool is_session;
} services[] = {
    {"pop3", USERDB_NO_POP, true},
    {"imap", USERDB_NO_IMAP, true},
    {"smtp", USERDB_NO_SMTP, false},
};
enum { SERVICES = sizeof services / sizeof *services, NO_SERVICE_AT_ALL = USERDB_NO_POP | USERDB_NO_IMAP | USERDB_NO_SMTP };

static unsigned find_service(const char *name)
{
    unsigned i = 0;
    while (i < SERVICES && strcmp(services[i].name, name) != 0) {
        i++;
    }
    return i;
}

bool login_service_is_known(const char *service)
{
    return find_service(service) < SERVICES;
}

void login_start(void)
{
    route_config_start(&login_settings.route);
    password_start(&login_settings.checker, login_settings.scheme);
    penalty_prepare();
}

void login_confine(unsigned classes)
{
    static const struct sandbox_path paths[] = {
        {"control", SANDBOX_READ},
        {"users", SANDBOX_READ},
        {"domains", SANDBOX_READ},
        {"etc", SANDBOX_READ},
        {"auth", SANDBOX_READ | SANDBOX_WRITE},
        {VPOPMAIL_HOME "/domains", SANDBOX_READ},
    };
    sandbox_limit(&(struct sandbox_limits){.memory = MEMORY_MAX, .files = 64, .file_size = UINT64_MAX});
    sandbox_paths_or_die(paths, sizeof paths / sizeof *paths);
    sandbox_calls(classes);
}

/* The folder of the account's domain; login->domain becomes the real one behind an alias. WELCOME: found; BAD_PASSWORD: no such
 * domain. */
static enum login_reply find_domain(struct login_answer *out)
{
    struct assign_entry entry;
    struct route_config *route = &login_settings.route;
    int opened = route_open_assign(route);
    if (opened != 1) {
        return opened == 0 ? LOGIN_REPLY_NO_ASSIGN : LOGIN_REPLY_IO;
    }
    int found = assign_find_domain(&route->assign, out->login.domain, strlen(out->login.domain), &entry);
    if (found != 1) {
        return found == 0 ? LOGIN_REPLY_BAD_PASSWORD : LOGIN_REPLY_IO;
    }
    if ((int64_t)entry.uid != route->mailbox_uid) {
        return LOGIN_REPLY_OTHER_USER;
    }
    snprintf(out->login.domain, sizeof out->login.domain, "%s", entry.user);
    snprintf(out->domain_folder, sizeof out->domain_folder, "%s", route_relative(route, entry.home));
    return LOGIN_REPLY_WELCOME;
}

/* WELCOME: *record is filled; BAD_PASSWORD: no such account. */
static enum login_reply find_account(struct login_answer *out, struct userdb_record *record)
{
    enum login_reply reply = find_domain(out);
    if (reply != LOGIN_REPLY_WELCOME) {
        return reply;
    }
    switch (userdb_lookup(AT_FDCWD, out->domain_folder, out->login.user, strlen(out->login.user), record)) {
    case USERDB_FOUND:
        return LOGIN_REPLY_WELCOME;
    case USERDB_NONE:
        return LOGIN_REPLY_BAD_PASSWORD;
    case USERDB_NO_CDB:
        return LOGIN_REPLY_NO_VPASSWD;
    case USERDB_UNSAFE:
    case USERDB_DAMAGED:
    case USERDB_ERROR:
        break;
    }
    return LOGIN_REPLY_IO;
}

static uint32_t effective_flags(const struct login_answer *answer, const struct userdb_record *record)
{
    static uint64_t last_warning_ms;
    struct limits limits;
    if (limits_load(AT_FDCWD, answer->domain_folder, &limits) < 0) {
        log_event_rarely(&last_warning_ms, "warning", "what=%s folder=%s error=%s", "limits of the domain cannot be read",
                         answer->domain_folder, strerror(errno));
        return record->flags;
    }
    return limits_flags(&limits, record->flags);
}

static bool is_this_host(const char *ip)
{
    struct in_addr v4;
    return strcmp(ip, "::1") == 0 || (inet_pton(AF_INET, ip, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127);
}

/* The password was right: may this account do this, now? */
static enum login_reply admit(const struct login_question *question, unsigned service, struct login_answer *out)
{
    if ((out->flags & NO_SERVICE_AT_ALL) == NO_SERVICE_AT_ALL) {
        return LOGIN_REPLY_DISABLED;
    }
    bool is_web_mail = services[service].is_session && is_this_host(question->ip);
    if ((out->flags & services[service].forbids) || (is_web_mail && (out->flags & USERDB_NO_WEBMAIL))) {
        return LOGIN_REPLY_NO_SERVICE;
    }
    if (services[service].forbids == USERDB_NO_POP) {
        out->wait = penalty_pop_wait(&out->login, login_settings.pop_interval, question->now_us);
        if (out->wait > 0) {
            return LOGIN_REPLY_TOO_OFTEN;
        }
    }
    penalty_forgive(question->ip);
    if (login_settings.keeps_open_smtp && services[service].is_session && !(out->flags & USERDB_NO_RELAY)) {
        penalty_open_smtp(question->ip, &out->login);
    }
    return LOGIN_REPLY_WELCOME;
}

/* Of a login without one: vpopmail's own file, else the setting. */
static const char *find_default_domain(void)
{
    static stralloc text;
    bool is_there = false;
    text.len = 0;
    if (textfile_read_name(AT_FDCWD, "etc/defaultdomain", &text, &is_there) < 0 || !is_there) {
        return login_settings.default_domain;
    }
    size_t n = 0;
    while (n < text.len && (unsigned char)text.s[n] > ' ') {
        n++;
    }
    text.len = n;
    return str_text(&text);
}

/* One hash, but for a password that was right a while ago. The same work for a user that does not exist. */
static bool is_right_password(const struct userdb_record *record, const char *given)
{
    struct password_checker *checker = &login_settings.checker;
    const char *stored = record != NULL ? record->password : checker->dummy;
    uint64_t now_ms = clock_monotonic_ms();
    if (password_cache_knows(stored, given, login_settings.cache_seconds, now_ms)) {
        return true;
    }
    bool is_right = password_check(checker, record != NULL ? stored : NULL, given);
    if (is_right && login_settings.cache_seconds > 0) {
        password_cache_learn(stored, given, now_ms);
    }
    return is_right;
}

static enum login_reply check_password(const struct login_question *question, unsigned service, struct login_answer *out,
                                       bool *is_known_out)
{
    struct userdb_record record;
    bool has_domain = strpbrk(question->name, "@%/") != NULL;
    bool has_form = login_parse(question->name, strlen(question->name), has_domain ? "" : find_default_domain(), &out->login);
    enum login_reply found = has_form ? find_account(out, &record) : LOGIN_REPLY_BAD_PASSWORD;
    if (found != LOGIN_REPLY_WELCOME && found != LOGIN_REPLY_BAD_PASSWORD) {
        return found;
    }
    bool is_known = *is_known_out = found == LOGIN_REPLY_WELCOME;
    bool is_good = is_right_password(is_known ? &record : NULL, question->password);
    if (!is_known || !is_good) {
        penalty_add(question->ip, question->now_us);
        return LOGIN_REPLY_BAD_PASSWORD;
    }
    out->flags = effective_flags(out, &record);
    snprintf(out->home, sizeof out->home, "%s", route_relative(&login_settings.route, record.dir));
    snprintf(out->quota, sizeof out->quota, "%s", record.quota);
    password_wipe(&record, sizeof record);
    return admit(question, service, out);
}

/* Two lines: ours with the session's id, and vchkpw's own wording. */
static void log_outcome(const struct login_question *question, const struct login_answer *answer, bool is_known)
{
    static stralloc lines;
    const struct login_words *words = login_words(answer->reply);
    char event[32];
    snprintf(event, sizeof event, "vchkpw-%s:", question->service);
    if (answer->reply == LOGIN_REPLY_WELCOME) {
        log_event_add(&lines, "login", "sid=%s service=%s user=%s@%s ip=%s", question->sid, question->service, answer->login.user,
                      answer->login.domain, question->ip);
        log_event_add(&lines, event, "(%s) login success %s@%s:%s", question->mech, answer->login.user, answer->login.domain,
                      question->ip);
        log_lines(&lines);
        return;
    }
    log_event_add(&lines, "login-refused", "sid=%s service=%s user=%s ip=%s verdict=%c why=%s wait=%u text=%s", question->sid,
                  question->service, question->name, question->ip, words->letter, why_word(words->why), answer->wait,
                  words->text);
    if (answer->reply == LOGIN_REPLY_BAD_PASSWORD && is_known) {
        log_event_add(&lines, event, "password fail %s:%s", question->name, question->ip);
    } else if (answer->reply == LOGIN_REPLY_BAD_PASSWORD) {
        log_event_add(&lines, event, "vpopmail user not found %s:%s", question->name, question->ip);
    }
    log_lines(&lines);
}

void login_check(const struct login_question *question, struct login_answer *out)
{
    bool is_known = false;
    *out = (struct login_answer){.wait = penalty_wait(question->ip, question->now_us)};
    unsigned service = find_service(question->service);
    if (service == SERVICES) {
        out->reply = LOGIN_REPLY_BAD_REQUEST;
    } else if (out->wait > 0) {
        out->reply = LOGIN_REPLY_TOO_MANY_FAILURES;
    } else {
        out->reply = check_password(question, service, out, &is_known);
    }
    log_outcome(question, out, is_known);
}
