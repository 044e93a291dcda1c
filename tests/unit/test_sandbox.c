/* SPDX-License-Identifier: ISC */
/* lib/sandbox: what each class lets through, what it kills, and that a path outside is out of reach. Each question is asked in a
 * child of its own. */
#include "lib/sandbox.h"
#include "tests/scratch.h"
#include "tests/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef SANDBOX_OFF
static const bool is_off = true;
#else
static const bool is_off = false;
#endif
#ifdef SANDBOX_PATHS_OFF
static const bool has_no_paths = true;
#else
static const bool has_no_paths = false;
#endif

/* 0: it worked; else errno. */
static int ask(long result)
{
    return result < 0 ? errno : 0;
}

static int call_getpid(void)
{
    return ask(getpid());
}
static int call_open(void)
{
    return ask(open("inside/file", O_RDONLY | O_CLOEXEC));
}
static int call_mkdir(void)
{
    return ask(mkdir("inside/new", 0700));
}
static int call_fsync(void)
{
    return ask(fsync(2)) == EBADF;
}
static int call_unix_socket(void)
{
    return ask(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int call_internet_socket(void)
{
    return ask(socket(AF_INET, SOCK_STREAM, 0));
}
static int call_ioctl(void)
{
    int n;
    return ask(ioctl(0, FIONREAD, &n));
}
static int call_fork(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    return ask(pid);
}
static int call_execve(void)
{
    return ask(execl("/nonexistent", "x", (char *)NULL)) == ENOENT ? 0 : 1;
}
static int call_ptrace(void)
{
    return ask(syscall(SYS_ptrace, 0x7fffffff, 0, 0, 0)) != 0 ? 0 : 1;
}
static int call_kill(void)
{
    return ask(kill(getpid(), 0));
}
static int call_tgkill(void)
{
    return ask(syscall(SYS_tgkill, getppid(), getppid(), 0));
}
static int call_limits(void)
{
    struct rlimit limit;
    return ask(getrlimit(RLIMIT_NOFILE, &limit)) != 0 ? 1 : ask(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
}
static int call_owner(void)
{
    return ask(fcntl(0, F_GETFL)) != 0 ? 1 : ask(fcntl(0, F_SETOWN, getppid()));
}
static int call_signal(void)
{
    return ask(fcntl(0, F_SETSIG, SIGKILL));
}
static int call_chmod(void)
{
    return ask(chmod("inside/file", 0600));
}
static int call_fchmod(void)
{
    return ask(fchmod(open("inside/file", O_RDONLY | O_CLOEXEC), 0600));
}
static int call_utimes(void)
{
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    return ask(utimensat(AT_FDCWD, "inside/file", times, 0));
}
static int call_futimes(void)
{
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    return ask(futimens(open("inside/file", O_RDONLY | O_CLOEXEC), times));
}
static int call_unknown(void)
{
    return ask(syscall(511)) == ENOSYS ? 0 : 1;
}

enum outcome { ALLOWED, KILLED, NO_FAMILY, NO_TERMINAL, REFUSED };

static enum outcome outcome_of(unsigned classes, int (*call)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        sandbox_calls(classes);
        _exit(call());
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        exit(1);
    }
    if (WIFSIGNALED(status)) {
        return KILLED;
    }
    switch (WEXITSTATUS(status)) {
    case EAFNOSUPPORT:
        return NO_FAMILY;
    case ENOTTY:
        return NO_TERMINAL;
    case EPERM:
        return REFUSED;
    default:
        return ALLOWED;
    }
}

static void test_calls(void)
{
    static const struct {
        const char *name;
        int (*call)(void);
        unsigned needs; /* class; 0: always in */
        enum outcome with, without;
    } calls[] = {
        {"getpid", call_getpid, 0, ALLOWED, ALLOWED},
        {"open", call_open, SANDBOX_RPATH, ALLOWED, KILLED},
        {"fsync", call_fsync, SANDBOX_WPATH, ALLOWED, KILLED},
        {"mkdir", call_mkdir, SANDBOX_CPATH, ALLOWED, KILLED},
        {"socket of AF_UNIX", call_unix_socket, SANDBOX_UNIX, ALLOWED, KILLED},
        {"socket of AF_INET", call_internet_socket, SANDBOX_UNIX, NO_FAMILY, KILLED},
        {"fork", call_fork, SANDBOX_FORK, ALLOWED, KILLED},
        {"fork of a server", call_fork, SANDBOX_SERVE, ALLOWED, KILLED},
        {"ioctl", call_ioctl, 0, NO_TERMINAL, NO_TERMINAL},
        {"kill", call_kill, SANDBOX_KILL, ALLOWED, KILLED},
        {"tgkill", call_tgkill, 0, REFUSED, REFUSED},
        {"limits of another process", call_limits, 0, REFUSED, REFUSED},
        {"signals to another process", call_owner, 0, REFUSED, REFUSED},
        {"a signal that it chooses", call_signal, 0, REFUSED, REFUSED},
        {"chmod of a path", call_chmod, SANDBOX_CPATH, REFUSED, KILLED},
        {"chmod of an open file", call_fchmod, SANDBOX_WPATH, ALLOWED, KILLED},
        {"utimes of a path", call_utimes, SANDBOX_WPATH, REFUSED, KILLED},
        {"utimes of an open file", call_futimes, SANDBOX_WPATH, ALLOWED, KILLED},
        {"execve", call_execve, UINT32_MAX, KILLED, KILLED},
        {"ptrace", call_ptrace, UINT32_MAX, KILLED, KILLED},
        {"a number without a call", call_unknown, UINT32_MAX, KILLED, KILLED},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        unsigned others = calls[i].needs == SANDBOX_FORK || calls[i].needs == SANDBOX_SERVE ? 0 : 255U & ~calls[i].needs;
        enum outcome without = outcome_of(others, calls[i].call);
        enum outcome with = outcome_of(others | calls[i].needs, calls[i].call);
        ok(with == (is_off ? with : calls[i].with) && without == (is_off ? without : calls[i].without), calls[i].name);
    }
}

/* In a child: 0 when the folder is in reach and nothing else is. */
static int look_round(void)
{
    const struct sandbox_path path = {"inside", SANDBOX_READ | SANDBOX_WRITE};
    if (sandbox_paths(&path, 1) < 0) {
        return 1;
    }
    bool reaches_inside = open("inside/file", O_RDWR | O_CLOEXEC) >= 0 && rename("inside/a/one", "inside/b/one") == 0;
    bool reaches_outside = open("outside/file", O_RDONLY | O_CLOEXEC) >= 0 || mkdir("outside/new", 0700) == 0 ||
                           rename("inside/b/one", "outside/one") == 0 || open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0;
    /* A second layer narrows, and never gives back. */
    if (sandbox_paths(NULL, 0) < 0 || open("inside/file", O_RDONLY | O_CLOEXEC) >= 0) {
        return 2;
    }
    return reaches_inside && !reaches_outside ? 0 : 3;
}

static void test_paths(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(look_round());
    }
    waitpid(pid, &status, 0);
    ok(status == 0 || has_no_paths, "one_folder_and_nothing_else");
}

static void touch(const char *name)
{
    close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

int main(void)
{
    scratch_begin();
    bool is_made =
        mkdir("inside", 0700) == 0 && mkdir("inside/a", 0700) == 0 && mkdir("inside/b", 0700) == 0 && mkdir("outside", 0700) == 0;
    ok(is_made, "folders");
    touch("inside/file");
    touch("inside/a/one");
    touch("outside/file");
    test_calls();
    test_paths();
    return scratch_end(done());
}
