/* SPDX-License-Identifier: ISC */
/* vchkpw: checks a login for a program that is not of the house (the checkpassword interface), and becomes that program as the
 * mailbox's owner: vchkpw(8). Root reads nothing of what the stranger sent: a child as stafeta does, confined, and says by a pipe
 * whose folder it is; which user id that folder belongs to, root knows by itself. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/checkpassword.h"
#include "auth/login_check.h"
#include "auth/tool.h"
#include "lib/clock.h"
#include "lib/control.h"
#include "lib/die.h"
#include "lib/log.h"
#include "lib/maildir.h"
#include "lib/sandbox.h"
#include "lib/serve_peer.h"
#include "lib/str.h"

enum { EXIT_REFUSED = 1, EXIT_MISUSED = 2, SAFE_FD = 10 };

struct job {
    int input;
    const char *program;
    struct serve_peer peer;
};
/* What the child found out: a letter, and behind a K these texts, each with its NUL. */
struct verdict {
    char letter;
    const char *user, *domain, *home; /* home: relative to the home folder where it lies there */
};

static _Noreturn void misused(const char *what)
{
    log_event("refused", "program=vchkpw what=%s", what);
    exit(EXIT_MISUSED);
}

static void put_answer(const struct login_answer *answer, stralloc *out)
{
    const char *texts[] = {answer->login.user, answer->login.domain, answer->home};
    str_catc(out, login_words(answer->reply)->letter);
    for (size_t i = 0; answer->reply == LOGIN_REPLY_WELCOME && i < sizeof texts / sizeof *texts; i++) {
        str_cat(out, texts[i], strlen(texts[i]) + 1);
    }
}

static void ask(const struct job *job, const char *login, const char *password, stralloc *out)
{
    char sid[SERVE_SID_LEN + 1];
    struct login_answer answer;
    serve_make_sid(sid);
    login_start();
    login_confine(SANDBOX_RPATH | SANDBOX_WPATH | SANDBOX_CPATH);
    login_check(&(struct login_question){.service = checkpassword_service(job->peer.local_port, job->program),
                                         .name = login,
                                         .password = password,
                                         .mech = "PLAIN",
                                         .ip = job->peer.ip,
                                         .sid = sid,
                                         .now_us = clock_wall_us()},
                &answer);
    put_answer(&answer, out);
}

/* In the child, as stafeta. An answer without a letter: the caller broke the interface. */
static enum va check(void *ctx, stralloc *out)
{
    const struct job *job = ctx;
    char bytes[CHECKPASSWORD_MAX];
    const char *login, *password;
    ssize_t n = checkpassword_read(job->input, CHECKPASSWORD_SECONDS, bytes);
    if (n < 0 && errno != EFBIG) {
        die_temporary("cannot read login and password from descriptor 3");
    }
    if (n < 0) {
        log_event("refused", "program=vchkpw what=%s", "login and password have more than 2048 bytes");
        str_catc(out, 'D');
    } else if (checkpassword_parse(bytes, (size_t)n, &login, &password)) {
        if (control_load(login_controls_of_vchkpw) < 0) {
            die_temporary("cannot read the control files");
        }
        ask(job, login, password, out);
    } else {
        log_event("refused", "program=vchkpw what=%s", "descriptor 3 holds no login, password and timestamp, a NUL behind each");
    }
    password_wipe(bytes, sizeof bytes);
    return VA_SUCCESS;
}

static _Noreturn void refuse_to_work(const char *what)
{
    errno = 0;
    die_temporary("%s", what);
}

/* Root, or the one user whom all of a private instance belongs to. */
static void check_identities(const struct tool *tool)
{
    if (geteuid() != 0) {
        if (tool->auth.uid != geteuid() || tool->mail.uid != geteuid()) {
            refuse_to_work("only root can become a mailbox's owner: start vchkpw as root, or ask sockets/auth instead");
        }
        return;
    }
    const struct passwd *user = getpwuid(tool->mail.uid);
    if (!checkpassword_may_run_as(tool->mail.uid, user == NULL ? "" : user->pw_name)) {
        refuse_to_work("domains/ belongs to root or to a user stafet*: no program is run as that user");
    }
}

static bool take_text(const char **at, const char *end, const char **out)
{
    const char *nul = memchr(*at, '\0', (size_t)(end - *at));
    if (nul == NULL) {
        return false;
    }
    *out = *at;
    *at = nul + 1;
    return true;
}

