/* SPDX-License-Identifier: ISC */
/* rlimits, Landlock and seccomp by raw system calls: no library at run time. The numbers of newer kernels are written out, since
 * Debian 12's headers end at Landlock ABI 2. Builds with sanitizers or coverage define SANDBOX_OFF: they need calls that no
 * program may make. */
#include "sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "die.h"
#include "log.h"

/* Builds for tests: sanitizers need memory of their own, coverage writes files too. */
#ifdef SANDBOX_OFF
static const bool is_off = true;
#else
static const bool is_off = false;
#endif
#ifdef SANDBOX_PATHS_OFF
static const bool is_paths_off = true;
#else
static const bool is_paths_off = false;
#endif

/* Landlock's rights, by the ABI that brought them (linux/landlock.h). */
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_FIFO = 1 << 10,
    FS_ALL_ABI_1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,     /* ABI 2 */
    FS_TRUNCATE = 1 << 14,  /* ABI 3 */
    FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
    FS_FILE_ONLY = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE,
    NET_BIND_AND_CONNECT = 3, /* ABI 4 */
    SCOPE_ALL = 3             /* ABI 6: abstract sockets, signals */
};

struct ruleset {
    uint64_t fs, net, scoped;
};
struct path_rule {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

static long landlock_create(const struct ruleset *ruleset, size_t size, uint32_t flags)
{
    return syscall(444, ruleset, size, flags);
}

static void set_limit(__rlimit_resource_t which, uint64_t value)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value}, old;
    if (getrlimit(which, &old) == 0 && old.rlim_max < value) {
        limit.rlim_cur = limit.rlim_max = old.rlim_max;
    }
    setrlimit(which, &limit);
}

void sandbox_limit_memory(uint64_t bytes)
{
    if (!is_off) {
        set_limit(RLIMIT_AS, bytes);
    }
}

void sandbox_limit(const struct sandbox_limits *limits)
{
    set_limit(RLIMIT_CORE, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (limits->memory > 0) {
        sandbox_limit_memory(limits->memory);
    }
    if (limits->files > 0) {
        set_limit(RLIMIT_NOFILE, limits->files);
    }
    if (limits->file_size != UINT64_MAX && !is_off) {
        set_limit(RLIMIT_FSIZE, limits->file_size);
    }
    if (limits->no_fork && !is_off) {
        set_limit(RLIMIT_NPROC, 0);
    }
}

static uint64_t handled_rights(long abi)
{
    uint64_t rights = FS_ALL_ABI_1;
    if (abi >= 2) {
        rights |= FS_REFER;
    }
    if (abi >= 3) {
        rights |= FS_TRUNCATE;
    }
    if (abi >= 5) {
        rights |= FS_IOCTL_DEV;
    }
    return rights;
}

static uint64_t wanted_rights(unsigned rights)
{
    uint64_t wanted = 0;
    if (rights & SANDBOX_READ) {
        wanted |= FS_READ_FILE | FS_READ_DIR;
    }
    if (rights & SANDBOX_WRITE) {
        wanted |=
            FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_FIFO | FS_REFER | FS_TRUNCATE;
    }
    if (rights & SANDBOX_EXEC) {
        wanted |= FS_EXECUTE;
    }
    return wanted;
}

static int add_path(int ruleset_fd, const struct sandbox_path *path, uint64_t handled)
{
    struct stat st;
    int fd = open(path->path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    }
    struct path_rule rule = {.allowed = wanted_rights(path->rights) & handled, .parent_fd = fd};
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        rule.allowed &= FS_FILE_ONLY;
    }
    long result = syscall(445, ruleset_fd, 1, &rule, 0);
    int error = errno;
    close(fd);
    errno = error;
    return result < 0 ? -1 : 0;
}

static int enforce(int ruleset_fd, const struct sandbox_path *paths, size_t n, uint64_t handled)
{
    for (size_t i = 0; i < n; i++) {
        if (add_path(ruleset_fd, &paths[i], handled) < 0) {
            return -1;
        }
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return -1;
    }
    return syscall(446, ruleset_fd, 0) < 0 ? -1 : 0;
}

