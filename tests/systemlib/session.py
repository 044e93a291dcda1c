# SPDX-License-Identifier: ISC
"""A session of `stafet-imapd -m` that believes only what it is told: it keeps the list of messages as a client does, and complains of
what no client could follow (numbers that move where they must not, UIDs that change, are used twice or do not ascend).

    with Session(home, "box") as s: s.run("SELECT INBOX"); s.run("FETCH 1:* (UID FLAGS)"); s.mail[0].uid
"""
import collections
import os
import re
import select
import socket
import subprocess
import time

from systemlib import BIN

PATIENCE = 120
KEEPS_NUMBERS = ("FETCH", "STORE", "SEARCH", "SORT", "THREAD")


class Broken(Exception):
    """What a client could not live with."""


class Mail:
    """A message as it has been told: None is what has not."""

    def __init__(self):
        self.uid = self.flags = self.modseq = None

    def __repr__(self):
        return "%s %s" % (self.uid, sorted(self.flags or ()))


class Reply:
    def __init__(self, status, text, untagged):
        self.status, self.text, self.untagged = status, text, untagged

    def code(self, word):
        """What stands behind the word in [WORD …], of the tagged reply or an untagged OK; None."""
        for line in [self.text] + [l for l in self.untagged if l.startswith(b"OK ")]:
            found = re.search(rb"\[%s ?([^\]]*)\]" % word.encode(), line)
            if found:
                return found.group(1)
        return None

    def fetched(self):
        """(number, {item: value}) of each FETCH."""
        for line in self.untagged:
            found = re.match(rb"(\d+) FETCH ", line)
            if found:
                yield int(found.group(1)), as_items(parse(line[found.end():])[0])

    def numbers(self, word):
        """The numbers of an untagged SEARCH or the like."""
        return [int(n) for line in self.untagged if line.startswith(word.encode()) for n in line.split()[1:] if n.isdigit()]


def parse(line):
    """IMAP's lists, strings and atoms; literals stand in the line."""
    at, stack = 0, [[]]
    while at < len(line):
        c = line[at:at + 1]
        if c == b"(":
            stack.append([])
            at += 1
        elif c == b")":
            done = stack.pop()
            stack[-1].append(done)
            at += 1
        elif c == b" ":
            at += 1
        elif c == b'"':
            found = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.S).match(line, at)
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", found.group(1)))
            at = found.end()
        elif c == b"{":
            found = re.compile(rb"\{(\d+)\}\r\n").match(line, at)
            at = found.end() + int(found.group(1))
            stack[-1].append(line[found.end():at])
        else:
            found = re.compile(rb"(?:\[[^\]]*\]|[^ ()\[])+").match(line, at)
            stack[-1].append(found.group())
            at = found.end()
    return stack[0]


def as_items(pairs):
    return {pairs[i].decode(): pairs[i + 1] for i in range(0, len(pairs), 2)}


def as_uids(text):
    """1:3,7 as a list."""
    out = []
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        out += range(int(first), int(last or first) + 1)
    return out


def as_set(uids):
    return ",".join(str(u) for u in uids)


