# SPDX-License-Identifier: ISC
"""A house to break: one folder, one uid, every server started by hand on a listening descriptor 0, and the checker: nothing
acknowledged is lost, nothing partial is visible, nothing comes twice where the contract does not allow it. The list of what was sent
and answered lives in this process, outside the file system that crashes."""

import collections
import glob
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time

import letters
from letters import DOMAIN
from places import program

USERS = ("ann", "bob", "eve")
BOXES = (*USERS, "postmaster")
SERVERS = {"rcpt": ("stafet-rcptd", "-p", "2"), "queue": ("stafet-queue", "-p", "2"), "local": ("stafet-local",), "ctl": ("stafet-send",)}
SPOOL_FOLDERS = ("new/*", "cur/*", "later/*/*", "hold/*")


class House:
    def __init__(self, folder, log_path=None):
        self.folder = folder
        self.running = {}
        self.sent = {}  # number -> ([user, …], acknowledged)
        self.last_number = 0
        self.log_path = log_path or os.path.join(folder, "log.txt")
        self.extra_env = {}  # program -> variables

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def build(self, spoolsync="one"):
        for name in ("control", "users", "domains", "alias", "sockets", "auth", "bin", "spool/tmp", "spool/new", "spool/cur", "spool/later",
                     "spool/hold", "spool/bad"):
            os.makedirs(self.path(name), exist_ok=True)
        os.mkfifo(self.path("spool/trigger"), 0o620)
        with open(self.path("spool/lock"), "w", encoding="ascii"):
            pass
        self.control("me", "mx.fault.test")
        self.control("spoolsync", spoolsync)
        self.control("spoolreserve", "0")
        self.control("doublebouncehost", DOMAIN)
        self.tool("vadddomain", DOMAIN, "secret")
        for user in USERS:
            self.tool("vadduser", f"{user}@{DOMAIN}", "secret")

    def control(self, name, text):
        with open(self.path("control", name), "w", encoding="ascii") as f:
            f.write(text + "\n")

    # Processes.

    def environment(self, name=""):
        inherited = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        return {"PATH": "/usr/bin:/bin", "STAFET_HOME": self.folder, **inherited, **self.extra_env.get(name, {})}

    def tool(self, name, *args):
        done = subprocess.run([program(name), "-H", self.folder, *args], capture_output=True, text=True, env=self.environment(),
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{name} {args}: {done.returncode} {done.stdout} {done.stderr}")

    def popen(self, wrapper, argv, descriptor):
        """A program of the house whose descriptor 0 and 1 are `descriptor`, in a process group of its own."""
        env = self.environment(argv[0])
        with open(self.log_path, "ab") as log:
            return subprocess.Popen([*wrapper, program(argv[0], "LD_PRELOAD" in env), *argv[1:]], stdin=descriptor, stdout=descriptor,
                                    stderr=log, cwd=self.folder, env=env, start_new_session=True)

    def socket_call(self, call, name):
        """bind or connect by a short name: the house may lie deeper than 108 bytes, and threads share one working directory."""
        folder = os.open(self.path("sockets"), os.O_PATH)
        try:
            call(f"/proc/self/fd/{folder}/{name}")
        finally:
            os.close(folder)

    def listener(self, name):
        if os.path.exists(self.path("sockets", name)):
            os.unlink(self.path("sockets", name))
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket_call(sock.bind, name)
        sock.listen(64)
        return sock

    def start(self, *names, wrapper=()):
        """Servers by the names of their sockets (send's is ctl); the process of the last one."""
        for name in names:
            with self.listener(name) as sock:
                self.running[name] = self.popen(wrapper, SERVERS[name], sock)
        return self.running[names[-1]]

    def start_missing(self, *names):
        for name in names:
            if name not in self.running or self.running[name].poll() is not None:
                self.kill(name)
                self.start(name)

    def kill(self, *names):
        for name in names or list(self.running):
            process = self.running.pop(name, None)
            if process is not None:
                end_group(process)

    def connect(self, name):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket_call(sock.connect, name)
        return sock

    # Sending.

    def next_number(self):
        self.last_number += 1
        return self.last_number

    def remember(self, number, users, letter):
        self.sent[number] = (tuple(users), letter == "K")

    def submit(self, users=("ann",), size=300, sender=letters.SENDER, number=None):
        """One message through the running queue; the letter of its answer."""
        number = number or self.next_number()
        letter = ""
        with self.connect("queue") as sock:
            call = letters.queue_call([f"{user}@{DOMAIN}" for user in users], letters.make(number, size), sender)
            if letters.send_all(sock, call):
                letter = letters.verdicts(sock)[0]
        self.remember(number, users, letter)
        return letter

    # What is there.

    def spool_files(self):
        """A file that moves while we look is in neither place for us: nothing there is believed only when looked at in both orders."""
        return self.spool_names(SPOOL_FOLDERS) or self.spool_names(reversed(SPOOL_FOLDERS))

    def spool_names(self, patterns):
        return [path for pattern in patterns for path in glob.glob(self.path("spool", pattern))]

    def bad_files(self):
        return glob.glob(self.path("spool/bad/*"))

    def maildir(self, user):
        return self.path("domains", DOMAIN, user, "Maildir")

    def mails(self, user):
        return [path for inner in ("new", "cur") for path in glob.glob(os.path.join(self.maildir(user), inner, "*"))]

    def bounces(self):
        return [path for user in BOXES for path in self.mails(user) if b"failure notice" in read(path)]

    def delivered(self):
        """{(number, user): times}, and what is wrong with the files in the Maildirs."""
        times, faults = collections.Counter(), []
        for user in BOXES:
            for path in self.mails(user):
                data = read(path)
                size = re.search(r",S=(\d+)", path)
                number = letters.number_of(data)
                if not size or int(size.group(1)) != len(data):
                    faults.append(f"torn: {path} has {len(data)} bytes")
                elif number == -1:
                    faults.append(f"torn: {path} has another body than was sent")
                elif b"\nSubject: failure notice" in data:
                    continue
                elif number is None:
                    faults.append(f"torn: {path} is no message of ours")
                else:
                    times[number, user] += 1
        return times, faults

    def rests(self):
        """Nothing left to do now: empty, or only deferred mail."""
        return all("/later/" in path for path in self.spool_files())

    def drain(self, seconds=20):
        """Runs whole servers until the spool is empty; False when it does not become empty. Send is started again when it ends, as its
        supervisor does: its predecessor may not have left the lock yet."""
        self.kill("ctl")
        self.start_missing("rcpt", "queue", "local")
        end = time.monotonic() + seconds
        next_push = time.monotonic() + 0.05
        while self.spool_files() and time.monotonic() < end:
            self.start_missing("ctl")
            time.sleep(0.003)
            if time.monotonic() > next_push:  # what the fault deferred: now
                self.running["ctl"].send_signal(signal.SIGALRM)
                next_push = time.monotonic() + 0.5
        self.kill("ctl")
        return not self.spool_files()

    def check(self, duplicates_allowed=0):
        """What the guarantee says, as a list of broken promises; for an empty spool."""
        times, broken = self.delivered()
        for number, (users, is_acknowledged) in self.sent.items():
            for user in users:
                if is_acknowledged and times[number, user] == 0:
                    broken.append(f"lost: message {number} to {user} was acknowledged")
                if times[number, user] > 1 + duplicates_allowed:
                    broken.append(f"twice: message {number} to {user} came {times[number, user]} times")
        broken += [f"astray: message {n} came to {user}" for n, user in times if n not in self.sent or user not in self.sent[n][0]]
        broken += [f"damaged: {path}" for path in self.bad_files() if not path.endswith(".torn")]
        broken += [f"left: {path}" for path in self.spool_files()]
        return broken + self.complaints()

    def check_spool(self, may_be_torn=False):
        """What the guarantee says of a spool that nobody has worked on yet."""
        broken, found = [], collections.Counter()
        files = [letters.SpoolFile(path) for path in self.spool_files()]
        for file in files:
            found[file.number] += file.is_whole
            if not file.is_whole and not may_be_torn:
                broken.append(f"torn: {file.path}")
            elif file.is_whole and (file.number not in self.sent or len(file.recipients) != len(self.sent[file.number][0])):
                broken.append(f"astray: {file.path}")
        for number, (_, is_acknowledged) in self.sent.items():
            if is_acknowledged and found[number] == 0:
                broken.append(f"lost: message {number} was acknowledged")
            if found[number] > 1:
                broken.append(f"twice: message {number}")
        return broken + self.complaints()

    def complaints(self):
        """What a sanitizer said, and our own bugs."""
        log = read(self.log_path) if os.path.exists(self.log_path) else b""
        found = re.findall(rb"^.*(?:AddressSanitizer|runtime error|our own bug).*$", log, re.M)
        return [f"log: {line.decode('utf-8', 'replace')}" for line in found]

    def forget(self):
        """Empties Maildirs and spool for the next point."""
        self.sent = {}
        for user in BOXES:
            empty(glob.glob(os.path.join(self.maildir(user), "[tnc][meu][pwr]/*")))
        empty(self.spool_files() + self.bad_files() + glob.glob(self.path("spool/tmp/*")))
        for path in glob.glob(self.path("spool/later/*")):
            shutil.rmtree(path, ignore_errors=True)
        if os.path.exists(self.log_path):
            os.truncate(self.log_path, 0)

    def last_log(self, lines=4):
        log = read(self.log_path) if os.path.exists(self.log_path) else b""
        return [f"    {line}" for line in log.decode("utf-8", "replace").splitlines()[-lines:]]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def empty(paths):
    for path in paths:
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass


def wait_end(process, seconds):
    """Its exit status; None: it has not ended by then. Told at once, where Popen.wait looks every now and then."""
    if process.returncode is None:
        fd = os.pidfd_open(process.pid)
        select.select([fd], [], [], seconds)
        os.close(fd)
    return process.poll()


def end_group(process):
    """Its children too: one that dies a little later still holds its locks until then."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    wait_until(lambda: not is_alive(process.pid), 5)


def is_alive(group):
    """Has it a process that is more than a dead one whom nobody has asked yet?"""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            found.append(read(path).rpartition(b") ")[2].split())  # state, parent, group, …
        except OSError:
            pass
    return any(int(fields[2]) == group and fields[0] not in (b"Z", b"X") for fields in found)


def wait_until(question, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if question():
            return True
        time.sleep(0.002)
    return False
