/* SPDX-License-Identifier: ISC */
/* seccomp: which system calls a class is, and the filter of them as a search tree. Where Landlock sees nothing an argument is
 * looked at: see sandbox.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "die.h"
#include "sandbox.h"

#ifdef SANDBOX_OFF
static const bool is_off = true;
#else
static const bool is_off = false;
#endif

/* One number a call; classes in the header's order. */
static const uint16_t stdio_calls[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_preadv,
    SYS_close,
    SYS_close_range,
    SYS_fstat,
    SYS_newfstatat,
    SYS_lseek,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_ppoll,
    SYS_pselect6,
    SYS_exit,
    SYS_exit_group,
    SYS_rt_sigreturn,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_sigaltstack,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_getrandom,
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_recvmsg,
    SYS_sendmsg,
    SYS_recvfrom,
    SYS_sendto,
    SYS_shutdown,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_getpeername,
    SYS_getsockname,
    SYS_dup,
    SYS_dup3,
    SYS_futex,
    SYS_uname,
    SYS_sysinfo, /* qsort asks how much memory there is */
    SYS_restart_syscall,
    SYS_setitimer,
    SYS_sched_yield,
    SYS_rseq,
    SYS_set_robust_list,
    SYS_umask,
    SYS_flock,
#ifdef SYS_poll
    SYS_poll,
    SYS_dup2,
    SYS_alarm,
    SYS_time,
    SYS_select,
#endif
};
static const uint16_t rpath_calls[] = {
    SYS_openat,        SYS_openat2,
    SYS_getdents64,    SYS_statx,
    SYS_faccessat,     SYS_faccessat2,
    SYS_readlinkat,    SYS_statfs,
    SYS_fstatfs,       SYS_chdir,
    SYS_fchdir,        SYS_getcwd,
    SYS_fadvise64,
#ifdef SYS_open
    SYS_open,          SYS_stat,
    SYS_lstat,         SYS_access,
    SYS_readlink,
#endif
    SYS_inotify_init1, SYS_inotify_add_watch,
};
static const uint16_t wpath_calls[] = {
    SYS_pwrite64,  SYS_pwritev, SYS_fsync,           SYS_fdatasync, SYS_ftruncate,
    SYS_fallocate, SYS_fchmod,  SYS_copy_file_range, SYS_sendfile,  SYS_memfd_create,
};
static const uint16_t cpath_calls[] = {
    SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_linkat, SYS_mknodat,
#ifdef SYS_rename
    SYS_rename,   SYS_unlink,    SYS_mkdir,    SYS_rmdir,   SYS_link,
#endif
};
static const uint16_t unix_calls[] = {SYS_connect, SYS_socketpair};
static const uint16_t fork_calls[] = {
    SYS_clone, SYS_clone3, SYS_wait4, SYS_waitid, SYS_setpgid, SYS_setsid, SYS_pipe2, SYS_signalfd4,
#ifdef SYS_fork
    SYS_fork,  SYS_vfork,  SYS_pipe,
#endif
};
static const uint16_t serve_calls[] = {SYS_accept4, SYS_accept};
static const uint16_t sandbox_calls_list[] = {SYS_prctl, SYS_seccomp, 444, 445, 446};

/* What happens to a call, by its number. Numbers above are all killed. */
enum verdict {
    VERDICT_KILL,
    VERDICT_ALLOW,
    VERDICT_REFUSE,
    VERDICT_UNIX_SOCKET,
    VERDICT_NO_TERMINAL,
    VERDICT_OWN_LIMITS,
    VERDICT_OPEN_FILE,
    VERDICT_NO_OWNER
};
enum { NUMBERS = 512, PROGRAM_MAX = 1024 };

/* Halves of a system call's argument, as the filter sees them. */
#define ARGUMENT_LOW(i)  (offsetof(struct seccomp_data, args[i]))
#define ARGUMENT_HIGH(i) (offsetof(struct seccomp_data, args[i]) + 4)

/* A run of numbers with one verdict, up to the next one's first. */
struct run {
    uint16_t first;
    uint8_t verdict;
};
struct program {
    unsigned short len;
    struct sock_filter code[PROGRAM_MAX];
};

static void emit(struct program *program, uint16_t code, uint32_t k, uint8_t jump_true, uint8_t jump_false)
{
    if (program->len == PROGRAM_MAX) {
        die_bug("seccomp program too long");
    }
    program->code[program->len++] = (struct sock_filter){code, jump_true, jump_false, k};
}

static void emit_return(struct program *program, uint32_t what)
{
    emit(program, BPF_RET | BPF_K, what, 0, 0);
}

/* Allows where this 32-bit half of an argument has that value, else `otherwise`. */
static void emit_if(struct program *program, size_t half_at, uint32_t value, uint32_t otherwise)
{
    emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)half_at, 0, 0);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    emit_return(program, SECCOMP_RET_ALLOW);
    emit_return(program, otherwise);
}

/* utimensat() without a path is futimens(). */
static void emit_open_file(struct program *program)
{
    emit(program, BPF_LD | BPF_W | BPF_ABS, ARGUMENT_HIGH(1), 0, 0);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    emit_return(program, SECCOMP_RET_ERRNO | EPERM);
    emit_if(program, ARGUMENT_LOW(1), 0, SECCOMP_RET_ERRNO | EPERM);
}

