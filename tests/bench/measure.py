# SPDX-License-Identifier: ISC
"""What the benches measure with: processor time of the machine, disk flushes, memory of processes, medians, a table."""

import os
import statistics
import subprocess
import tempfile

TICKS = os.sysconf("SC_CLK_TCK")


def machine_cpu_seconds():
    """User, nice, system and interrupt time of all processors since boot."""
    with open("/proc/stat", encoding="ascii") as f:
        words = [int(w) for w in f.readline().split()[1:]]
    return (words[0] + words[1] + words[2] + words[5] + words[6]) / TICKS


class Group:
    """A control group (cgroup2): the processor time, in microseconds, of all that was started within it, the buried ones too."""
    root = None

    def __init__(self, name):
        if Group.root is None:
            Group.root = tempfile.mkdtemp(prefix="stafet-group.")
            subprocess.run(["mount", "-t", "cgroup2", "none", Group.root], check=True)
        self.path = tempfile.mkdtemp(prefix=f"stafet-bench.{name}.", dir=Group.root)

    def __enter__(self):
        self.put(self.path)

    def __exit__(self, *_):
        self.put(Group.root)

    def put(self, path):
        with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as f:
            f.write(str(os.getpid()))

    def seconds(self):
        with open(os.path.join(self.path, "cpu.stat"), encoding="ascii") as f:
            return int(next(line for line in f if line.startswith("usage_usec")).split()[1]) / 1e6

    @classmethod
    def leave(cls, groups):
        """Once all of their processes are gone."""
        for group in groups:
            os.rmdir(group.path)
        if cls.root is not None:
            subprocess.run(["umount", cls.root], check=True)
            os.rmdir(cls.root)


def flushes(path):
    """Completed flush requests of the disk that path lies on; None where the kernel does not say."""
    device = os.stat(path).st_dev
    try:
        with open(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat", encoding="ascii") as f:
            words = f.read().split()
        return int(words[15]) if len(words) > 15 else None
    except OSError:
        return None


def pss_kib(pids):
    """Proportional set size of processes, KiB."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        except OSError:
            continue
    return total


def median(values):
    return statistics.median(values)


class Run:
    """One run of a load generator: what it printed, and what the machine and the disk did meanwhile, less the generator itself."""

    def __init__(self, argv, disk):
        flushed, cpu = flushes(disk), machine_cpu_seconds()
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{argv}: {done.stdout}{done.stderr}")
        words = done.stdout.split()
        self.value = {words[i]: float(words[i + 1]) for i in range(0, len(words), 2)}
        self.cpu = machine_cpu_seconds() - cpu - self.value.get("cpu", 0.0)
        after = flushes(disk)
        self.flushes = None if flushed is None or after is None else after - flushed


def print_table(head, rows):
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * w for w in widths], *rows]:
        print("| " + " | ".join(str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(row, widths))) + " |", flush=True)
