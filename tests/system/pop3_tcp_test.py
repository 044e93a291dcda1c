#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The whole way of POP3 over TCP, both ways of serving: bound by stafet-bind with the front forking by itself, and under tcpserver.
Python's poplib is the client; authd and pop3d are real. What a client does to its connection (a close at any moment) neither loses
mail nor leaves a process."""
import os
import poplib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

BIN = os.path.abspath(os.environ.get("STAFET_BIN", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/bin")))
USER, PASSWORD = "joe@example.test", "secret"
MAIL = [b"Subject: one\n\nhello\n.dot\n", b"Subject: two\n\nworld", b"Subject: three\n\n" + b"line\n" * 40000]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class House:
    """One domain, one user with three messages, authd and pop3d on their sockets, the front on a port."""

    def __init__(self, kind):
        self.home = tempfile.mkdtemp(prefix="pop3-tcp.", dir="/tmp")
        self.running = []
        self.put("control/me", b"mx.example.test\n")
        self.put("control/locals", b"\n")
        self.put("control/passwordscheme", b"$5$\n")
        os.makedirs(self.path("auth"), 0o700)
        os.makedirs(self.path("sockets"))
        for argv in (["vadddomain", "-H", ".", "example.test", PASSWORD], ["vadduser", "-H", ".", USER, PASSWORD]):
            subprocess.run([os.path.join(BIN, argv[0]), *argv[1:]], cwd=self.home, check=True, stdout=subprocess.DEVNULL)
        for i, mail in enumerate(MAIL):
            self.put("domains/example.test/joe/Maildir/new/170000000%d.M1P1.host" % i, mail)
        for name, argv in (("auth", ["stafet-authd"]), ("pop3", ["stafet-pop3d"])):
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(self.path("sockets/" + name))
                listener.listen(64)
                self.start([*argv, "-u", str(os.getuid())], listener)
        self.port = free_port()
        bind = {"fork": ["stafet-bind", "127.0.0.1:%d" % self.port], "tcpserver": ["tcpserver", "-HRl0", "127.0.0.1", str(self.port)]}[kind]
        self.start([*bind, os.path.join(BIN, "stafet-pop3-login")], subprocess.DEVNULL)
        self.wait(lambda: socket.create_connection(("127.0.0.1", self.port)).close() is None, "the port")

    def path(self, name):
        return os.path.join(self.home, name)

    def put(self, name, stored):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as f:
            f.write(stored)

    def start(self, argv, stdin):
        program = os.path.join(BIN, argv[0])
        argv = [program if os.path.exists(program) else argv[0], *argv[1:]]
        with open(self.path("log"), "ab") as log:
            self.running.append(subprocess.Popen(argv, cwd=self.home, stdin=stdin, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True))

    def wait(self, question, what):
        """Asks for up to 20 s."""
        end = time.monotonic() + 20
        while True:
            try:
                if question():
                    return
            except OSError:
                pass
            if time.monotonic() > end:
                raise AssertionError(what + " was waited for in vain")
            time.sleep(0.02)

    def client(self):
        client = poplib.POP3("127.0.0.1", self.port, timeout=20)
        client.user(USER)
        client.pass_(PASSWORD)
        return client

    def mails(self):
        found = []
        for part in ("new", "cur"):
            folder = self.path("domains/example.test/joe/Maildir/" + part)
            found += [os.path.join(folder, n) for n in os.listdir(folder)]
        return found

    def children(self, number):
        """Processes below the servers but authd's members: fronts, or sessions."""
        pid = self.running[number].pid
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
            return f.read().split()

    def stop(self):
        for process in reversed(self.running):
            for signal_number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, signal_number)
                except OSError:
                    pass
            process.wait()
        shutil.rmtree(self.home)


def must(condition, what):
    if not condition:
        raise AssertionError(what)


def a_client_reads_and_deletes(house):
    client = house.client()
    must(client.stat()[0] == 3, "three messages")
    must(client.retr(1)[1] == [b"Subject: one", b"", b"hello", b".dot"], "the first one")
    must(client.top(3, 1)[1] == [b"Subject: three", b"", b"line"], "the top of the third one")
    must(len(client.retr(3)[1]) == 40002, "the whole third one")
    must(len(client.uidl()[1]) == 3, "three names")
    client.dele(1)
    client.quit()
    must(len(house.mails()) == 2 and all("/cur/" in m for m in house.mails()), "two are left, seen")


def the_front_goes_and_the_session_stays(house):
    client = house.client()
    house.wait(lambda: not house.children(2), "the end of the front")
    must(len(house.children(1)) == 1, "one session")
    must(client.stat()[0] == 3, "which answers")
    client.quit()
    house.wait(lambda: not house.children(1), "the end of the session")


def a_connection_that_breaks_deletes_nothing(house):
    client = house.client()
    client.dele(1)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    house.wait(lambda: not house.children(1), "the end of the session")
    must(len(house.mails()) == 3, "all mail is there")


def a_client_that_closes_at_any_moment_leaves_no_process(house):
    talk = b"USER %s\r\nPASS %s\r\nSTAT\r\nDELE 1\r\nRETR 3\r\n" % (USER.encode(), PASSWORD.encode())
    for cut in range(0, len(talk) + 1, 3):
        with socket.create_connection(("127.0.0.1", house.port)) as s:
            s.sendall(talk[:cut])
    house.wait(lambda: not house.children(2) and not house.children(1), "the end of all")
    must(len(house.mails()) == 3, "all mail is there")


def a_client_that_pipelines_everything_gets_everything(house):
    with socket.create_connection(("127.0.0.1", house.port)) as s:
        s.sendall(b"USER %s\r\nPASS %s\r\nSTAT\r\nRETR 2\r\nDELE 2\r\nQUIT\r\n" % (USER.encode(), PASSWORD.encode()))
        s.shutdown(socket.SHUT_WR)
        got = b""
        while True:
            more = s.recv(65536)
            if not more:
                break
            got += more
    must(got.endswith(b"+OK 3 240070\r\n+OK 23 octets\r\nSubject: two\r\n\r\nworld\r\n.\r\n+OK message 2 will be deleted at QUIT\r\n"
                      b"+OK goodbye; messages deleted: 1\r\n"), "the replies: %r" % got)
    must(len(house.mails()) == 2, "two are left")


TESTS = (a_client_reads_and_deletes, the_front_goes_and_the_session_stays, a_connection_that_breaks_deletes_nothing,
         a_client_that_closes_at_any_moment_leaves_no_process, a_client_that_pipelines_everything_gets_everything)


def main():
    number = failed = 0
    for kind in ("fork", "tcpserver"):
        for test in TESTS:
            number += 1
            house, trouble = House(kind), None
            try:
                test(house)
            except (AssertionError, OSError, poplib.error_proto) as e:
                trouble = repr(e)
                with open(house.path("log"), encoding="utf-8", errors="backslashreplace") as f:
                    trouble += "\n" + "".join(f.readlines()[-20:])
            finally:
                house.stop()
            failed += trouble is not None
            print("%s %d - %s: %s" % ("not ok" if trouble else "ok", number, kind, test.__name__), flush=True)
            for line in (trouble or "").splitlines():
                print("#   " + line)
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