static void read_verdict(const stralloc *answer, struct verdict *out)
{
    *out = (struct verdict){.letter = answer->len == 0 ? 'M' : answer->s[0]};
    const char *at = answer->len == 0 ? NULL : answer->s + 1, *end = answer->s + answer->len;
    if (out->letter == 'K' && (!take_text(&at, end, &out->user) || !take_text(&at, end, &out->domain) ||
                               !take_text(&at, end, &out->home) || out->home[0] == '\0')) {
        refuse_to_work("the child's answer is not understood");
    }
}

static void become_owner(const struct tool_identity *owner)
{
    if (geteuid() != 0) {
        return;
    }
    if (setgroups(1, &owner->gid) < 0 || setgid(owner->gid) < 0 || setuid(owner->uid) < 0 || setuid(0) == 0) {
        die_temporary("cannot become the owner of domains/, uid %lu", (unsigned long)owner->uid);
    }
}

/* As its owner. A mailbox that another tool added may have no folder yet. */
static void enter_mailbox(const char *home)
{
    struct stat st;
    if (chdir(home) < 0 && (errno != ENOENT || mkdir(home, 0700) < 0 || chdir(home) < 0 || chmod(".", 0700) < 0)) {
        die_temporary("cannot enter the mailbox's folder %s", home);
    }
    if (stat(".", &st) < 0 || st.st_uid != geteuid()) {
        refuse_to_work("the mailbox's folder belongs to somebody else than domains/ does");
    }
    if (maildir_create(AT_FDCWD, "Maildir") < 0) {
        die_temporary("cannot make the Maildir in %s", home);
    }
}

/* What vuserinfo shows: the address, and by the file's time when. */
static void note_login(const char *ip)
{
    int fd = open("lastauth", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0 || dprintf(fd, "%s", ip[0] == '\0' ? "unknown" : ip) < 0) {
        log_event("warning", "program=vchkpw what=%s error=%s", "lastauth cannot be written", strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void set(const char *name, const char *value)
{
    if (setenv(name, value, 1) < 0) {
        die_temporary("cannot set %s", name);
    }
}

static void set_environment(const struct tool *tool, const struct verdict *verdict)
{
    stralloc text = STRALLOC_ZERO;
    str_catf(&text, "%s@%s", verdict->user, verdict->domain);
    set("VPOPUSER", str_text(&text));
    text.len = 0;
    if (verdict->home[0] != '/') {
        str_catf(&text, "%s/", tool->home);
    }
    str_cats(&text, verdict->home);
    set("HOME", str_text(&text));
    set("USER", verdict->user);
    set("EXT", verdict->user);
    set("HOST", verdict->domain);
    set("SHELL", "NOLOGIN");
    stralloc_free(&text);
}

/* Options end at the program's name; its own are its own. */
static const char *take_options(int argc, char **argv)
{
    const char *home = NULL;
    int letter;
    while ((letter = getopt(argc, argv, "+H:T")) != -1) {
        if (letter == 'T') {
            int loaded = control_load(login_controls_of_vchkpw);
            control_print(login_controls_of_vchkpw);
            exit(loaded < 0 ? 111 : 0);
        }
        if (letter != 'H') {
            misused("usage: vchkpw [-H dir] program [argument ...]");
        }
        home = optarg;
    }
    return home;
}

int main(int argc, char **argv)
{
    struct tool tool;
    struct verdict verdict;
    stralloc answer = STRALLOC_ZERO;
    program_start("vchkpw");
    if (getuid() != geteuid() || getgid() != getegid()) {
        refuse_to_work("vchkpw has a setuid or setgid bit: take it off; a program that is not root asks sockets/auth");
    }
    const char *home = take_options(argc, argv);
    struct job job = {.input = fcntl(CHECKPASSWORD_FD, F_DUPFD_CLOEXEC, SAFE_FD), .program = argv[optind]};
    if (job.program == NULL) {
        misused("usage: vchkpw [-H dir] program [argument ...]");
    }
    if (job.input < 0) {
        misused("descriptor 3 is closed: vchkpw is started by a program that gives it login and password there");
    }
    close(CHECKPASSWORD_FD);
    serve_peer_of_environment(&job.peer);
    tool_start(&tool, "vchkpw", home);
    check_identities(&tool);
    if (tool_run_in_child(&tool.auth, check, &job, &answer) != VA_SUCCESS) {
        refuse_to_work("the child that checks passwords failed");
    }
    read_verdict(&answer, &verdict);
    if (verdict.letter != 'K') {
        return verdict.letter == 'D' ? EXIT_REFUSED : verdict.letter == 'M' ? EXIT_MISUSED : 111;
    }
    become_owner(&tool.mail);
    enter_mailbox(verdict.home);
    note_login(job.peer.ip);
    set_environment(&tool, &verdict);
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[optind], argv + optind);
    die_temporary("cannot run %s", argv[optind]);
}
