/* SPDX-License-Identifier: ISC */
/* stafet-imapd: IMAP behind the password. As a service it answers op=session of authd: it confines itself to that user's folder,
 * says K to the front and has the client. From a shell it serves the client on fd 0 and 1 from a Maildir that is named (-m). */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imapd/dotlock.h"
#include "imapd/place.h"
#include "imapd/session.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/maildir.h"
#include "lib/ordered.h"
#include "lib/overquota.h"
#include "lib/sandbox.h"
#include "lib/serve.h"
#include "lib/str.h"
#include "lib/takeover.h"

#define MEMORY_MAX (2UL << 30)
enum { FILES_MAX = 128 };

/* A session adds Landlock on its user's folder. A filter of its own would cost it more than its fork (lib/sandbox.c). */
static const unsigned calls_of_one = SANDBOX_STDIO | SANDBOX_RPATH | SANDBOX_WPATH | SANDBOX_CPATH;
static const unsigned calls = SANDBOX_RPATH | SANDBOX_WPATH | SANDBOX_CPATH | SANDBOX_FORK | SANDBOX_SERVE | SANDBOX_SANDBOX;

static struct session session;
static dev_t ordered_device; /* one sync makes a new file durable there (lib/ordered.h); 0: none */
static struct mime_summary_work work;
static stralloc converters; /* the folder that charsets are loaded from */

static void set_limits(void)
{
    sandbox_limit(&(struct sandbox_limits){.memory = MEMORY_MAX, .files = FILES_MAX, .file_size = UINT64_MAX});
    umask(077);
}

/* Before the sandbox. */
static void find_device(const char *folder)
{
    struct stat found;
    ordered_device = stat(folder, &found) == 0 && ordered_device_is_safe(found.st_dev) ? found.st_dev : 0;
}

static void prepare(void)
{
    find_device("domains");
    charsets_prepare(&work.words.charsets, &converters);
    const struct sandbox_path paths[] = {
        {"control", SANDBOX_READ},
        {"domains", SANDBOX_READ | SANDBOX_WRITE},
        {VPOPMAIL_HOME "/domains", SANDBOX_READ | SANDBOX_WRITE},
        {str_text(&converters), SANDBOX_READ},
    };
    set_limits();
    sandbox_paths_or_die(paths, sizeof paths / sizeof paths[0]);
    sandbox_calls(calls);
}

/* From here on: one folder (and the C library's charsets), and no second process. */
static void confine(const char *folder)
{
    const struct sandbox_path paths[] = {
        {folder, SANDBOX_READ | SANDBOX_WRITE},
        {str_text(&converters), SANDBOX_READ},
    };
    sandbox_limit(&(struct sandbox_limits){.file_size = UINT64_MAX, .no_fork = true});
    sandbox_paths_or_die(paths, sizeof paths / sizeof paths[0]);
}

static void copy_text(char *to, size_t size, const char *from)
{
    size_t n = strlen(from);
    n = n < size ? n : size - 1;
    memcpy(to, from, n);
    to[n] = '\0';
}

/* The Maildir of a login, made where it is missing, behind the sandbox. 0; -1 errno. */
static int open_mailbox(const char *home, const char *user)
{
    stralloc text = STRALLOC_ZERO;
    const char *at = memchr(user, '@', strlen(user));
    str_copy(&text, user, at != NULL ? (size_t)(at - user) : strlen(user));
    session.over = overquota_open(AT_FDCWD, home, str_text(&text));
    confine(home);
    str_copys(&text, home);
    str_cats(&text, "/Maildir");
    session.root = maildir_open(AT_FDCWD, str_text(&text), true);
    stralloc_free(&text);
    return session.root < 0 ? -1 : 0;
}

/* Replies leave in one piece, and at once (imap-pop3.md 6: Nagle and delayed ACKs cost 40 ms). */
static void take_client(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    session.settings = settings_now();
    const char *form = session.settings->spoolsync;
    dotlock_trust(form != NULL && strcmp(form, "two") == 0 ? 0 : ordered_device);
    session.work = &work;
    wire_init(&session.wire, 0, 1, (unsigned)session.settings->timeout);
}

static void serve_login(const struct serve_peer *peer)
{
    struct takeover login;
    (void)peer;
    if (!takeover_receive(&login, "imap")) {
        return;
    }
    const char *quota = fields_get_or(&login.fields, "quota", "");
    copy_text(session.sid, sizeof session.sid, fields_get(&login.fields, "sid"));
    copy_text(session.user, sizeof session.user, fields_get(&login.fields, "user"));
    copy_text(session.ip, sizeof session.ip, fields_get(&login.fields, "ip"));
    if (open_mailbox(fields_get(&login.fields, "home"), session.user) < 0) {
        log_event("alert", "sid=%s user=%s what=%s error=%s", session.sid, session.user, "the Maildir cannot be opened",
                  strerror(errno));
        takeover_refuse(&login, "4.3.0 the mailbox cannot be opened", WHY_io);
        return;
    }
    if (place_take(session.root, settings_now()->sessions) == 0) {
        log_event("limit", "sid=%s user=%s ip=%s which=%s most=%llu", session.sid, session.user, session.ip, "imapsessions",
                  (unsigned long long)settings_now()->sessions);
        takeover_refuse(&login, "4.3.2 this user has too many sessions at once", WHY_in_use);
        return;
    }
    (void)quota_parse(quota, strlen(quota), &session.quota);
    if (!takeover_welcome(&login)) {
        log_event("lost", "sid=%s user=%s what=%s", session.sid, session.user, "the front did not wait for the session");
        return;
    }
    takeover_take_client(&login);
    take_client(0);
    (void)wire_unread(&session.wire, login.early.s, login.early.len);
    session_welcome(&session, fields_get_or(&login.fields, "tag", ""));
    session_run(&session);
}

/* At the limit of sessions: authd's call is closed, and with it the front's, which says "not now". */
static void turn_away(const struct serve_peer *peer, int fd)
{
    (void)peer;
    (void)fd;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

/* The client is on 0 and 1, its Maildir below the working directory. */
static int serve_alone(const char *path)
{
    if (control_load(settings_table) < 0) {
        die_temporary("a control file is wrong");
    }
    set_limits();
    serve_make_sid(session.sid);
    copy_text(session.ip, sizeof session.ip, environment("TCPREMOTEIP"));
    copy_text(session.user, sizeof session.user, environment("USER"));
    session.over = -1;
    charsets_prepare(&work.words.charsets, &converters);
    find_device(path);
    confine(path);
    sandbox_calls(calls_of_one);
    session.root = maildir_open(AT_FDCWD, path, true);
    if (session.root < 0) {
        die_temporary("the Maildir %s cannot be opened", path);
    }
    take_client(0);
    session_welcome(&session, "");
    session_run(&session);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct serve server = {
        .name = "imapd",
        .limit_all = 2000,
        .controls = settings_table,
        .prepare = prepare,
        .session = serve_login,
        .refuse = turn_away,
    };
    program_start("stafet-imapd");
    if (argc == 3 && strcmp(argv[1], "-m") == 0) {
        return serve_alone(argv[2]);
    }
    return serve(argc, argv, &server);
}