int sandbox_paths(const struct sandbox_path *paths, size_t n)
{
    if (is_paths_off) {
        return 0;
    }
    long abi = landlock_create(NULL, 0, 1);
    if (abi < 1) {
        return -1;
    }
    struct ruleset ruleset = {.fs = handled_rights(abi), .net = NET_BIND_AND_CONNECT, .scoped = SCOPE_ALL};
    size_t size = abi >= 6 ? sizeof ruleset : abi >= 4 ? offsetof(struct ruleset, scoped) : offsetof(struct ruleset, net);
    int fd = (int)landlock_create(&ruleset, size, 0);
    if (fd < 0) {
        return -1;
    }
    int result = enforce(fd, paths, n, ruleset.fs);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

void sandbox_paths_or_die(const struct sandbox_path *paths, size_t n)
{
    if (sandbox_paths(paths, n) == 0) {
        return;
    }
    int error = errno;
    bool is_missing = error == ENOSYS || error == EOPNOTSUPP;
    if (is_missing && access("control/nolandlock", F_OK) == 0) {
        log_event("no-landlock", "program=%s reason=%s", program_name(),
                  "this kernel has none, and control/nolandlock accepts that");
        return;
    }
    errno = error;
    die_temporary("Landlock cannot confine this program%s", is_missing ? "; create control/nolandlock to run without it" : "");
}

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
    SYS_fcntl,
    SYS_dup,
    SYS_dup3,
    SYS_futex,
    SYS_uname,
    SYS_sysinfo, /* qsort asks how much memory there is */
    SYS_restart_syscall,
    SYS_prlimit64,
    SYS_setitimer,
    SYS_sched_yield,
    SYS_tgkill,
    SYS_rseq,
    SYS_set_robust_list,
    SYS_umask,
    SYS_sysinfo, /* qsort asks how much memory there is */
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
    SYS_pwrite64, SYS_pwritev,   SYS_fsync,           SYS_fdatasync, SYS_ftruncate,    SYS_fallocate,
    SYS_fchmod,   SYS_utimensat, SYS_copy_file_range, SYS_sendfile,  SYS_memfd_create,
};
static const uint16_t cpath_calls[] = {
    SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_linkat, SYS_fchmodat, SYS_mknodat,
#ifdef SYS_rename
    SYS_rename,   SYS_unlink,    SYS_mkdir,    SYS_rmdir,   SYS_link,   SYS_chmod,
#endif
};
static const uint16_t unix_calls[] = {SYS_connect, SYS_socketpair};
static const uint16_t fork_calls[] = {
    SYS_clone, SYS_clone3, SYS_wait4, SYS_waitid, SYS_kill, SYS_setpgid, SYS_setsid, SYS_pipe2, SYS_signalfd4,
#ifdef SYS_fork
    SYS_fork,  SYS_vfork,  SYS_pipe,
#endif
};
static const uint16_t serve_calls[] = {SYS_accept4, SYS_accept};
static const uint16_t sandbox_calls_list[] = {SYS_prctl, SYS_seccomp, 444, 445, 446};

/* What happens to a call, by its number. Numbers above are all killed. */
enum verdict { VERDICT_KILL, VERDICT_ALLOW, VERDICT_UNIX_SOCKET, VERDICT_NO_TERMINAL };
enum { NUMBERS = 512, PROGRAM_MAX = 1024 };

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

static void emit_verdict(struct program *program, uint8_t verdict)
{
    switch ((enum verdict)verdict) {
    case VERDICT_UNIX_SOCKET: /* socket() for AF_UNIX only */
        emit(program, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]), 0, 0);
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 1);
        emit(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
        emit(program, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT, 0, 0);
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
    if (classes & SANDBOX_RPATH) {
        ALLOW(verdict_of, rpath_calls);
    }
    if (classes & SANDBOX_WPATH) {
        ALLOW(verdict_of, wpath_calls);
    }
    if (classes & SANDBOX_CPATH) {
        ALLOW(verdict_of, cpath_calls);
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
