/* SPDX-License-Identifier: ISC */
/* What a program may do: rlimits, Landlock for paths, seccomp for system calls. Layers only narrow; children inherit.
 * The table of a program stands in its own source, and in its man page. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SANDBOX_READ = 1, SANDBOX_WRITE = 2, SANDBOX_EXEC = 4 };
/* READ: open and list below. WRITE: create, write, truncate, remove, and rename between folders (REFER). */
struct sandbox_path {
    const char *path; /* relative to the working directory; one that is missing is left out */
    unsigned rights;
};

/* Classes of system calls, after pledge(2). STDIO is always in: read, write, poll, memory, clocks, exit, sendmsg and recvmsg on
 * open descriptors, getrandom, signal masks. What Landlock does not see is refused here: chmod and utimes of a path (EPERM; of
 * open files they work), limits of other processes, and signals to them, by tgkill or by fcntl; Landlock refuses those from ABI 6
 * on only. What nobody refuses: to stat, and to watch by inotify, a path that one knows. */
enum {
    SANDBOX_STDIO = 0,
    SANDBOX_RPATH = 1,    /* open, stat, inotify; read-only opens are Landlock's job */
    SANDBOX_WPATH = 2,    /* fsync, ftruncate, pwrite, chmod of open files, flock */
    SANDBOX_CPATH = 4,    /* create, rename, unlink, mkdir, mkfifo, link */
    SANDBOX_UNIX = 8,     /* socket(AF_UNIX), connect, socketpair */
    SANDBOX_FORK = 16,    /* fork, wait */
    SANDBOX_SERVE = 32,   /* accept on the listening socket it has */
    SANDBOX_SANDBOX = 64, /* may add further layers */
    SANDBOX_KILL = 128    /* kill: servers with members */
};

struct sandbox_limits {
    uint64_t memory;    /* RLIMIT_AS, bytes; 0: leave */
    uint64_t files;     /* RLIMIT_NOFILE; 0: leave */
    uint64_t file_size; /* RLIMIT_FSIZE; UINT64_MAX: leave */
    bool no_fork;       /* RLIMIT_NPROC 0 */
};

void sandbox_limit(const struct sandbox_limits *limits); /* core dumps off and not dumpable, in every case */
/* RLIMIT_AS alone, for a program that is executed next. */
void sandbox_limit_memory(uint64_t bytes);
/* no_new_privs + Landlock. n = 0: no path at all. 0; -1 where the kernel has no Landlock (errno ENOSYS, EOPNOTSUPP) or on error.
 */
int sandbox_paths(const struct sandbox_path *paths, size_t n) __attribute__((warn_unused_result));
/* The same, and a kernel without it is logged once and accepted only if control/nolandlock exists; else death (111). */
void sandbox_paths_or_die(const struct sandbox_path *paths, size_t n);
/* no_new_privs + seccomp: everything outside the classes kills the process. Death (111) when it cannot be set. */
void sandbox_calls(unsigned classes);

#endif
