/* SPDX-License-Identifier: ISC */
/* breaker: runs a program and everything that it forks, lists its system calls, or breaks one of them.
 *   breaker [-o LOG] [-p PROCESS -c CALL -n ORDINAL -e EFFECT] PROGRAM ARGUMENT…
 * Processes are counted in the order of their birth, 0 is PROGRAM; ordinals count one call of one process. LOG: `call PROCESS
 * CALL ORDINAL ARGUMENT1` before each call (with an EFFECT: each CALL), `end PROCESS STATUS`, `hit PROCESS`, each a line. EFFECT:
 *   kill      SIGKILL to the process, before the call is made
 *   errno N   the call is not made and fails with that errno (`errno+ N`: and so do all later ones)
 *   short     a write of half its bytes
 *   full      the same, and all later ones of that call fail with ENOSPC
 *   hold      the process stands still before the call until the breaker gets SIGUSR1; the others go on
 * Ends when all are gone, with PROGRAM's status (128 + signal). When the breaker is killed, so are they. To list, every call
 * stops twice; to break, a filter stops CALL alone. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <unistd.h>

enum { PROCESSES = 512, CALLS = 512 };
enum effect { NOTHING, KILL, ERRNO, ERRNO_ON, SHORT, FULL, HOLD };

struct process {
    pid_t pid;
    bool is_gone, is_held;
    unsigned short count[CALLS];
};

static struct {
    struct process process[PROCESSES];
    int n;
    int log;
    int at_process, at_call, at_ordinal, error;
    enum effect effect;
} breaker;

static void say(const char *what, int process, long a, long b, unsigned long c)
{
    char line[96];
    int n = snprintf(line, sizeof line, "%s %d %ld %ld %lu\n", what, process, a, b, c);
    if (breaker.log >= 0 && write(breaker.log, line, (size_t)n) < 0) {
        exit(111);
    }
}

static int index_of(pid_t pid)
{
    for (int i = breaker.n - 1; i >= 0; i--) {
        if (breaker.process[i].pid == pid && !breaker.process[i].is_gone) {
            return i;
        }
    }
    if (breaker.n == PROCESSES) {
        exit(111);
    }
    breaker.process[breaker.n].pid = pid;
    return breaker.n++;
}

/* In the signal handler too: nothing but system calls. */
static void go_on(pid_t pid, int signal_number)
{
    (void)ptrace(breaker.effect == NOTHING ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, signal_number);
}

static void release_held(int signal_number)
{
    int error = errno;
    (void)signal_number;
    for (int i = 0; i < breaker.n; i++) {
        if (breaker.process[i].is_held) {
            breaker.process[i].is_held = false;
            go_on(breaker.process[i].pid, 0);
        }
    }
    errno = error;
}

static void set_register(pid_t pid, size_t offset, long value)
{
    (void)ptrace(PTRACE_POKEUSER, pid, (void *)offset, (void *)value);
}

#define REGISTER(name) offsetof(struct user_regs_struct, name)

/* No call at all, and its result. */
static void make_fail(const struct process *process)
{
    set_register(process->pid, REGISTER(orig_rax), -1);
    set_register(process->pid, REGISTER(rax), -breaker.error);
}

/* True: the process may go on. */
static bool break_call(struct process *process, bool is_first, unsigned long third)
{
    say("hit", (int)(process - breaker.process), 0, 0, 0);
    switch (breaker.effect) {
    case KILL:
        (void)kill(process->pid, SIGKILL);
        break;
    case ERRNO:
    case ERRNO_ON:
        make_fail(process);
        break;
    case FULL:
        if (!is_first) {
            make_fail(process);
            break;
        }
        /* fall through */
    case SHORT:
        set_register(process->pid, REGISTER(rdx), (long)(third / 2));
        break;
    case HOLD:
        process->is_held = true;
        return false;
    case NOTHING:
        break;
    }
    return true;
}

