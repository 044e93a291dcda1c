# SPDX-License-Identifier: ISC
"""States that a crash leaves behind and that no fault point meets by chance: each function makes one, lets the house work, and returns
a list of broken promises."""

import glob
import os
import signal
import time

import points
from house import read, wait_until
from letters import DOMAIN, HEADER, SpoolFile, read_notes

TEN_YEARS = 10 * 366 * 86400


def start_over(house):
    house.kill()
    house.forget()
    house.extra_env.pop("stafet-send", None)


def start_send(house):
    """Its process, when it has looked at the spool and waits."""
    os.truncate(house.log_path, 0)
    process = house.start("ctl")
    if not wait_until(lambda: b"status: local 0/" in read(house.log_path), 10):
        raise RuntimeError(f"send does not start: {house.last_log(20)}")
    return process


def broken_env(recipe):
    return {"LD_PRELOAD": points.SHIM, "BROKEN": recipe, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


# Two sends.

def two_sends(house, env=None):
    """The second one ends at once and says why; the first goes on."""
    start_over(house)
    house.start("rcpt", "queue", "local")
    start_send(house)
    first = house.running.pop("ctl")
    broken = []
    if env:
        house.extra_env["stafet-send"] = env
    second = house.start("ctl")
    if not wait_until(lambda: second.poll() is not None, 3):
        broken.append("doubled: two sends work on one spool")
    elif second.returncode != 111 or b"another stafet-send works on this spool" not in read(house.log_path):
        broken.append(f"silent: the second send ended with {second.returncode}")
    if first.poll() is not None:
        broken.append("gone: the first send did not stay")
    house.submit(("ann",))
    if not wait_until(lambda: not house.spool_files(), 10):
        broken.append("stuck: mail stands still")
    house.kill("ctl")
    first.kill()
    first.wait()
    house.extra_env.pop("stafet-send", None)
    return broken + house.check()


# A worker that survives its send.

def hold_worker(house, call):
    """local under the breaker: its first worker stands still before that call. Send is running; the message has been handed over."""
    log = os.path.join(house.folder, "breaker.log")
    house.start("rcpt", "queue")
    tracer = house.start("local", wrapper=points.break_wrapper((1, call, 1), "hold", log))
    house.start("ctl")
    house.submit(("ann",))
    if not wait_until(lambda: points.was_hit(log), 10):
        raise RuntimeError(f"no worker came to {call}: {house.last_log(20)}")
    return tracer


def surviving_worker(house, call="renameat2", env=None):
    """While it holds the message nobody else delivers it; then it ends, and the message comes once."""
    start_over(house)
    tracer = hold_worker(house, call)
    house.kill("ctl")
    if env:
        house.extra_env["stafet-send"] = env
    house.start("ctl")
    broken = []
    wait_until(lambda: b"held id=" in read(house.log_path) or house.mails("ann"), 5)
    house.running["ctl"].send_signal(signal.SIGALRM)
    time.sleep(0.3)
    if house.mails("ann") or b"held id=" not in read(house.log_path):
        broken.append("doubled: another worker has the message that the first still holds")
    tracer.send_signal(signal.SIGUSR1)
    wait_until(lambda: house.mails("ann"), 5)
    house.kill("ctl")
    house.extra_env.pop("stafet-send", None)
    if not house.drain():
        broken.append("stuck: the message stays in the spool")
    house.kill("local")
    return broken + house.check()


# Triggers that never came.

def lost_trigger(house):
    """Acknowledged while nobody reads the trigger, or without any: found at the next start."""
    start_over(house)
    house.start("rcpt", "queue", "local")
    house.submit(("ann",))
    os.rename(house.path("spool/trigger"), house.path("spool/trigger.away"))
    house.submit(("bob",))
    os.rename(house.path("spool/trigger.away"), house.path("spool/trigger"))
    broken = [] if house.drain(10) else ["stuck: a start does not find what lies in new/"]
    return broken + house.check()


def torn_trigger(house):
    """A piece of a record, and records that are none, make a running send look for itself."""
    broken = []
    for junk in (b"1j147", b"x" * 32, b"../../../../etc/passwd" + b" " * 9 + b"\n"):
        start_over(house)
        house.start("rcpt", "queue", "local")
        start_send(house)
        without_trigger(house)
        with open(house.path("spool/trigger"), "wb", buffering=0) as trigger:
            trigger.write(junk)
        if not wait_until(lambda: not house.spool_files(), 10):
            broken.append(f"stuck: {junk!r} in the trigger and mail in new/")
        broken += house.check()
    return broken


def without_trigger(house):
    """A message that a running send is not told of: queue is a new one, since its members keep the trigger open."""
    os.rename(house.path("spool/trigger"), house.path("spool/trigger.away"))
    house.kill("queue")
    house.start("queue")
    house.submit(("ann",))
    os.rename(house.path("spool/trigger.away"), house.path("spool/trigger"))


def silent_minute(house):
    """Nobody tells it anything: it looks once a minute."""
    start_over(house)
    house.start("rcpt", "queue", "local")
    start_send(house)
    without_trigger(house)
    time.sleep(1)
    broken = [] if house.spool_files() else ["told: the trigger was not lost, so this proves nothing"]
    if not wait_until(lambda: not house.spool_files(), 70):
        broken.append("stuck: mail in new/ for over a minute")
    return broken + house.check()


# Files that a crash or a disk has damaged.

def spoil(path, how):
    data = bytearray(read(path))
    if how == "short":
        del data[-20:]
    elif how == "shorter than a header":
        del data[100:]
    elif how == "empty":
        data.clear()
    elif how == "blank header":
        data[:HEADER] = bytes(HEADER)
    elif how == "a byte of the message":
        data[HEADER + 150] ^= 1
    elif how == "a byte of the envelope":
        data[len(data) - 12] ^= 1
    elif how == "a byte of the header":
        data[20] ^= 1
    elif how == "another magic":
        data[6:7] = b"9"
    with open(path, "wb") as f:
        f.write(data)


TORN = ("short", "shorter than a header", "empty", "blank header")
CHANGED = ("a byte of the message", "a byte of the envelope", "a byte of the header", "another magic")


def damaged_files(house):
    """In new/ and in cur/: each goes to bad/ under its reason, and mail goes on."""
    broken = []
    for how in TORN + CHANGED:
        for place in ("new", "cur"):
            start_over(house)
            house.start("rcpt", "queue", "local")
            house.submit(("bob",))
            path = house.spool_files()[0]
            spoil(path, how)
            os.rename(path, house.path("spool", place, os.path.basename(path)))
            house.sent.clear()
            house.submit(("ann",))
            if not house.drain(10):
                broken.append(f"stuck: {how} in {place}/")
            reason = "torn" if how in TORN else "crc"
            found = [os.path.basename(bad).split(".")[-1] for bad in house.bad_files()]
            if found != [reason]:
                broken.append(f"damage: {how} in {place}/ became {found}, not .{reason}")
            broken += [line for line in house.check() if not line.startswith("damaged:")]
    return broken


def defer(house, mode, tries):
    """Ann's mailbox refuses for now, for a reason that its mode tells; the file of the message afterwards."""
    os.chmod(house.path("domains", DOMAIN, "ann"), mode)
    house.start_missing("rcpt", "queue", "local")
    process = start_send(house)
    if tries > 1:
        process.send_signal(signal.SIGALRM)
    wait_until(lambda: glob.glob(house.path(f"spool/later/*/*.{tries}.*")), 10)
    house.kill("ctl")
    return (glob.glob(house.path(f"spool/later/*/*.{tries}.*")) or [None])[0]


def torn_note(house, env=None):
    """A note that was cut in the middle, and rubbish behind the notes: the next note begins where the good ones end."""
    broken = []
    for tail in (-7, b"0040 00000000 rubbish", b"\0" * 40):
        start_over(house)
        house.start("queue")
        house.submit(("ann",))
        path = defer(house, 0o707, 1)
        size = os.path.getsize(path)
        if isinstance(tail, int):
            os.truncate(path, size + tail)
        else:
            with open(path, "ab") as f:
                f.write(tail)
        if env:
            house.extra_env["stafet-send"] = env
        path = defer(house, 0o1700, 2)
        house.extra_env.pop("stafet-send", None)
        good, rest = read_notes(SpoolFile(path).notes if path else b"")
        if rest or good != (1 if isinstance(tail, int) else 2):
            broken.append(f"damage: behind the tail {tail!r} {good} notes are good, then {rest!r}")
        os.chmod(house.path("domains", DOMAIN, "ann"), 0o700)
        if not house.drain():
            broken.append("stuck: the message stays in the spool")
        broken += house.check()
    return broken


# Clocks.

def clock_env(seconds):
    return {"LD_PRELOAD": points.SHIM, "CLOCK_SHIFT": str(seconds), "ASAN_OPTIONS": broken_env("")["ASAN_OPTIONS"]}


def clock_jump(house, before, after):
    """Mail is taken and deferred by one clock and goes on by another: never lost, given up, or doubled. The mailbox is there again
    when the clock has changed."""
    start_over(house)
    for name in ("stafet-queue", "stafet-send", "stafet-local"):
        house.extra_env[name] = clock_env(before)
    house.start("queue")
    house.submit(("ann",))
    house.submit(("bob",))
    broken = [] if defer(house, 0o707, 1) else ["stuck: the message is not deferred"]
    os.chmod(house.path("domains", DOMAIN, "ann"), 0o700)
    house.kill()
    for name in ("stafet-queue", "stafet-send", "stafet-local"):
        house.extra_env[name] = clock_env(after)
    house.start("rcpt", "queue", "local", "ctl")
    house.submit(("eve",))
    if not wait_until(lambda: not house.spool_files(), 5):
        broken.append("late: nobody hurried it, and it is not tried")
    for name in ("stafet-queue", "stafet-send", "stafet-local"):
        del house.extra_env[name]
    house.kill()
    if house.bounces():
        broken.append("expired: the clock made it old")
    return broken + house.check()
