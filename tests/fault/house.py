# SPDX-License-Identifier: ISC
"""A house to break: one folder, one uid, every server started by hand on a listening descriptor 0, and a checker that knows what was
acknowledged. The list of what was sent and answered lives in this process, outside the file system that crashes."""

import glob
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.environ.get("STAFET_BIN", os.path.join(TOP, "build/bin"))
DOMAIN = "example.test"
USERS = ("ann", "bob", "eve")
SERVERS = {"rcpt": ["stafet-rcptd", "-p", "2"], "queue": ["stafet-queue"], "local": ["stafet-local"]}


def program(name):
    path = os.path.join(BIN, name)
    if not os.path.exists(path):
        raise SystemExit(f"Bail out! {path} is missing: run make")
    return path


def frame(kind, payload):
    body = kind.encode() + payload
    return str(len(body)).encode() + b":" + body + b","


def fields(**kw):
    return b"".join(k.encode() + b"=" + str(v).encode() + b"\0" for k, v in kw.items())


def queue_call(sender, recipients, message):
    """The bytes of one call to queue."""
    call = frame("Q", fields(op="queue", sid="fault", proto="ESMTP", **{"from": sender}, ip="192.0.2.7", helo="fault.test"))
    call += b"".join(frame("R", fields(to=r)) for r in recipients)
    for at in range(0, len(message), 60000):
        call += frame("M", message[at:at + 60000])
    return call + frame("E", b"")