static bool is_the_place(int number, unsigned call, unsigned ordinal)
{
    bool is_later = (breaker.effect == ERRNO_ON || breaker.effect == FULL) && (int)ordinal > breaker.at_ordinal;
    return breaker.effect != NOTHING && number == breaker.at_process && (int)call == breaker.at_call &&
           ((int)ordinal == breaker.at_ordinal || is_later);
}

static bool count_call(int number, uint64_t nr, const uint64_t *args)
{
    struct process *process = &breaker.process[number];
    if (nr >= CALLS) {
        return true;
    }
    unsigned call = (unsigned)nr;
    unsigned ordinal = ++process->count[call];
    say("call", number, (long)call, ordinal, args[0]);
    return !is_the_place(number, call, ordinal) || break_call(process, (int)ordinal == breaker.at_ordinal, args[2]);
}

static bool at_call(int number)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, breaker.process[number].pid, sizeof info, &info) < 0) {
        return true;
    }
    if (info.op == PTRACE_SYSCALL_INFO_SECCOMP) {
        return count_call(number, info.seccomp.nr, (const uint64_t *)info.seccomp.args);
    }
    return info.op != PTRACE_SYSCALL_INFO_ENTRY || count_call(number, info.entry.nr, (const uint64_t *)info.entry.args);
}

static void at_stop(int number, int status)
{
    int signal_number = WSTOPSIG(status);
    bool is_event = status >> 16 != 0;
    if (signal_number == (SIGTRAP | 0x80) || status >> 16 == PTRACE_EVENT_SECCOMP) {
        if (!at_call(number)) {
            return;
        }
        signal_number = 0;
    } else if (is_event || signal_number == SIGSTOP) {
        signal_number = 0; /* a birth, an exec, the first stop of a child */
    }
    go_on(breaker.process[number].pid, signal_number);
}

static int watch(void)
{
    int status;
    int result = 111;
    for (;;) {
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno != EINTR) {
            return result;
        }
        if (pid < 0) {
            continue;
        }
        int number = index_of(pid);
        if (WIFSTOPPED(status)) {
            at_stop(number, status);
            continue;
        }
        breaker.process[number].is_gone = true;
        say("end", number, status, 0, 0);
        if (number == 0) {
            result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
    }
}

/* Who is not root must give up what execs could gain; root's programs shall run as they always do. */
static int filter_call(int call)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) {
        return 0;
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void start(char **argv)
{
    enum {
        OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                  PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL
    };
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, 0, 0);
        (void)raise(SIGSTOP);
        if (breaker.effect != NOTHING && filter_call(breaker.at_call) < 0) {
            _exit(111);
        }
        execvp(argv[0], argv);
        _exit(111);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || ptrace(PTRACE_SETOPTIONS, pid, 0, OPTIONS) < 0) {
        exit(111);
    }
    close(0); /* what the program talks on is its own: an end must be seen */
    close(1);
    (void)index_of(pid);
    go_on(pid, 0);
}

static void parse_effect(const char *text)
{
    static const char *const names[] = {
        [KILL] = "kill", [ERRNO] = "errno ", [ERRNO_ON] = "errno+ ", [SHORT] = "short", [FULL] = "full", [HOLD] = "hold"};
    for (int i = KILL; i <= HOLD; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(text, names[i], n) == 0) {
            breaker.effect = (enum effect)i;
            breaker.error = i == FULL ? ENOSPC : atoi(text + n);
            return;
        }
    }
    exit(100);
}

int main(int argc, char **argv)
{
    int letter;
    breaker.log = -1;
    while ((letter = getopt(argc, argv, "+o:p:c:n:e:")) != -1) {
        switch (letter) {
        case 'o':
            breaker.log = open(optarg, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
            break;
        case 'p':
            breaker.at_process = atoi(optarg);
            break;
        case 'c':
            breaker.at_call = atoi(optarg);
            break;
        case 'n':
            breaker.at_ordinal = atoi(optarg);
            break;
        case 'e':
            parse_effect(optarg);
            break;
        default:
            return 100;
        }
    }
    if (optind == argc) {
        return 100;
    }
    struct sigaction action = {.sa_handler = release_held};
    sigaction(SIGUSR1, &action, NULL);
    start(argv + optind);
    return watch();
}
