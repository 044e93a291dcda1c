#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""kill -9 and chosen errnos at every system call that queue, local and send make for one message; then clean servers run the spool
empty and the checker looks. `--whole` takes every point with every errno, else every kill and a part of the errnos."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import points  # noqa: E402
from house import DOMAIN, House, Tap, final_verdict, make_message, program, queue_call  # noqa: E402

RECIPIENTS = ("ann", "bob")


class Runner:
    def __init__(self, house):
        self.house = house
        self.number = 0

    def next_number(self):
        self.number += 1
        return self.number


def run_queue(runner, wrapper, size):
    """One call to a queue of its own under `wrapper`. The exit status, or -1 when it had to be killed."""
    house, number = runner.house, runner.next_number()
    ours, theirs = socket.socketpair()
    with house.log() as log:
        process = subprocess.Popen([*wrapper, program("stafet-queue")], stdin=theirs, stdout=theirs, stderr=log, cwd=house.folder,
                                   env=house.environment())
    theirs.close()
    letter = ""
    try:
        ours.sendall(queue_call("sender@fault.test", [f"{r}@{DOMAIN}" for r in RECIPIENTS], make_message(number, size)))
        letter = final_verdict(ours)
    except OSError:
        pass
    ours.close()
    house.remember(number, RECIPIENTS, letter)
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return -1


class LocalShim(threading.Thread):
    """sockets/local: the first connection gets a stafet-local under the wrapper, later ones a clean one."""

    def __init__(self, house, wrapper):
        super().__init__(daemon=True)
        self.house, self.wrapper = house, wrapper
        self.listener = house.listener("local")
        self.children = []
        self.over = False

    def run(self):
        while not self.over:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            wrapper, self.wrapper = self.wrapper, ()
            with self.house.log() as log:
                self.children.append(subprocess.Popen([*wrapper, program("stafet-local")], stdin=connection, stdout=connection, stderr=log,
                                                      cwd=self.house.folder, env=self.house.environment(), start_new_session=True))
            connection.close()

    def first_is_dead(self):
        return bool(self.children) and self.children[0].poll() is not None

    def stop(self):
        self.over = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join()
        for child in self.children:
            child.kill()
            child.wait()


def wait_until(question, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if question():
            return True
        time.sleep(0.005)
    return False


def spool_rests(house):
    """Nothing left to do now: empty, or only deferred mail."""
    return all("/later/" in path for path in house.spool_files())


def run_local(runner, wrapper, size):
    house = runner.house
    for name in ("rcpt", "queue"):
        if name not in house.running:
            house.start(name)
    if not house.submit(runner.next_number(), RECIPIENTS, size):
        raise RuntimeError("the clean queue did not take the message")
    shim = LocalShim(house, wrapper)
    shim.start()
    house.start("send")
    wait_until(lambda: spool_rests(house) or shim.first_is_dead(), 10)
    house.kill("send")
    shim.stop()
    return 0


def run_send(runner, wrapper, size):
    house = runner.house
    for name in ("rcpt", "queue", "local"):
        if name not in house.running:
            house.start(name)
    if not house.submit(runner.next_number(), RECIPIENTS, size):
        raise RuntimeError("the clean queue did not take the message")
    process = house.start("send", wrapper)
    wait_until(lambda: process.poll() is not None or spool_rests(house), 10)
    time.sleep(0.01)
    house.kill("send")
    return 0


SCENES = (
    ("queue", run_queue, r"recvmsg\(0", 300, 0),
    ("queue-large", run_queue, r"recvmsg\(0", 200000, 0),
    ("local", run_local, r"recvmsg\(0", 300, 0),
    ("send", run_send, r"spool/lock", 300, 1),
)


def list_points(runner, run, begins, size):
    with tempfile.NamedTemporaryFile() as log:
        run(runner, points.trace_wrapper(log.name), size)
        return points.read_points(log.name, begins)


def sample(chosen, whole, scene):
    """The short form keeps every kill of queue and local, every second of send, and a fifth of the errnos."""
    if whole:
        return chosen
    kept = []
    for i, point in enumerate(chosen):
        step = (2 if scene == "send" else 1) if point[2] == "KILL" else 5
        if i % step == 0:
            kept.append(point)
    return kept


def run_scene(tap, house, scene, whole):
    name, run, begins, size, duplicates = scene
    runner = Runner(house)
    house.forget()
    found = list_points(runner, run, begins, size)
    house.drain()
    tap.ok(len(found) > 10, f"{name}_makes_{len(found)}_calls_a_message")
    bad = []
    chosen = sample(list(points.with_faults(found, "all")), whole, name)
    for call, number, what in chosen:
        house.kill()
        house.forget()
        run(runner, points.inject_wrapper(call, number, what), size)
        is_empty = house.drain()
        broken = house.check(duplicates)
        if not is_empty:
            broken.append(f"the spool does not become empty: {house.spool_files()}")
        if broken:
            bad.append(f"{what} at {call} number {number}: " + "; ".join(broken))
            bad += [f"    {line}" for line in house.last_log(4)]
    tap.ok(not bad, f"{name}_survives_{len(chosen)}_faults", bad[:40])


def main():
    whole = "--whole" in sys.argv
    only = [word for word in sys.argv[1:] if not word.startswith("-")]
    tap = Tap()
    tap.ok(points.has_strace(), "strace_is_here")
    with tempfile.TemporaryDirectory(prefix="stafet-fault.") as folder:
        os.chmod(folder, 0o755)
        house = House(folder)
        house.build()
        for scene in SCENES:
            if not only or scene[0] in only:
                run_scene(tap, house, scene, whole)
        house.kill()
    tap.done()


if __name__ == "__main__":
    main()