def make_message(number, size):
    body = (f"line {number} of a message that must not be torn\n" * (size // 40 + 1)).encode()
    digest = hashlib.sha256(body).hexdigest()
    return f"Subject: fault {number}\nX-Number: {number}\nX-Sum: {digest}\n\n".encode() + body


def final_verdict(sock, seconds=10):
    """The letter of the final verdict, "" when the connection ended without one."""
    sock.settimeout(seconds)
    data = b""
    try:
        while True:
            part = sock.recv(65536)
            if not part:
                return ""
            data += part
            found = re.match(rb"\d+:([KZD])", data)
            if found:
                return found.group(1).decode()
    except OSError:
        return ""


class House:
    def __init__(self, folder):
        self.folder = folder
        self.running = {}
        self.sent = {}  # number -> (recipients, acknowledged)
        self.log_path = os.path.join(folder, "log.txt")
        self.extra_env = {}

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def build(self, spoolsync="one"):
        for name in ("control", "users", "domains", "sockets", "auth", "bin", "spool/tmp", "spool/new", "spool/cur", "spool/later",
                     "spool/hold", "spool/bad"):
            os.makedirs(self.path(name), exist_ok=True)
        os.mkfifo(self.path("spool/trigger"), 0o620)
        with open(self.path("spool/lock"), "w", encoding="ascii"):
            pass
        self.control("me", "mx.fault.test")
        self.control("spoolsync", spoolsync)
        self.control("spoolreserve", "0")
        self.run("vadddomain", DOMAIN, "secret")
        for user in USERS:
            self.run("vadduser", f"{user}@{DOMAIN}", "secret")

    def control(self, name, text):
        with open(self.path("control", name), "w", encoding="ascii") as f:
            f.write(text + "\n")

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "STAFET_HOME": self.folder, **self.extra_env}

    def run(self, name, *args):
        done = subprocess.run([program(name), "-H", self.folder, *args], capture_output=True, text=True, env=self.environment(),
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{name} {args}: {done.returncode} {done.stdout} {done.stderr}")

    def log(self):
        return open(self.log_path, "ab")

    def listener(self, name):
        path = self.path("sockets", name)
        if os.path.exists(path):
            os.unlink(path)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        here = os.open(".", os.O_RDONLY)
        os.chdir(self.folder)
        sock.bind(f"sockets/{name}")
        os.fchdir(here)
        os.close(here)
        sock.listen(64)
        return sock

    def start(self, name, wrapper=()):
        """Starts a server of the house on its socket; send's is ctl."""
        argv = SERVERS[name] if name in SERVERS else ["stafet-send"]
        sock = self.listener("ctl" if name == "send" else name)
        with self.log() as log:
            self.running[name] = subprocess.Popen([*wrapper, program(argv[0]), *argv[1:]], stdin=sock, stdout=log, stderr=log,
                                                  cwd=self.folder, env=self.environment(), start_new_session=True)
        sock.close()
        return self.running[name]

    def kill(self, *names):
        for name in names or list(self.running):
            process = self.running.pop(name, None)
            if process is None:
                continue
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()

    def connect(self, name):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        here = os.open(".", os.O_RDONLY)
        os.chdir(self.folder)
        try:
            sock.connect(f"sockets/{name}")
        finally:
            os.fchdir(here)
            os.close(here)
        return sock

    def remember(self, number, recipients, letter):
        self.sent[number] = (tuple(recipients), letter == "K")

    def submit(self, number, recipients=("ann",), size=300):
        """One message through the running queue; True when it was acknowledged."""
        addresses = [f"{r}@{DOMAIN}" for r in recipients]
        with self.connect("queue") as sock:
            letter = ""
            try:
                sock.sendall(queue_call("sender@fault.test", addresses, make_message(number, size)))
                letter = final_verdict(sock)
            except OSError:
                pass
        self.remember(number, recipients, letter)
        return letter == "K"

    # What is there.

    def spool_files(self):
        found = []
        for pattern in ("new/*", "cur/*", "later/*/*", "hold/*"):
            found += glob.glob(self.path("spool", pattern))
        return found

    def torn_files(self):
        return glob.glob(self.path("spool/bad/*"))

    def maildir(self, user):
        return self.path("domains", DOMAIN, user, "Maildir")

    def delivered(self):
        """{(number, user): count}, and a list of what is wrong with the files in the Maildirs."""
        count, faults = {}, []
        for user in (*USERS, "postmaster"):
            for path in glob.glob(os.path.join(self.maildir(user), "new/*")) + glob.glob(os.path.join(self.maildir(user), "cur/*")):
                with open(path, "rb") as f:
                    data = f.read()
                size = re.search(r",S=(\d+)", path)
                head, _, body = data.partition(b"\n\n")
                number = re.search(rb"^X-Number: (\d+)$", head, re.M)
                digest = re.search(rb"^X-Sum: ([0-9a-f]+)$", head, re.M)
                if not size or int(size.group(1)) != len(data):
                    faults.append(f"{path}: {len(data)} bytes")
                if number and digest:
                    if hashlib.sha256(body).hexdigest().encode() != digest.group(1):
                        faults.append(f"{path}: torn body")
                    key = (int(number.group(1)), user)
                    count[key] = count.get(key, 0) + 1
                elif b"failure notice" not in head:
                    faults.append(f"{path}: not a message of ours")
        return count, faults

    def drain(self, seconds=20):
        """Runs whole servers until the spool is empty; False when it does not become empty."""
        self.kill()
        for name in ("rcpt", "queue", "local", "send"):
            self.start(name)
        end = time.monotonic() + seconds
        next_push = time.monotonic() + 1
        while self.spool_files() and time.monotonic() < end:
            time.sleep(0.01)
            if time.monotonic() > next_push and "send" in self.running:
                os.kill(self.running["send"].pid, signal.SIGALRM)  # what was deferred by the fault: now
                next_push = time.monotonic() + 1
        self.kill()
        return not self.spool_files()

    def check(self, duplicates_allowed):
        """What the guarantee says, as a list of broken promises."""
        broken = []
        count, faults = self.delivered()
        broken += faults
        for number, (recipients, acknowledged) in self.sent.items():
            for user in recipients:
                times = count.get((number, user), 0)
                if acknowledged and times == 0:
                    broken.append(f"message {number} to {user} was acknowledged and is lost")
                if times > 1 + duplicates_allowed:
                    broken.append(f"message {number} to {user} came {times} times")
        for number, user in count:
            if number not in self.sent or user not in self.sent[number][0]:
                broken.append(f"message {number} came to {user}, who was not named")
        broken += [f"{path} is kept as damaged" for path in self.torn_files() if path.endswith(".crc")]
        return broken

    def forget(self):
        """Empties Maildirs and spool for the next point."""
        self.sent = {}
        for user in (*USERS, "postmaster"):
            for path in glob.glob(os.path.join(self.maildir(user), "[tnc][meu][pwr]/*")):
                os.unlink(path)
        for path in self.spool_files() + self.torn_files() + glob.glob(self.path("spool/tmp/*")):
            os.unlink(path)
        for path in glob.glob(self.path("spool/later/*")):
            shutil.rmtree(path, ignore_errors=True)
        if os.path.exists(self.log_path):
            os.truncate(self.log_path, 0)

    def last_log(self, lines=12):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as f:
                return f.read().splitlines()[-lines:]
        except OSError:
            return []


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, details=()):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good:
            for line in details:
                print(f"#   {line}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)
