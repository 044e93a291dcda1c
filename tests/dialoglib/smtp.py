# SPDX-License-Identifier: ISC
"""stafet-smtpd on a socket, in a scratch home with fake services: what the tests of system/smtpd_* share."""
import array
import fcntl
import os
import select
import shutil
import socket
import subprocess
import tempfile
import termios
import time

from . import fake

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("STAFET_BIN", os.path.join(TOP, "build/bin"))
SECONDS = 30
PASSED_ON = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "GCOV_PREFIX", "GCOV_PREFIX_STRIP")
# What the two services say, by the names in an address.
RECIPIENTS = ["to=nobody@* D 5.1.1 no|why=no-mailbox", "to=off@* D 5.2.1 off|why=disabled", "to=full@* Z 4.2.2 full|why=full",
              "to=later@* Z 4.3.0 busy|why=io", "to=*@elsewhere.test D 5.7.1 relay|why=policy", "* K 2.1.5 mailbox|kind=mailbox"]
SENDERS = ["from=disk@* Z 4.3.1 full|why=disk", "from=loop@* D 5.4.6 loop|why=loop", "from=gone@* close",
           "* K 2.0.0 ok|id=1h5r2k0p9v3m8a4c6e7g0q|bytes=1"]


class House:
    """A folder with control files, sockets/rcpt and sockets/queue."""

    def __init__(self, **settings):
        self.folder = tempfile.mkdtemp(prefix="smtpd.", dir="/tmp")
        os.mkdir(self.folder + "/control")
        os.mkdir(self.folder + "/sockets")
        for name, value in {"me": "mx.test", **settings}.items():
            with open(self.folder + "/control/" + name, "w", encoding="ascii") as f:
                f.write("%s\n" % value)
        self.services = {}
        for name, rules in (("rcpt", RECIPIENTS), ("queue", SENDERS)):
            self.services[name] = fake.FakeService("%s/sockets/%s" % (self.folder, name))
            self.services[name].rules += [fake.Rule(rule.split(" ")) for rule in rules]
        self.log = open(self.folder + "/log", "ab")

    def calls(self, name):
        return self.services[name].calls

    def remove(self):
        for service in self.services.values():
            service.stop()
        self.log.close()
        shutil.rmtree(self.folder)


class Session:
    """One connection: its own process, and what it said."""

    def __init__(self, house):
        self.sock, theirs = socket.socketpair()
        environment = {k: os.environ[k] for k in PASSED_ON if k in os.environ}
        with theirs:
            self.process = subprocess.Popen([BIN + "/stafet-smtpd"], cwd=house.folder, stdin=theirs.fileno(), stdout=theirs.fileno(),
                                            stderr=house.log, env={**environment, "TCPREMOTEIP": "192.0.2.7"})
        self.data, self.said = b"", []

    def send(self, data):
        """False: the other side has closed."""
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            return False

    def send_apart(self, data):
        """Returns when the program has taken all of it: what is sent next comes with another read."""
        left = array.array("i", [1])
        if not self.send(data):
            return False
        while left[0] > 0 and self.process.poll() is None:
            fcntl.ioctl(self.sock, termios.TIOCOUTQ, left)
            time.sleep(0.0002)
        return True

    def line(self):
        """The next line without CRLF; None at the end."""
        while b"\r\n" not in self.data:
            if not select.select([self.sock], [], [], SECONDS)[0]:
                raise AssertionError("nothing came for %d seconds" % SECONDS)
            try:
                more = self.sock.recv(65536)
            except OSError:
                more = b""
            if not more:
                return None
            self.data += more
        line, _, self.data = self.data.partition(b"\r\n")
        self.said.append(line.decode("ascii"))
        return self.said[-1]

    def reply(self):
        """(code, status) of the next reply, of its last line; None at the end of the connection."""
        while True:
            line = self.line()
            if line is None:
                return None
            if line[3:4] != "-":
                word = line[4:].split(" ")[0]
                return int(line[:3]), word if word[1:2] == "." and word[0] in "245" else ""

    def command(self, line):
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def close(self):
        """The exit code."""
        self.sock.close()
        return self.process.wait(SECONDS)


class Results:
    """TAP."""

    def __init__(self):
        self.number = self.failed = 0

    def ok(self, is_good, name, explanation=""):
        self.number += 1
        self.failed += not is_good
        print("%s %d - %s" % ("ok" if is_good else "not ok", self.number, name), flush=True)
        for line in [] if is_good else str(explanation).split("\n"):
            print("# " + line)
        return is_good

    def end(self):
        print("1..%d" % self.number)
        return 1 if self.failed else 0
