# SPDX-License-Identifier: ISC
"""A session of stafet-imapd whose every reply is compared with a View (imapmodel). Talk.command() sends and reads; settle() goes
through the untagged replies: what the command asked for, and what others changed."""
import re

from systemlib.imapmodel import SYSTEM, View, must
from systemlib.session import Reply, Session, as_items, as_uids, parse

ANY = object()  # a value that the model does not know
TELLS, KEEPS_NUMBERS, IS_UID, LOOKS = 1, 2, 4, 8
WORD = re.compile(rb"[!#-'+-\[^-z|}~]+")


class Literal:
    def __init__(self, text, is_sync):
        self.text, self.is_sync = text, is_sync


class Talk(Session):
    def __init__(self, model, chance, home, name):
        super().__init__(home, "box", name)
        self.home = home
        self.view, self.chance, self.tag, self.said_all = View(model), chance, 0, []

    def hear(self, line):
        """Nothing at once: settle() compares."""

    def close(self):
        self.view.model.views.remove(self.view)
        return super().close()

    # ---- commands
    def words(self, text, may_be_literal=True):
        """An astring, one way or another."""
        text = text.encode() if isinstance(text, str) else text
        ways = [b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"']
        if WORD.fullmatch(text):
            ways += [text] * 3
        if may_be_literal and self.chance.random() < 0.1:
            return Literal(text, self.chance.random() < 0.5)
        return self.chance.choice(ways)

    def command(self, *parts):
        """parts: text, bytes, or Literal, with spaces between them. The Reply."""
        self.tag += 1
        tag = b"t%d" % self.tag
        before = b"p%d" % self.tag if self.chance.random() < 0.05 and not self.view.has_pending() else None
        out = before + b" NOOP\r\n" + tag if before else tag
        for part in parts:
            if isinstance(part, Literal):
                out += b" {%d%s}\r\n" % (len(part.text), b"" if part.is_sync else b"+")
                if part.is_sync:
                    self.transmit(out)
                    before = self.read_noop(before)
                    reply = self.read_reply(tag)
                    if reply.status != "+":
                        return reply
                    out = b""
                out += part.text
            else:
                out += b" " + (part.encode() if isinstance(part, str) else part)
        self.transmit(out + b"\r\n")
        self.read_noop(before)
        return self.read_reply(tag)

    def read_noop(self, tag):
        """The reply to a NOOP that went out in one piece with the command."""
        if tag:
            reply = self.read_reply(tag)
            self.expect(reply, "OK")
            must(not self.settle(reply, (), TELLS | LOOKS), "NOOP told:", reply.untagged)

    def transmit(self, data):
        self.lines.append(b"C: " + data[:300])
        while data:  # a server may not care where the pieces end
            n = len(data) if self.chance.random() < 0.95 else self.chance.randrange(1, len(data) + 1)
            self.send(data[:n])
            data = data[n:]

    @staticmethod
    def as_reply(tag, line, untagged):
        status, _, text = line[len(tag) + 1:].partition(b" ")
        return Reply(status.decode(), text, untagged)

    def read_reply(self, tag):
        untagged = []
        while True:
            line = self.line()
            if line.startswith(tag + b" "):
                return self.as_reply(tag, line, untagged)
            if line.startswith(b"+ ") and not untagged:
                return Reply("+", line, untagged)
            must(line.startswith(b"* "), "not a reply:", line)
            untagged.append(line[2:])

    # ---- replies
    def expect(self, reply, status, code=""):
        """code: the response code's beginning; None: any."""
        found = re.match(rb"\[([^\]]*)\]", reply.text)
        is_right = code is None or (found.group(1).decode().startswith(code) if code and found else bool(code) == bool(found))
        must(reply.status == status and is_right, "the reply should be", status, code, "and is", reply.status, reply.text)

    def settle(self, reply, wanted=(), flags=TELLS):
        """wanted: [(UID, {item: value})] of FETCH replies in their order. What is no FETCH, EXISTS or the like comes back."""
        if not flags & TELLS or self.view.folder is None:
            must(not wanted and not any(re.match(rb"\d+ |VANISHED ", line) for line in reply.untagged), "told:", reply.untagged)
            return reply.untagged
        heard = Heard(self.view, list(wanted), flags)
        if flags & LOOKS:
            self.view.look()
        rest = [line for line in reply.untagged if not heard.take(line)]
        heard.finish()
        self.view.count(reply)
        return rest


class Heard:
    """The untagged replies of one command."""

    def __init__(self, view, wanted, flags):
        self.view, self.wanted, self.flags, self.told = view, wanted, flags, set()
        self.own = {uid for uid, _ in wanted}

    def take(self, line):
        """False: it is none of these."""
        found = re.match(rb"(\d+) (EXISTS|RECENT|EXPUNGE|FETCH)", line)
        view = self.view
        if line.startswith(b"OK [HIGHESTMODSEQ "):
            must(view.condstore, "told", line)
            return True
        if view.hear_names(line):
            return True
        if line.startswith(b"VANISHED ") and not line.startswith(b"VANISHED (EARLIER)"):
            must(view.qresync and not self.flags & KEEPS_NUMBERS, "told", line)
            for uid in as_uids(line.split()[1]):
                view.forget(uid)
            return True
        if not found:
            return False
        number = int(found.group(1))
        if found.group(2) == b"EXPUNGE":
            must(not self.flags & KEEPS_NUMBERS, "numbers moved:", line)
            view.hear_expunge(number)
        elif found.group(2) == b"EXISTS":
            view.hear_exists(number)
        elif found.group(2) == b"RECENT":
            must(number == len(view.recent()), "RECENT", number, "and not", len(view.recent()))
        else:
            self.fetched(number, as_items(parse(line[found.end():])[0]))
        return True

    def fetched(self, number, items):
        must(1 <= number <= len(self.view.uids), "FETCH", number, "of", len(self.view.uids))
        uid = self.view.uids[number - 1]
        if self.wanted and self.wanted[0][0] == uid and set(self.wanted[0][1]) == set(items):
            self.compare(uid, items, self.wanted.pop(0)[1])
        else:
            must(not self.wanted, "FETCH of UID", uid, items, "where this is wanted:", self.wanted[:1])
            self.told.add(uid)
            must(uid in self.view.changed, "UID", uid, "is told though nobody changed it:", items)
            keys = {"FLAGS"} | ({"UID"} if self.flags & IS_UID else set()) | ({"UID", "MODSEQ"} if self.view.condstore else set())
            self.compare(uid, items, dict.fromkeys(keys))

    def compare(self, uid, items, wanted):
        """Values that the model knows better than the caller are None."""
        message = self.view.folder.message(uid)
        must(message and set(items) == set(wanted), "UID", uid, "is told with", items, "and not", wanted)
        for key, value in items.items():
            if key == "FLAGS":
                must({f.decode() for f in value} == self.view.flags(message) and len(set(value)) == len(value), "UID", uid, "has",
                     self.view.flags(message), "and is told with", value)
                must(self.view.flags(message) <= {*SYSTEM, "\\Recent", *self.view.keywords}, "FLAGS", self.view.keywords, "did not tell of", value)
            elif key == "UID":
                must(int(value) == uid, "UID", uid, "is told as", value)
            elif key == "MODSEQ":
                self.view.folder.learn(message, int(value[0]))
            elif wanted[key] is not ANY:
                must(value == wanted[key], "UID", uid, key, "\n  got   ", value, "\n  wanted", wanted[key])

    def finish(self):
        view = self.view
        must(not self.wanted, "not told:", self.wanted[:3])
        there = view.folder.uids()
        known = view.uids if not self.flags & KEEPS_NUMBERS else [u for u in view.uids if u in set(there)]
        must(known == there, "the client knows", known, "of", there)
        missing = {u for u in view.changed if u in set(there)} - self.told
        must(not missing, "changes of UIDs", missing, "are not told")
        view.names_are_told()
        view.changed.clear()