/* fcntl() may not choose who gets which signal when something is readable. */
static void emit_no_owner(struct program *program)
{
    static const uint32_t refused[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG};
    static const uint8_t n = sizeof refused / sizeof *refused;
    emit(program, BPF_LD | BPF_W | BPF_ABS, ARGUMENT_LOW(1), 0, 0);
    for (uint8_t i = 0; i < n; i++) {
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, refused[i], (uint8_t)(n - i), 0);
    }
    emit_return(program, SECCOMP_RET_ALLOW);
    emit_return(program, SECCOMP_RET_ERRNO | EPERM);
}

static void emit_verdict(struct program *program, uint8_t verdict)
{
    switch ((enum verdict)verdict) {
    case VERDICT_UNIX_SOCKET: /* socket() for AF_UNIX only */
        emit_if(program, ARGUMENT_LOW(0), AF_UNIX, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
        return;
    case VERDICT_OWN_LIMITS: /* prlimit64() of process 0: itself */
        emit_if(program, ARGUMENT_LOW(0), 0, SECCOMP_RET_ERRNO | EPERM);
        return;
    case VERDICT_OPEN_FILE:
        emit_open_file(program);
        return;
    case VERDICT_NO_OWNER:
        emit_no_owner(program);
        return;
    case VERDICT_REFUSE:
        emit_return(program, SECCOMP_RET_ERRNO | EPERM);
        return;
    case VERDICT_NO_TERMINAL: /* stdio asks with ioctl() whether it writes to a terminal */
        emit(program, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY, 0, 0);
        return;
    case VERDICT_ALLOW:
        emit(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
        return;
    case VERDICT_KILL:
        break;
    }
    emit(program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
}

/* A search tree over the runs: the kernel tries every call's number when a filter is set, so a line of comparisons would make
 * that as dear as two forks. */
static void emit_tree(struct program *program, const struct run *runs, size_t n)
{
    if (n == 1) {
        emit_verdict(program, runs[0].verdict);
        return;
    }
    size_t half = n / 2;
    unsigned short at = program->len;
    emit(program, BPF_JMP | BPF_JGE | BPF_K, runs[half].first, 0, 0);
    emit_tree(program, runs, half);
    unsigned distance = program->len - at - 1U;
    if (distance > UINT8_MAX) {
        die_bug("seccomp tree too wide");
    }
    program->code[at].jt = (uint8_t)distance;
    emit_tree(program, runs + half, n - half);
}

static uint32_t this_architecture(void)
{
#if defined(__x86_64__)
    return AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
    return AUDIT_ARCH_AARCH64;
#else
#error "lib/sandbox.c: add this processor's AUDIT_ARCH"
#endif
}

static void allow(uint8_t *verdict_of, const uint16_t *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        verdict_of[calls[i]] = VERDICT_ALLOW;
    }
}

#define ALLOW(verdict_of, list) allow((verdict_of), (list), sizeof(list) / sizeof(list)[0])

static void judge(uint8_t *verdict_of, unsigned classes)
{
    ALLOW(verdict_of, stdio_calls);
    verdict_of[SYS_ioctl] = VERDICT_NO_TERMINAL;
    verdict_of[SYS_prlimit64] = VERDICT_OWN_LIMITS;
    verdict_of[SYS_fcntl] = VERDICT_NO_OWNER;
    verdict_of[SYS_tgkill] = VERDICT_REFUSE; /* abort() ends by another signal then */
    if (classes & SANDBOX_RPATH) {
        ALLOW(verdict_of, rpath_calls);
    }
    if (classes & SANDBOX_WPATH) {
        ALLOW(verdict_of, wpath_calls);
        verdict_of[SYS_utimensat] = VERDICT_OPEN_FILE;
    }
    if (classes & SANDBOX_CPATH) {
        ALLOW(verdict_of, cpath_calls);
        verdict_of[SYS_fchmodat] = VERDICT_REFUSE;
#ifdef SYS_chmod
        verdict_of[SYS_chmod] = VERDICT_REFUSE;
#endif
    }
    if (classes & SANDBOX_UNIX) {
        ALLOW(verdict_of, unix_calls);
        verdict_of[SYS_socket] = VERDICT_UNIX_SOCKET;
    }
    if (classes & (SANDBOX_FORK | SANDBOX_SERVE)) {
        ALLOW(verdict_of, fork_calls);
    }
    if (classes & SANDBOX_SERVE) {
        ALLOW(verdict_of, serve_calls);
    }
    if (classes & SANDBOX_KILL) {
        verdict_of[SYS_kill] = VERDICT_ALLOW;
    }
    if (classes & SANDBOX_SANDBOX) {
        ALLOW(verdict_of, sandbox_calls_list);
    }
}

static void build(struct program *program, unsigned classes)
{
    uint8_t verdict_of[NUMBERS] = {VERDICT_KILL};
    struct run runs[NUMBERS];
    size_t n = 0;
    judge(verdict_of, classes);
    for (unsigned number = 0; number < NUMBERS; number++) {
        if (number == 0 || verdict_of[number] != verdict_of[number - 1]) {
            runs[n++] = (struct run){(uint16_t)number, verdict_of[number]};
        }
    }
    emit(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, this_architecture(), 1, 0);
    emit(program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    emit(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    emit_tree(program, runs, n);
}

void sandbox_calls(unsigned classes)
{
    struct program program;
    program.len = 0;
    if (is_off) {
        return;
    }
    build(&program, classes);
    struct sock_fprog filter = {.len = program.len, .filter = program.code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) < 0) {
        die_temporary("seccomp filter cannot be set");
    }
}