class Session:
    def __init__(self, home, box, name="", env=None, wrap=()):
        ours, theirs = socket.socketpair()
        self.errors = open(os.path.join(home, "errors"), "ab")
        self.process = subprocess.Popen([*wrap, os.path.join(BIN, "stafet-imapd"), "-m", box], stdin=theirs, stdout=theirs, cwd=home,
                                        stderr=self.errors, env={**os.environ, **(env or {})})
        theirs.close()
        self.socket, self.bytes, self.at, self.name, self.number = ours, b"", 0, name, 0
        self.mail, self.condstore, self.qresync, self.selected, self.said = [], False, False, None, []
        self.vanished, self.lines = set(), collections.deque(maxlen=40)
        self.may_expunge, self.is_over = True, False
        self.known_uids = {}
        self.greeting = self.line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """The client goes without a word; the program's exit status."""
        self.socket.close()
        self.errors.close()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Broken("%s: the program did not end" % self.name) from None

    # ---- bytes
    def more(self):
        ready, _, _ = select.select([self.socket], [], [], PATIENCE)
        if not ready:
            raise Broken("%s: no answer; last said %r" % (self.name, self.said[-3:]))
        try:
            got = self.socket.recv(1 << 20)
        except OSError:
            got = b""
        if not got:
            self.is_over = True
            raise Broken("%s: the connection is closed; last said %r, last bytes %r" % (self.name, self.said[-3:], self.bytes[-300:]))
        self.bytes = self.bytes[self.at:] + got
        self.at = 0

    def line(self):
        """A whole reply, its literals in it, without the CRLF at its end."""
        start, seek = 0, 0
        while True:
            end = self.bytes.find(b"\r\n", self.at + seek)
            if end < 0:
                seek = max(0, len(self.bytes) - self.at - 1)
                self.more()
                continue
            found = re.search(rb"\{(\d+)\}$", self.bytes[self.at + start:end])
            if not found:
                line = self.bytes[self.at:end]
                self.at = end + 2
                self.lines.append(b"S: " + line[:150])
                return line
            start = seek = end + 2 - self.at + int(found.group(1))
            while len(self.bytes) - self.at < start:
                self.more()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # what it said before it went is read

    # ---- commands
    def run(self, *parts):
        """A command; bytes among the parts go as literals. The Reply."""
        return self.finish(self.begin(*parts))

    def good(self, *parts):
        reply = self.run(*parts)
        if reply.status != "OK":
            raise Broken("%s: %s was refused: %s %r" % (self.name, parts[0], reply.status, reply.text))
        return reply

    def begin(self, *parts):
        self.number += 1
        tag = "t%d" % self.number
        whole = tag.encode()
        for part in parts:
            whole += b" " + (part.encode() if isinstance(part, str) else b"{%d+}\r\n" % len(part) + part)
        self.said = (self.said + [parts[0]])[-20:]
        words = parts[0].split()
        self.may_expunge = words[0].upper() not in KEEPS_NUMBERS
        if words[0].upper() in ("SELECT", "EXAMINE"):
            self.selected, self.mail = words[1] if len(words) > 1 else "?", []
        self.lines.append(b"C: " + whole[:150])
        self.send(whole + b"\r\n")
        return tag

    def finish(self, tag):
        untagged = []
        while True:
            line = self.line()
            if line.startswith(b"* "):
                untagged.append(line[2:])
                self.hear(line[2:])
            elif line.startswith(tag.encode() + b" "):
                status, _, text = line[len(tag) + 1:].partition(b" ")
                self.may_expunge = True
                return Reply(status.decode(), text, untagged)
            elif line.startswith(b"+"):
                untagged.append(line)
                return Reply("+", line, untagged)
            else:
                raise Broken("%s: not a reply: %r after %r" % (self.name, line[:200], self.said[-3:]))

    def idle(self, seconds):
        """What was told meanwhile."""
        tag = self.begin("IDLE")
        heard = self.finish(tag).untagged
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.bytes.find(b"\r\n", self.at) < 0 and not select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
                break
            line = self.line()
            heard.append(line[2:])
            self.hear(line[2:])
        self.send(b"DONE\r\n")
        return heard + self.finish(tag).untagged

    # ---- what is heard
    def hear(self, line):
        found = re.match(rb"(\d+) (EXISTS|EXPUNGE|FETCH)", line)
        if line.startswith(b"VANISHED (EARLIER)"):
            return
        if line.startswith(b"VANISHED "):
            self.hear_vanished(as_uids(line.split()[1]))
        elif line.startswith(b"BYE"):
            self.is_over = not self.said[-1].startswith("LOGOUT")
        elif found:
            number = int(found.group(1))
            {b"EXISTS": self.hear_exists, b"EXPUNGE": self.hear_expunge, b"FETCH": lambda n: self.hear_fetch(n, line)}[found.group(2)](number)

    def bad(self, what):
        raise Broken("%s: %s; it knows %d messages; last said %r" % (self.name, what, len(self.mail), self.said[-4:]))

    def hear_exists(self, number):
        if number < len(self.mail):
            self.bad("EXISTS fell from %d to %d" % (len(self.mail), number))
        self.mail += [Mail() for _ in range(number - len(self.mail))]

    def hear_expunge(self, number):
        if not self.may_expunge:
            self.bad("EXPUNGE while numbers must stay")
        if self.qresync:
            self.bad("EXPUNGE where VANISHED was asked for")
        if not 1 <= number <= len(self.mail):
            self.bad("EXPUNGE of number %d" % number)
        gone = self.mail.pop(number - 1)
        if gone.uid is not None:
            self.vanished.add(gone.uid)

    def hear_vanished(self, uids):
        if not self.may_expunge:
            self.bad("VANISHED while numbers must stay")
        for uid in uids:
            self.mail.pop(self.place_of(uid))
            self.vanished.add(uid)

    def place_of(self, uid):
        """Where a UID stands, or one that has not been told yet and may be it."""
        below = max([i for i, m in enumerate(self.mail) if m.uid is not None and m.uid <= uid], default=-1)
        if below >= 0 and self.mail[below].uid == uid:
            return below
        if below + 1 >= len(self.mail) or self.mail[below + 1].uid is not None:
            self.bad("VANISHED %d, which it did not know" % uid)
        return below + 1

    def hear_fetch(self, number, line):
        if not 1 <= number <= len(self.mail):
            self.bad("FETCH of number %d: %r" % (number, line[:200]))
        items = as_items(parse(line[line.index(b"(" if b"(" in line else b""):])[0])
        mail = self.mail[number - 1]
        if "UID" in items:
            self.take_uid(number, int(items["UID"]))
        if "FLAGS" in items:
            mail.flags = {f.decode() for f in items["FLAGS"]}
        if "MODSEQ" in items:
            mail.modseq = int(items["MODSEQ"][0])

    def take_uid(self, number, uid):
        mail = self.mail[number - 1]
        if mail.uid not in (None, uid):
            self.bad("number %d had UID %d and now has %d" % (number, mail.uid, uid))
        if mail.uid is None and uid in self.vanished:
            self.bad("UID %d had gone and is told again" % uid)
        mail.uid = uid
        before = [m.uid for m in self.mail[max(0, number - 2):number - 1] if m.uid is not None]
        after = [m.uid for m in self.mail[number:number + 1] if m.uid is not None]
        if (before and before[0] >= uid) or (after and after[0] <= uid):
            self.bad("UIDs do not ascend at number %d: %s %d %s" % (number, before, uid, after))

    def select(self, box="INBOX", how="SELECT"):
        """Selects and learns everything."""
        self.vanished = set()
        reply = self.good("%s %s" % (how, box))
        self.learn()
        return reply

    def learn(self):
        """UIDs and flags of messages that are new to it."""
        while any(m.uid is None for m in self.mail):
            first = next(i for i, m in enumerate(self.mail) if m.uid is None)
            if self.run("FETCH %d:* (UID FLAGS)" % (first + 1)).status == "NO":
                self.good("NOOP")  # some are gone

    def uids(self):
        return [m.uid for m in self.mail if m.uid is not None]
