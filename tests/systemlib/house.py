# SPDX-License-Identifier: ISC
"""A private instance for tests: made by stafet-instance in a folder of its own, as root or as an ordinary user, on free ports."""

import glob
import os
import poplib
import random
import re
import shlex
import shutil
import smtplib
import socket
import subprocess
import tempfile

from .tap import Failure, expect, expect_equal, wait_until

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.environ.get("STAFET_BIN", os.path.join(TOP, "build/bin"))
TEST_PORTS = range(21000, 29000, 10)
ORDINARY_USER = "nobody"
poplib._MAXLINE = 100_000_000  # lines of any length are read back


def is_root():
    return os.geteuid() == 0


def is_free(port):
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("", port))
        except OSError:
            return False
    return True


def free_port_base():
    for base in random.sample(TEST_PORTS, len(TEST_PORTS)):
        if all(is_free(base + port) for port in (25, 110, 143)):
            return base
    raise Failure("no free ports")


def as_user(user, argv):
    return ["setpriv", f"--reuid={user}", f"--regid={subprocess.getoutput('id -g ' + user)}", "--init-groups", *argv] if user else list(argv)


def run(argv, code=0, stdin=b"", env=None, cwd=None, timeout=120):
    """stdout and stderr of a program that has to end with `code` (None: any), as text."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, cwd=cwd, timeout=timeout, check=False)
    output = done.stdout.decode("utf-8", "backslashreplace")
    if code is not None:
        expect(done.returncode == code, f"{shlex.join(map(str, argv))}: exit {done.returncode}, not {code}:\n{output}")
    return output


class Instance:
    """user: whom it belongs to; None is who runs the test. name: of its folder."""

    def __init__(self, user=None, name="mail", domain="example.test", is_started=True):
        self.user, self.domain, self.env = user, domain, {}
        self.scratch = tempfile.mkdtemp(prefix="stafet-test-")
        os.chmod(self.scratch, 0o755)
        self.home = os.path.join(self.scratch, name)
        self.bin = BIN
        if user:
            self.bin = os.path.join(self.scratch, "dist/bin")  # the source tree may be closed to that user
            shutil.copytree(BIN, self.bin, symlinks=True)
            shutil.copytree(os.path.join(TOP, "service"), os.path.join(self.scratch, "dist/service"))
            os.mkdir(self.home)
            shutil.chown(self.home, user)
        try:
            self.make(is_started)
        except BaseException:
            self.remove()
            raise

    def make(self, is_started):
        self.instance("new", "--domain", self.domain, "--port-base", str(free_port_base()))
        self.env = self.read_env()
        self.host, self.smtp_port, self.pop3_port = self.env["HOST"], int(self.env["SMTP_PORT"]), int(self.env["POP3_PORT"])
        self.ann, self.joe = (self.env["USER1"], self.env["PASSWORD1"]), (self.env["USER2"], self.env["PASSWORD2"])
        if is_started:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    # The instance's own programs.

    def as_owner(self, argv, **kw):
        return run(as_user(self.user, argv), env={**os.environ, "HOME": self.scratch, "STAFET_HOME": self.home}, **kw)

    def instance(self, verb, *args, **kw):
        return self.as_owner([os.path.join(self.bin, "stafet-instance"), verb, self.home, *args], **kw)

    def tool(self, name, *args, **kw):
        return self.as_owner([self.path("bin", name), "-H", self.home, *args], **kw)

    def call(self, caller, sock, *fields, code=0):
        """stafet-call as that user (None: who runs the test)."""
        argv = [self.path("bin/stafet-call"), "sockets/" + sock, *fields]
        return run(as_user(caller, argv), code=code, cwd=self.home)

    def read_env(self):
        text = self.instance("env")
        script = "\n".join([text] + [f"printf '%s\\0' {n}=\"${n}\"" for n in re.findall(r"^([A-Z0-9_]+)=", text, re.M)])
        output = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, check=True, text=True).stdout
        return dict(pair.split("=", 1) for pair in output.split("\0") if pair)

    def start(self):
        self.instance("start")

    def stop(self):
        self.instance("stop")

    def remove(self):
        if os.path.exists(os.path.join(self.home, "instance.env")):
            self.instance("remove", code=None)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def restart(self, service):
        """Stops and starts one service and waits until the house answers."""
        before = self.service_pid(service)
        self.as_owner(["s6-svc", "-r", self.path("service", service)])
        wait_until(lambda: self.service_pid(service) not in (0, before), f"{service} runs again")
        self.wait_for_answers()

    def service_pid(self, service):
        text = self.as_owner(["s6-svstat", "-o", "pid", self.path("service", service)], code=None).strip()
        return int(text) if text.isdigit() else 0

    def wait_for_answers(self):
        wait_until(lambda: self.status_code() == 0, "every service answers")

    def status_code(self):
        argv = as_user(self.user, [self.path("bin/stafet-status"), "-q", "-H", self.home])
        return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode

    # Files.

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def maildir(self, address):
        user, domain = address.split("@")
        return self.path("domains", domain, user, "Maildir")

    def write(self, name, text, owner=None, mode=None):
        """One file, replaced whole."""
        path = self.path(name)
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        if owner and is_root() and not self.user:
            shutil.chown(path + ".new", *owner.split(":"))
        if self.user:
            shutil.chown(path + ".new", self.user)
        os.chmod(path + ".new", mode or 0o644)
        os.rename(path + ".new", path)

    def control(self, name, text):
        """text None: the file is taken away."""
        if text is None:
            os.unlink(self.path("control", name))
        else:
            self.write("control/" + name, text + "\n")

    def dot_qmail(self, name, text, domain=None):
        """domains/D/.qmail-NAME."""
        self.write(f"domains/{domain or self.domain}/.qmail-{name}", text, "vmail:vchkpw", 0o640)

    def user_dot_qmail(self, address, text):
        user, domain = address.split("@")
        self.write(f"domains/{domain}/{user}/.qmail", text, "vmail:vchkpw", 0o600)

    def account(self, name, password="secret word", *options):
        """A new account of the house's domain: (address, password)."""
        address = name if "@" in name else f"{name}@{self.domain}"
        self.tool("vadduser", *options, address, password)
        return address, password

    def log(self, service):
        text = ""
        for path in sorted(glob.glob(self.path("log", service, "@*"))) + [self.path("log", service, "current")]:
            try:
                with open(path, encoding="utf-8", errors="backslashreplace") as f:
                    text += f.read()
            except FileNotFoundError:
                pass
        return text

    def wait_log(self, service, regex, seconds=30):
        return wait_until(lambda: re.search(regex, self.log(service), re.M), f"{regex} in the log of {service}", seconds)

    def last_log(self, lines=4):
        found = []
        for folder in sorted(glob.glob(self.path("log", "*", ""))):
            name = os.path.basename(folder.rstrip("/"))
            events = [line[26:] for line in self.log(name).splitlines() if "why=bad-request" not in line and "what=\"5.5.4" not in line]
            found += [f"log/{name}: {line}" for line in events[-lines:]]
        return found

    # Mail.

    def smtp(self, **kw):
        return smtplib.SMTP(self.host, self.smtp_port, local_hostname="client.test", timeout=60, **kw)

    def send(self, sender, recipients, message, options=(), session=None):
        """Sends by SMTP; the id of the message. Every recipient has to be taken."""
        own = session or self.smtp()
        own.ehlo_or_helo_if_needed()
        expect_equal(own.mail(sender, list(options))[0], 250, "MAIL")
        for recipient in [recipients] if isinstance(recipients, str) else recipients:
            code, text = own.rcpt(recipient)
            expect(code == 250, f"RCPT {recipient}:", code, text)
        code, text = own.data(message)
        expect(code == 250, "DATA:", code, text)
        if not session:
            own.quit()
        return text.decode().split()[-1]

    def refusal(self, recipient, sender="ann@elsewhere.test", options=()):
        """What RCPT answers: "CODE TEXT"."""
        with self.smtp() as s:
            s.ehlo()
            expect_equal(s.mail(sender, list(options))[0], 250, "MAIL")
            code, text = s.rcpt(recipient)
            return f"{code} {text.decode()}"

    def pop(self, account):
        p = poplib.POP3(self.host, self.pop3_port, timeout=60)
        p.user(account[0])
        p.pass_(account[1])
        return p

    def files(self, account):
        """The messages in a Maildir, oldest first."""
        address = account if isinstance(account, str) else account[0]
        names = [p for folder in ("new", "cur") for p in glob.glob(os.path.join(self.maildir(address), folder, "*"))]
        return sorted(names, key=os.path.basename)

    def wait_files(self, account, n=1, seconds=60):
        wait_until(lambda: len(self.files(account)) >= n, lambda: f"{n} messages for {account}, not {len(self.files(account))}", seconds)
        files = self.files(account)
        expect_equal(len(files), n, f"messages for {account}")
        return files

    def wait_messages(self, account, n=1, seconds=60):
        """The bytes of the n messages that come to lie in that Maildir."""
        contents = []
        for path in self.wait_files(account, n, seconds):
            with open(path, "rb") as f:
                contents.append(f.read())
        return contents

    def empty(self, account):
        for path in self.files(account):
            os.unlink(path)
        address = account if isinstance(account, str) else account[0]
        for path in (os.path.join(self.maildir(address), "maildirsize"),):
            if os.path.exists(path):
                os.unlink(path)

    def tidy(self):
        """Empty mailboxes for the next test."""
        for name in ("ann", "joe", "postmaster"):
            self.empty(f"{name}@{self.domain}")

    def spooled(self):
        return [p for pattern in ("new/*", "cur/*", "later/*/*", "hold/*") for p in glob.glob(self.path("spool", pattern))]

    def wait_spool_empty(self, seconds=60):
        wait_until(lambda: not self.spooled(), lambda: f"the spool is empty, not {self.spooled()}", seconds)

    def push(self):
        """What waits is tried now."""
        self.as_owner(["s6-svc", "-a", self.path("service/send")])

    # Processes.

    def processes(self):
        """{pid: command line} of everything that runs a program of the home folder, works in it, or is started for it."""
        found = {}
        for folder in glob.glob("/proc/[0-9]*"):
            try:
                places = [os.readlink(folder + "/exe"), os.readlink(folder + "/cwd")]
                with open(folder + "/cmdline", "rb") as f:
                    command = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if any(p == self.home or p.startswith(self.home + "/") for p in places):
                found[int(os.path.basename(folder))] = command
        return found

    def children_named(self, name):
        return [pid for pid, command in self.processes().items() if name in command.split(" ")[0]]
