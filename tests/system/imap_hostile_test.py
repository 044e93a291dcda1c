#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What an owner may put into his Maildir to hold a session, to read elsewhere or to write there, on `stafet-imapd -m`: links, fifos,
folders where files belong, files that are cut short while they are in use. The rest of the world stays as it is, and each command is
answered."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import BIN  # noqa: E402
from systemlib.instance import Tap  # noqa: E402
from systemlib.session import Broken, Session  # noqa: E402

OURS = ("stafet.index", "stafet.cache", "stafet.keywords", "stafet.fresh", "stafet.lock", "stafet.wake", "stafet.sessions", "dovecot-uidlist", "dovecot-keywords",
        "stafet-keywords", "courierimapuiddb", "courierimapkeywords", "maildirsize", "subscriptions", "stafet-special")
MESSAGES = 1200  # several pages of records, and of a cache


class Place:
    """box/, a Maildir; outside/, that of somebody else with the same uid, whom no link may reach."""

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="imap-hostile.", dir="/tmp")
        self.make_maildir("box")
        self.make_maildir("outside")
        self.write("outside/cur/1700000001.M1P1.host:2,", "Subject: secret\n\nsecret\n")
        self.write("outside/secret", "Subject: secret\n\nsecret\n")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home)

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)

    def make_maildir(self, name, but=""):
        for part in ("cur", "new", "tmp"):
            if part != but:
                os.makedirs(self.path(name, part))

    def fill(self, n):
        for i in range(1, n + 1):
            self.write("box/cur/1700000001.M%dP1.host:2," % i, "Subject: %d\n\nbody\n" % i)

    def outside(self):
        """Names, sizes and times of all there."""
        return sorted((os.path.join(at, name), os.lstat(os.path.join(at, name)).st_mtime_ns, os.lstat(os.path.join(at, name)).st_size)
                      for at, folders, files in os.walk(self.path("outside")) for name in folders + files)

    def session(self):
        return Session(self.home, "box")


def last_words(session, command):
    """What it said before it went, and its exit status."""
    try:
        reply = session.run(command)
        return "%s %s" % (reply.status, reply.text), session.close()
    except Broken:
        return next((line.decode() for line in session.lines if b"* BYE" in line), "nothing"), session.close()


def files_are_cut(tap):
    bye = "S: * BYE [SERVERBUG] the index of this mailbox was damaged; log in again, it is made anew"
    cases = (("stafet.index", 0, "SELECT INBOX", "UID FETCH 1:* FLAGS"), ("stafet.index", 8192, "SELECT INBOX", "STORE 1100 +FLAGS (\\Flagged)"),
             ("stafet.cache", 16, "FETCH 1 ENVELOPE", "FETCH 2:* ENVELOPE"))
    with Place() as place:
        place.fill(MESSAGES)
        with place.session() as s:
            s.good("SELECT INBOX")
            s.good("FETCH 1:* ENVELOPE")
        for name, size, before, command in cases:
            s = place.session()
            s.good("SELECT INBOX")
            s.good(before)
            os.truncate(place.path("box", name), size)
            tap.is_equal(last_words(s, command), (bye, 111), "%s_cut_to_%d_bytes_while_it_is_mapped" % (name.replace(".", "_"), size))
            with place.session() as s:
                s.good("SELECT INBOX")
                s.good("FETCH 1:* (UID ENVELOPE)")
                tap.is_equal([m.uid for m in s.mail], list(range(1, MESSAGES + 1)), "the_next_session_has_all_as_it_was")


def no_mail(tap):
    """What lies among the mail and is none."""
    with Place() as place:
        place.fill(2)
        before = place.outside()
        os.symlink(place.path("outside/secret"), place.path("box/cur/1700000002.M1P1.host:2,"))
        os.symlink("/etc/passwd", place.path("box/new/1700000002.M2P1.host"))
        os.mkfifo(place.path("box/cur/1700000002.M3P1.host:2,"))
        os.mkfifo(place.path("box/new/1700000002.M4P1.host"))
        os.mkdir(place.path("box/cur/1700000002.M5P1.host:2,"))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(place.path("box/cur/1700000002.M6P1.host:2,"))
        with place.session() as s:
            s.good("SELECT INBOX")
            s.good("FETCH 1:* (UID BODY.PEEK[])")
            tap.is_equal([m.uid for m in s.mail], [1, 2], "links_fifos_folders_and_sockets_are_no_mail")
            # A message that becomes one when the client knows it already.
            for number, make in ((1, os.mkfifo), (2, lambda path: os.symlink(place.path("outside/secret"), path))):
                path = place.path("box/cur/1700000001.M%dP1.host:2," % number)
                os.unlink(path)
                make(path)
                tap.is_equal(s.run("UID FETCH %d BODY.PEEK[]" % number).status, "NO", "a_message_that_turned_into_one_is_not_opened")
        listener.close()
        tap.is_equal(place.outside(), before, "nothing_elsewhere_was_touched")


