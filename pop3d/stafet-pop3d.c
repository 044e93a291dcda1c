/* SPDX-License-Identifier: ISC */
/* stafet-pop3d: POP3 behind the password. As a service it answers op=session of authd: it confines itself to that user's folder,
 * opens the mailbox, says K to the front and has the client. Behind a checkpassword program (or from a shell) it serves the
 * client on fd 0 and 1 from a Maildir that is named. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/overquota.h"
#include "lib/sandbox.h"
#include "lib/serve.h"
#include "lib/str.h"
#include "lib/takeover.h"
#include "pop3d/session.h"

#define MEMORY_MAX (1UL << 30)
enum { FILES_MAX = 64, NEVER = 100, NOT_NOW = 111 };

static const struct sandbox_path paths[] = {
    {"control", SANDBOX_READ},
    {"domains", SANDBOX_READ | SANDBOX_WRITE},
    {VPOPMAIL_HOME "/domains", SANDBOX_READ | SANDBOX_WRITE},
};
/* A session adds Landlock on its user's folder. A filter of its own would cost it more than its fork (lib/sandbox.c). */
static const unsigned calls_of_one = SANDBOX_STDIO | SANDBOX_RPATH | SANDBOX_WPATH | SANDBOX_CPATH;
static const unsigned calls = SANDBOX_RPATH | SANDBOX_WPATH | SANDBOX_CPATH | SANDBOX_FORK | SANDBOX_SERVE | SANDBOX_SANDBOX;

static struct session session;

static void set_limits(void)
{
    sandbox_limit(&(struct sandbox_limits){.memory = MEMORY_MAX, .files = FILES_MAX, .file_size = UINT64_MAX});
    umask(077);
}

static void prepare(void)
{
    set_limits();
    sandbox_paths_or_die(paths, sizeof paths / sizeof paths[0]);
    sandbox_calls(calls);
}

/* From here on: one folder, and no second process. */
static void confine(const char *folder)
{
    const struct sandbox_path path = {folder, SANDBOX_READ | SANDBOX_WRITE};
    sandbox_limit(&(struct sandbox_limits){.file_size = UINT64_MAX, .no_fork = true});
    sandbox_paths_or_die(&path, 1);
}

/* user@domain → the name of its file in .full/. */
static int open_full(const char *home, const char *user)
{
    stralloc name = STRALLOC_ZERO;
    str_copy(&name, user, strcspn(user, "@"));
    int fd = overquota_open(AT_FDCWD, home, str_text(&name));
    stralloc_free(&name);
    return fd;
}

/* The mailbox of a login, behind the sandbox. 0; -1 errno. */
static int open_mailbox(const char *home, const char *user)
{
    stralloc path = STRALLOC_ZERO;
    int full = open_full(home, user);
    confine(home);
    str_copys(&path, home);
    str_cats(&path, "/Maildir");
    int opened = maildrop_open(&session.drop, str_text(&path));
    session.drop.full = full;
    stralloc_free(&path);
    return opened < 0 ? -1 : maildrop_read(&session.drop);
}

/* A client that authd hands over. */
static void serve_login(const struct serve_peer *peer)
{
    struct takeover login;
    (void)peer;
    if (!takeover_receive(&login, "pop3")) {
        return;
    }
    const char *sid = fields_get(&login.fields, "sid");
    const char *user = fields_get(&login.fields, "user");
    const char *quota = fields_get_or(&login.fields, "quota", "");
    if (open_mailbox(fields_get(&login.fields, "home"), user) < 0) {
        log_event("alert", "sid=%s user=%s what=%s error=%s", sid, user, "the Maildir cannot be opened", strerror(errno));
        takeover_refuse(&login, "4.3.0 the mailbox cannot be opened", WHY_io);
        return;
    }
    (void)quota_parse(quota, strlen(quota), &session.drop.quota);
    if (!takeover_welcome(&login)) {
        log_event("lost", "sid=%s user=%s what=%s", sid, user, "the front did not wait for the session");
        return;
    }
    takeover_take_client(&login);
    talk_init(&session.talk, 0, 1, (unsigned)settings_now()->timeoutpop3d);
    (void)wire_unread(&session.talk.wire, login.early.s, login.early.len);
    session.talk.ip = fields_get(&login.fields, "ip");
    session.talk.user = user;
    str_copys(&session.words, sid);
    memcpy(session.talk.sid, str_text(&session.words), session.words.len < SERVE_SID_LEN ? session.words.len : SERVE_SID_LEN);
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

static _Noreturn void give_up(enum reply_name name, const char *why)
{
    talk_say(&session.talk, talk_reply(&session.talk, name, why, strlen(why)));
    talk_part(&session.talk);
    exit(name == REPLY_ROOT ? NEVER : NOT_NOW);
}

/* The client is on 0 and 1, its Maildir below the working directory. */
static int serve_alone(const char *path, bool may_be_root)
{
    if (control_load(settings_of_session) < 0) {
        die_temporary("a control file is wrong");
    }
    set_limits();
    talk_init(&session.talk, 0, 1, (unsigned)settings_now()->timeoutpop3d);
    serve_make_sid(session.talk.sid);
    session.talk.ip = environment("TCPREMOTEIP");
    session.talk.user = environment("USER");
    if (!may_be_root && geteuid() == 0) {
        give_up(REPLY_ROOT, "");
    }
    int full = open_full(environment("HOME"), session.talk.user);
    int opened = maildrop_open(&session.drop, path); /* makes what is missing: later nothing above it can be changed */
    if (opened == 0) {
        confine(path);
        sandbox_calls(calls_of_one);
        opened = maildrop_read(&session.drop);
    }
    if (opened < 0) {
        give_up(REPLY_NO_MAILDIR, strerror(errno));
    }
    session.drop.full = full;
    maildrop_take_quota_of_file(&session.drop);
    session_run(&session);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct serve server = {
        .name = "pop3d",
        .limit_all = 2000,
        .controls = settings_of_session,
        .prepare = prepare,
        .session = serve_login,
        .refuse = turn_away,
    };
    program_start("stafet-pop3d");
    if (argc == 3 && strcmp(argv[1], "-m") == 0) {
        return serve_alone(argv[2], true);
    }
    if (argc == 2 && argv[1][0] != '-') {
        return serve_alone(argv[1], false);
    }
    return serve(argc, argv, &server);
}
