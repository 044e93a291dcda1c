# SPDX-License-Identifier: ISC
"""Fault points: which system calls a program makes while it works on one message, and the breaker's command line that breaks one of
them. A point is (process, call, ordinal); processes are counted in the order of their birth, 0 is the program itself."""

import errno
import functools
import glob
import re

from places import tool

BREAKER, SHIM, MEMORY, HELD = tool("breaker"), tool("shim.so"), tool("memory.so"), tool("held.so")
# Calls that wait, that only change the process itself, or that end it: a kill there is a kill before the next call.
IGNORED = {"exit_group", "exit", "rt_sigreturn", "restart_syscall", "execve", "ppoll", "poll", "alarm", "rt_sigprocmask", "rt_sigaction",
           "getpid", "gettid", "brk", "mmap", "munmap", "mprotect", "madvise", "clock_nanosleep", "wait4", "prlimit64", "set_robust_list",
           "rseq", "arch_prctl", "set_tid_address", "getuid", "geteuid", "prctl", "seccomp", "futex", "sigaltstack"}
DISK = ("ENOSPC", "EIO", "EDQUOT")
# What each call may fail with; `+`: that one and all later ones.
FAULTS = {
    "openat": (*DISK, "EMFILE", "EINTR"), "open": (*DISK, "EMFILE", "EINTR"), "write": (*DISK, "EINTR", "short", "+ENOSPC", "full"),
    "writev": (*DISK, "EINTR", "+ENOSPC"), "pwrite64": (*DISK, "EINTR", "short", "+EIO"), "fsync": (*DISK, "EINTR", "+EIO"),
    "fdatasync": (*DISK, "EINTR", "+EIO"), "renameat2": (*DISK, "EINTR", "+ENOSPC"), "renameat": DISK, "rename": (*DISK, "+ENOSPC"),
    "unlinkat": ("EIO", "EROFS", "+EIO"), "unlink": ("EIO", "EROFS", "+EIO"), "mkdirat": DISK, "mkdir": DISK, "read": ("EIO", "EINTR"),
    "pread64": ("EIO", "EINTR", "+EIO"), "recvmsg": ("EINTR", "ENOMEM", "EIO"), "sendmsg": ("EINTR", "EPIPE", "ENOBUFS"),
    "sendto": ("EINTR", "EPIPE"), "socket": ("EMFILE", "ENFILE", "+EMFILE"), "connect": ("EAGAIN", "ECONNREFUSED", "EINTR"),
    "accept4": ("EMFILE", "EINTR", "+EMFILE"), "getdents64": ("EIO", "EINTR"), "clone": ("EAGAIN", "ENOMEM"), "fork": ("EAGAIN",),
    "flock": ("EINTR", "ENOLCK", "EWOULDBLOCK"), "ftruncate": ("EIO", "ENOSPC"), "fstatfs": ("EIO",), "newfstatat": ("EIO", "ENOENT"),
    "fstat": ("EIO",), "statx": ("EIO",), "dup2": ("EMFILE",), "fcntl": ("EMFILE",), "memfd_create": ("EMFILE", "ENOMEM"), "pipe2": ("EMFILE",),
    "socketpair": ("EMFILE",), "getrandom": ("EINTR",), "lseek": ("EIO",), "fchmod": ("EIO",), "rmdir": ("EIO",)}


@functools.cache
def call_names():
    """{number: name} of this machine."""
    path = glob.glob("/usr/include/*/asm/unistd_64.h")[0]
    with open(path, encoding="ascii") as f:
        return {int(number): name for name, number in re.findall(r"#define __NR_(\w+) (\d+)", f.read())}


@functools.cache
def call_numbers():
    return {name: number for number, name in call_names().items()}


def trace_wrapper(log):
    return [BREAKER, "-o", log]


def break_wrapper(point, fault, log="/dev/null"):
    """fault: "kill", "hold", "short", "full", an errno's name, or one behind a `+`."""
    process, call, ordinal = point
    effect = fault
    if fault.startswith("+"):
        effect = f"errno+ {getattr(errno, fault[1:])}"
    elif fault.startswith("E"):
        effect = f"errno {getattr(errno, fault)}"
    return [BREAKER, "-o", log, "-p", str(process), "-c", str(call_numbers()[call]), "-n", str(ordinal), "-e", effect]


def read_log(log):
    """[(process, call, ordinal, first argument)] of a trace."""
    names = call_names()
    with open(log, encoding="ascii") as f:
        words = (line.split() for line in f if line.startswith("call "))
        return [(int(w[1]), names.get(int(w[2]), w[2]), int(w[3]), int(w[4])) for w in words]


def was_hit(log):
    with open(log, encoding="ascii") as f:
        return "hit " in f.read()


def read_points(log, begins, processes=None):
    """The points from the first call on that is `begins` (name, first argument or None; the how manieth of these), of the given
    processes only."""
    found, is_on = [], False
    name, first, left = (*begins, 1)[:3]
    for process, call, ordinal, argument in read_log(log):
        left -= call == name and first in (None, argument)
        is_on = is_on or left == 0
        if is_on and call not in IGNORED and (processes is None or process in processes):
            found.append((process, call, ordinal))
    return found


def with_faults(points):
    """[(point, fault)]: a kill at every point, and each errno that its call may give."""
    return [(point, fault) for point in points for fault in ("kill", *FAULTS.get(point[1], ()))]


def show(point, fault):
    process, call, ordinal = point
    return f"{fault} at {call} number {ordinal} of process {process}"