def try_all(place, session, folder):
    """Every command that opens or changes a folder; what was not answered."""
    commands = ("STATUS %s (MESSAGES)", "SELECT %s", "EXAMINE %s", "COPY 1 %s", "MOVE 1 %s", "SUBSCRIBE %s", "CREATE %s/x", "UNSELECT",
                "RENAME %s %s2", "DELETE %s2", "DELETE %s", "LIST \"\" *", "SELECT INBOX")
    silent = []
    for command in commands:
        try:
            session.run(command.replace("%s", folder))
            if command.startswith("SELECT"):
                session.run("STORE 1 +FLAGS (word)")
                session.run("APPEND " + folder, b"Subject: x\r\n\r\n")
                session.idle(0)
        except Broken as trouble:
            silent.append("%s: %s" % (command, trouble))
            break
    return silent


def folders(tap):
    with Place() as place:
        place.fill(3)
        before = place.outside()
        os.symlink(place.path("outside"), place.path("box/.Link"))
        for part in ("cur", "new", "tmp"):
            place.make_maildir("box/.No" + part, part)
            os.symlink(place.path("outside", part), place.path("box/.No" + part, part))
        for name, make in (("Fifos", os.mkfifo), ("Links", lambda path: os.symlink(place.path("outside/secret"), path)), ("Dirs", os.mkdir)):
            place.make_maildir("box/." + name)
            for ours in OURS:
                make(place.path("box/." + name, ours))
        with place.session() as s:
            s.good("SELECT INBOX")
            for folder in ("Link", "Nocur", "Nonew", "Notmp", "Fifos", "Links", "Dirs"):
                tap.is_equal(try_all(place, s, folder), [], "each_command_about_%s_is_answered" % folder)
            s.good("SELECT INBOX")
            tap.is_equal(len(s.mail), 3, "inbox_has_its_mail")
        for ours in OURS:
            if ours != "stafet.lock":
                shutil.rmtree(place.path("box", ours), ignore_errors=True)
                if os.path.lexists(place.path("box", ours)):
                    os.unlink(place.path("box", ours))
                os.mkfifo(place.path("box", ours))
        with place.session() as s:
            tap.is_equal(try_all(place, s, "INBOX"), [], "nor_does_the_inbox_wait_for_fifos")
        tap.is_equal(place.outside(), before, "no_link_led_anywhere")


def silent_crowd(tap, program, timeout, welcome, refusal):
    """Connections that never log in, as many as the front takes: who comes when most places are taken makes room soon."""
    with Place() as place, socket.create_server(("127.0.0.1", 0)) as listener:
        os.makedirs(place.path("control"))
        place.write("control/" + timeout, "40\n")
        front = subprocess.Popen([os.path.join(BIN, program), "-c", "5"], stdin=listener, cwd=place.home, stderr=subprocess.DEVNULL)
        try:
            clients = []
            for _ in range(5):
                clients.append(socket.create_connection(listener.getsockname(), timeout=30))
                tap.ok(clients[-1].recv(1000).startswith(welcome), program.replace("-", "_") + "_lets_one_in")
            over = socket.create_connection(listener.getsockname(), timeout=30)
            tap.ok(over.recv(1000).startswith(refusal), "one_more_than_there_is_room_for_is_turned_away")
            tap.ok(clients[4].recv(1000)[:len(refusal)] in (b"", refusal), "the_last_that_came_in_goes_long_before_the_others")
            clients[4].close()
            clients[0].setblocking(False)
            try:
                said = clients[0].recv(1000)
            except BlockingIOError:
                said = None
            tap.is_equal(said, None, "who_still_have_their_time")
            again = socket.create_connection(listener.getsockname(), timeout=30)
            tap.ok(again.recv(1000).startswith(welcome), "and_another_one_is_let_in")
        finally:
            front.kill()
            front.wait()


def main():
    tap = Tap()
    for case in (files_are_cut, no_mail, folders):
        case(tap)
    silent_crowd(tap, "stafet-imap-login", "timeoutimaplogin", b"* OK", b"* BYE [UNAVAILABLE]")
    silent_crowd(tap, "stafet-pop3-login", "timeoutpop3login", b"+OK", b"-ERR")
    tap.done()


if __name__ == "__main__":
    main()
