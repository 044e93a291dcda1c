#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Random POP3 sessions against a small model: one or two sessions at once on one Maildir, and between their commands a foreign
program that delivers, renames and removes. Every reply is compared byte for byte, and at the end the Maildir.
pop3_model_test.py [SEED [SESSIONS]]; needs only stafet-pop3d."""
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile

BIN = os.environ.get("STAFET_BIN", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/bin"))
SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 20261125
SESSIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 300
FORM = b"-ERR the command was not understood; its form is: "


def wire_lines(stored):
    """The lines that a client must get, without their ends."""
    lines = re.split(rb"\r\n|\r|\n", stored)
    return lines[:-1] if lines[-1] == b"" else lines


def as_text(lines):
    return b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines) + b".\r\n"


def wire_size(stored):
    return sum(len(line) + 2 for line in wire_lines(stored))


def top_lines(stored, count):
    lines = wire_lines(stored)
    body = lines.index(b"") + 1 if b"" in lines else len(lines)
    return lines[:body + count]


class World:
    """The Maildir, as a foreign program sees it: base name -> (folder, file name, bytes)."""

    def __init__(self, folder, chance):
        self.folder, self.chance, self.serial = folder, chance, 0
        self.mail = {}
        for part in ("new", "cur", "tmp"):
            os.makedirs(os.path.join(folder, part))

    def path(self, base):
        part, name, _ = self.mail[base]
        return os.path.join(self.folder, part, name)

    def deliver(self):
        stored = self.chance.choice([b"", b"\n", b"x", b"Subject: a\n\nbody\n", b"Subject: b\n\n.\n..\n.x\n", b"a\r\nb\rc\n\nd\n\n", b"\r\n\r\n.",
                                     bytes(self.chance.choices(b"\r\n.a\0\xff", k=self.chance.randrange(60))),
                                     b"Subject: c\n\n" + b"line of text\n" * self.chance.randrange(400)])
        self.serial += 1
        base = "1700%06d.M1P1.host" % self.serial
        base += self.chance.choice(["", ",S=%d" % len(stored), ",S=%d,W=%d" % (len(stored), wire_size(stored))])
        part = self.chance.choice(["new", "cur"])
        name = base if part == "new" else base + ":2," + self.chance.choice(["", "S", "RS"])
        self.mail[base] = (part, name, stored)
        with open(self.path(base), "wb") as f:
            f.write(stored)

    def rename(self):
        if self.mail:
            base = self.chance.choice(sorted(self.mail))
            old = self.path(base)
            self.mail[base] = ("cur", base + ":2," + self.chance.choice(["", "F", "S", "FS", "RS"]), self.mail[base][2])
            os.rename(old, self.path(base))

    def remove(self):
        if self.mail:
            base = self.chance.choice(sorted(self.mail))
            os.unlink(self.path(base))
            del self.mail[base]

    def disagreement(self):
        found = {}
        for part in ("new", "cur"):
            for name in os.listdir(os.path.join(self.folder, part)):
                with open(os.path.join(self.folder, part, name), "rb") as f:
                    found[name.split(":")[0]] = (part, name, f.read())
        return None if found == self.mail else "the Maildir is %s\nand should be %s" % (sorted(found.items()), sorted(self.mail.items()))


class Session:
    """A real session, and what the model knows of it."""

    def __init__(self, world):
        self.world = world
        self.bases = sorted(world.mail)
        self.size, self.deleted, self.last, self.is_over = {}, set(), 0, False
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen([os.path.join(BIN, "stafet-pop3d"), "-m", world.folder], stdin=theirs, stdout=theirs,
                                        stderr=subprocess.DEVNULL, cwd=os.path.dirname(world.folder))
        theirs.close()
        ours.settimeout(20)
        self.socket, self.transcript = ours, []
        self.expect(b"", b"+OK messages: %d\r\n" % len(self.bases))

    def expect(self, sent, wanted):
        self.socket.sendall(sent)
        got = b""
        while len(got) < len(wanted):
            more = self.socket.recv(65536)
            if not more:
                break
            got += more
        self.transcript.append((sent, wanted))
        if got != wanted:
            raise AssertionError("after %s\ngot    %r\nwanted %r" % (self.transcript[-8:-1], got, wanted))

    def octets(self, number):
        """Sizes are learnt once, from the name or else from the file."""
        base = self.bases[number - 1]
        if number not in self.size:
            told = re.search(r",W=(\d+)", base)
            stored = re.search(r",S=(\d+)", base)
            if told:
                self.size[number] = int(told.group(1))
            elif base in self.world.mail:
                self.size[number] = wire_size(self.world.mail[base][2])
            else:
                self.size[number] = int(stored.group(1)) if stored else 0
        return self.size[number]

    def left(self):
        return [n for n in range(1, len(self.bases) + 1) if n not in self.deleted]

    def refusal(self, number):
        if number < 1 or number > len(self.bases):
            return b"-ERR there is no message %d; LIST shows the numbers\r\n" % number
        if number in self.deleted:
            return b"-ERR message %d is marked for deletion; RSET takes all such marks away\r\n" % number
        return None

    def text(self, number, head, lines):
        base = self.bases[number - 1]
        if base not in self.world.mail:
            return b"-ERR another session removed message %d meanwhile; log in again to see what is left\r\n" % number
        return head + as_text(lines(self.world.mail[base][2]))

    def reply(self, verb, numbers):
        """What the model says to a command that is well formed."""
        if verb == "STAT":
            return b"+OK %d %d\r\n" % (len(self.left()), sum(self.octets(n) for n in self.left()))
        if verb == "NOOP":
            return b"+OK\r\n"
        if verb == "LAST":
            return b"+OK %d\r\n" % self.last
        if verb == "RSET":
            self.deleted, self.last = set(), 0
            return b"+OK nothing will be deleted; messages: %d\r\n" % len(self.bases)
        if verb in ("LIST", "UIDL"):
            show = (lambda n: b"%d %d" % (n, self.octets(n))) if verb == "LIST" else (lambda n: b"%d %s" % (n, self.bases[n - 1].encode()))
            if not numbers:
                return b"+OK messages: %d\r\n" % len(self.left()) + b"".join(show(n) + b"\r\n" for n in self.left()) + b".\r\n"
            return self.refusal(numbers[0]) or b"+OK " + show(numbers[0]) + b"\r\n"
        number = numbers[0]
        refusal = self.refusal(number)
        if refusal:
            return refusal
        if verb == "DELE":
            self.deleted.add(number)
            self.last = max(self.last, number)
            return b"+OK message %d will be deleted at QUIT\r\n" % number
        if verb == "TOP":
            return self.text(number, b"+OK the top of it\r\n", lambda stored: top_lines(stored, numbers[1]))
        answer = self.text(number, b"+OK %d octets\r\n" % self.octets(number), wire_lines)
        if answer.startswith(b"+OK"):
            self.last = max(self.last, number)
        return answer

    def random_command(self, chance):
        """(bytes, reply)"""
        number = chance.choice([chance.randrange(0, len(self.bases) + 3)] * 9 + [2 ** 32 + 1])
        if chance.random() < 0.04:
            line, reply = chance.choice([(b"RETR", FORM + b"RETR message-number"), (b"TOP 1", FORM + b"TOP message-number lines"), (b"STAT 1", FORM + b"STAT"),
                                         (b"XYZZY", b"-ERR not a command of this server: XYZZY; CAPA lists what it can do"),
                                         (b"AUTH PLAIN", b"-ERR AUTH is not offered here; CAPA lists what is"),
                                         (b"USER joe", b"-ERR you are logged in already; QUIT first to log in as somebody else")])
            return line + b"\r\n", reply + b"\r\n"
        verb = chance.choice("STAT NOOP LAST LIST LIST UIDL UIDL RETR RETR RETR TOP TOP DELE DELE".split() + ["RSET"] * (chance.random() < 0.3))
        numbers = {"RETR": [number], "DELE": [number], "TOP": [number, chance.randrange(6)],
                   "LIST": [number] * chance.randrange(2), "UIDL": [number] * chance.randrange(2)}.get(verb, [])
        line = " ".join([verb if chance.random() < 0.9 else verb.lower()] + [str(n) for n in numbers])
        return line.encode() + chance.choice([b"\r\n", b"\r\n", b"\n", b" \r\n"]), self.reply(verb, numbers)

    def converse(self, chance):
        batch = [self.random_command(chance) for _ in range(chance.choice([1, 1, 1, 2, 5]))]
        self.expect(b"".join(b[0] for b in batch), b"".join(b[1] for b in batch))

    def quit(self):
        for number, base in enumerate(self.bases, 1):
            if number in self.deleted:
                self.world.mail.pop(base, None)
            elif base in self.world.mail and self.world.mail[base][0] == "new":
                self.world.mail[base] = ("cur", base + ":2,", self.world.mail[base][2])
        self.expect(b"QUIT\r\n", b"+OK goodbye; messages deleted: %d\r\n" % len(self.deleted))

    def end(self, chance):
        if chance.random() < 0.7:
            self.quit()
        else:
            self.socket.shutdown(socket.SHUT_WR)  # goes without QUIT: nothing may change
        rest = self.socket.recv(1)
        self.close()
        if rest or self.process.wait(20) != 0:
            raise AssertionError("after the end: %r, exit %s" % (rest, self.process.returncode))

    def close(self):
        self.socket.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def play(folder, chance, sessions):
    """Some sessions on one Maildir, one or two at a time."""
    world = World(folder, chance)
    running = []
    try:
        while sessions > 0 or running:
            if sessions > 0 and len(running) < 2 and chance.random() < 0.3:
                running.append(Session(world))
                sessions -= 1
            for session in running:
                session.converse(chance)
            for _ in range(chance.choice([0, 0, 1, 2])):
                chance.choice([world.deliver, world.deliver, world.rename, world.rename, world.remove])()
            for session in [s for s in running if chance.random() < 0.15]:
                running.remove(session)
                session.end(chance)
                trouble = world.disagreement()
                if trouble:
                    raise AssertionError(trouble)
    finally:
        for session in running:
            session.close()


def main():
    print("# seed %d" % SEED)
    failed, groups = 0, 10
    work = tempfile.mkdtemp(prefix="pop3-model.", dir="/tmp")
    os.mkdir(os.path.join(work, "control"))
    with open(os.path.join(work, "control/maxpop3errors"), "w", encoding="ascii") as f:
        f.write("1000000\n")
    try:
        for group in range(groups):
            trouble = None
            try:
                play(os.path.join(work, "box%d" % group), random.Random(SEED * 1000 + group), max(1, SESSIONS // groups))
            except (AssertionError, OSError) as e:
                trouble = str(e)
            print("%s %d - random sessions answer as the model does, group %d" % ("not ok" if trouble else "ok", group + 1, group))
            for line in (trouble or "").splitlines():
                print("#   " + line[:2000])
            failed += trouble is not None
    finally:
        shutil.rmtree(work)
    print("1..%d" % groups)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
