/* SPDX-License-Identifier: ISC */
/* rlimits and Landlock by raw system calls: no library at run time. The numbers of newer kernels are written out, since Debian
 * 12's headers end at Landlock ABI 2. Builds with sanitizers or coverage define SANDBOX_OFF: they need calls that no program may
 * make. */
#include "sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

/* What a fork inherits and need not ask for again: sessions are short. */
static struct {
    bool has_no_dumps, has_no_new_privs;
    long landlock_abi; /* 0: not asked yet */
} done;

static void set_limit(__rlimit_resource_t which, uint64_t value)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value}, old;
    if (value > 0 && getrlimit(which, &old) == 0 && old.rlim_max < value) {
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
    if (!done.has_no_dumps) {
        set_limit(RLIMIT_CORE, 0);
        done.has_no_dumps = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
    }
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

static int give_up_new_privs(void)
{
    if (!done.has_no_new_privs) {
        done.has_no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    }
    return done.has_no_new_privs ? 0 : -1;
}

static int enforce(int ruleset_fd, const struct sandbox_path *paths, size_t n, uint64_t handled)
{
    for (size_t i = 0; i < n; i++) {
        if (add_path(ruleset_fd, &paths[i], handled) < 0) {
            return -1;
        }
    }
    return give_up_new_privs() < 0 || syscall(446, ruleset_fd, 0) < 0 ? -1 : 0;
}

int sandbox_paths(const struct sandbox_path *paths, size_t n)
{
    if (is_paths_off) {
        return 0;
    }
    if (done.landlock_abi < 1) {
        done.landlock_abi = landlock_create(NULL, 0, 1);
    }
    long abi = done.landlock_abi;
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
