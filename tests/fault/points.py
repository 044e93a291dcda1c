# SPDX-License-Identifier: ISC
"""Fault points: which system calls a program makes while it works on one message, and strace's way to break the n-th of them."""

import re
import subprocess

STRACE = "/usr/bin/strace"
LINE = re.compile(r"^(?:\d+ +)?([a-z_0-9]+)\((.*)$")
# Calls that end or wait and that no fault can reach in a useful way.
IGNORED = {"exit_group", "exit", "rt_sigreturn", "restart_syscall", "execve", "ppoll", "poll", "alarm", "rt_sigprocmask", "rt_sigaction",
           "getpid", "brk", "mmap", "munmap", "mprotect", "clock_nanosleep", "wait4", "prlimit64", "set_robust_list", "rseq"}
# What each call may fail with.
ERRNOS = {
    "openat": ("ENOSPC", "EIO", "EMFILE", "EINTR"), "open": ("ENOSPC", "EIO", "EMFILE"), "write": ("ENOSPC", "EIO", "EINTR"),
    "writev": ("ENOSPC", "EIO", "EINTR"), "pwrite64": ("ENOSPC", "EIO", "EINTR"), "pwritev": ("ENOSPC", "EIO"), "fsync": ("EIO", "ENOSPC"),
    "fdatasync": ("EIO", "ENOSPC"), "renameat2": ("ENOSPC", "EIO"), "renameat": ("ENOSPC", "EIO"), "rename": ("ENOSPC", "EIO"),
    "unlinkat": ("EIO",), "unlink": ("EIO",), "mkdirat": ("ENOSPC",), "mkdir": ("ENOSPC",), "read": ("EIO", "EINTR"),
    "pread64": ("EIO", "EINTR"), "recvmsg": ("EINTR", "ENOMEM"), "sendmsg": ("EINTR", "EPIPE"), "socket": ("EMFILE",),
    "connect": ("EAGAIN", "ECONNREFUSED"), "accept4": ("EMFILE", "EINTR"), "getdents64": ("EIO",), "fork": ("EAGAIN",), "clone": ("EAGAIN",),
    "flock": ("EINTR", "ENOLCK"), "ftruncate": ("EIO",), "fstatfs": ("EIO",), "newfstatat": ("EIO",), "fstat": ("EIO",), "dup2": ("EMFILE",),
    "memfd_create": ("EMFILE",), "getrandom": ("EINTR",)}


def trace_wrapper(log):
    return [STRACE, "-qq", "-o", log]


def inject_wrapper(call, number, what):
    """what: "KILL", or an errno's name."""
    effect = "signal=KILL" if what == "KILL" else f"error={what}"
    return [STRACE, "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{effect}:when={number}"]


def read_points(log, begins):
    """[(call, ordinal)] from the first line that matches `begins` on; ordinals count from the program's start, as strace does."""
    counts, points, is_on = {}, [], False
    with open(log, encoding="utf-8", errors="replace") as f:
        for line in f:
            found = LINE.match(line)
            if not found:
                continue
            call = found.group(1)
            counts[call] = counts.get(call, 0) + 1
            is_on = is_on or re.search(begins, line) is not None
            if is_on and call not in IGNORED:
                points.append((call, counts[call]))
    return points


def with_faults(points, kinds):
    """Every point with each of its faults: "KILL" and, with kinds "all", its errnos."""
    for call, number in points:
        yield call, number, "KILL"
        if kinds == "all":
            for errno in ERRNOS.get(call, ()):
                yield call, number, errno


def has_strace():
    return subprocess.run([STRACE, "-V"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
