#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Random sessions against a small model of stafet-smtpd: each reply's code and status, and each message that reaches the queue, byte for byte.
smtpd_model_test.py [SEED [SESSIONS]]; a failure prints the session. Two models that are wrong on purpose have to be found out."""
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from dialoglib import frames, smtp  # noqa: E402

MAXRCPT, MAXERRORS, MAXUNKNOWN = 4, 14, 5
ERROR, GARBAGE, CLOSES = 1, 2, 4
NONE, SENDER, RECIPIENTS, CHUNKS = range(4)
RCPTD = {"nobody": (550, "5.1.1", ERROR), "off": (550, "5.2.1", ERROR), "full": (452, "4.2.2", 0), "later": (451, "4.3.0", 0)}
QUEUE = {"disk": (452, "4.3.1", 0), "loop": (554, "5.4.6", ERROR), "gone": (451, "4.3.0", 0)}
# What stands between < and > in MAIL and RCPT, and the status of its fault (M, R: 7 or 3 behind 5.1.).
BAD_ADDRESSES = {"a b@c.test": "5.1.", "ab@c.test ": "5.1.", "joe": "5.1.", "@c.test": "5.1.", "a..b@c.test": "5.1.", "a@-.test": "5.1.",
                 "a@" + "x" * 64 + ".test": "5.1.", "a" * 641 + "@c.test": "5.1.", "a@c.test\x01": "5.1.", "\udcff@c.test": "5.6.7"}
PARAMETERS = [("", None), (" SIZE=10", None), (" BODY=8BITMIME", None), (" BODY=7bit SIZE=0", None), (" SMTPUTF8", None),
              (" SIZE=4000000000", (552, "5.3.4", ERROR)), (" AUTH=<>", (555, "5.5.4", ERROR)), (" SIZE=x", (501, "5.5.4", ERROR)),
              (" SIZE=1 SIZE=1", (501, "5.5.4", ERROR)), (" BODY=BINARYMIME", (501, "5.5.4", ERROR)), (" =", (501, "5.5.4", ERROR))]


class Model:
    """What smtpd should say. A step takes what the client sends and gives the replies; each one is a set of allowed ones."""

    def __init__(self, databytes):
        self.databytes, self.is_over, self.hello = databytes, False, False
        self.errors = self.unknown = 0
        self.calls = []
        self.reset()

    def reset(self):
        self.stage, self.sender, self.to, self.is_utf8, self.chunks = NONE, "", [], False, b""

    def rset(self):
        self.reset()

    def say(self, *allowed):
        """One reply, and the limits behind it."""
        code, status, flags = allowed[0]
        self.errors += flags & ERROR != 0
        self.unknown += flags & GARBAGE != 0
        out = [{reply[:2] for reply in allowed}]
        if flags & CLOSES:
            self.is_over = True
        elif self.unknown >= MAXUNKNOWN or self.errors >= MAXERRORS:
            self.is_over = True
            out.append({(421, "4.7.0")})
        return out

    def order_fault(self, wanted):
        if self.stage == NONE and wanted != NONE or (self.stage == SENDER and wanted == RECIPIENTS):
            return 503, "5.5.1", ERROR
        return None

    def early(self):
        return self.say((554, "5.5.0", CLOSES))

    def ehlo(self, is_good):
        if not is_good:
            return self.say((501, "5.5.4", ERROR))
        self.reset()
        self.hello = True
        return self.say((250, "", 0))

    def mail(self, address, parameters, fault):
        if not self.hello or self.stage != NONE:
            return self.say((503, "5.5.1", ERROR))
        is_utf8 = "SMTPUTF8" in parameters
        bad = BAD_ADDRESSES.get(address)
        if bad == "5.6.7" or (not address.isascii() and not is_utf8):
            bad = "5.6.7"
        elif bad:
            bad = "5.1.7"
        if fault and fault[0] != 552:
            return self.say(fault)
        if bad:
            return self.say((553, bad, ERROR))
        if fault:
            return self.say(fault)
        self.stage, self.sender, self.is_utf8 = SENDER, address, is_utf8
        return self.say((250, "2.1.0", 0))

    def rcpt(self, address):
        if self.stage == NONE or self.stage == CHUNKS:
            return self.say((503, "5.5.1", ERROR))
        if len(self.to) >= MAXRCPT:
            return self.say((452, "4.5.3", 0))
        bad = BAD_ADDRESSES.get(address)
        if bad == "5.6.7" or (not address.isascii() and not self.is_utf8):
            return self.say((553, "5.6.7", ERROR))
        if bad or not address:
            return self.say((553, "5.1.3", ERROR))
        local, _, domain = address.partition("@")
        if local in RCPTD:
            return self.say(RCPTD[local])
        if domain == "elsewhere.test":
            return self.say((553, "5.7.1", ERROR))
        self.to.append(address)
        self.stage = RECIPIENTS
        return self.say((250, "2.1.5", 0))

    def data(self):
        """The reply to DATA itself; then text()."""
        fault = self.order_fault(RECIPIENTS) or ((503, "5.5.1", ERROR) if self.stage == CHUNKS else None)
        return self.say(fault or (354, "", 0))

    def text(self, stored, faults):
        """stored: what a good text becomes. faults: of the bytes; several may be named, since the first one seen counts."""
        wire = len(stored) + stored.count(b"\n")
        allowed = [(550, "5.6.0", ERROR)] if faults else []
        if wire > self.databytes:
            allowed.append((552, "5.3.4", ERROR))
        if not allowed:
            self.calls.append((self.sender, self.to, stored))
            allowed = [QUEUE.get(self.sender.partition("@")[0], (250, "2.0.0", 0))]
        if allowed[0][0] == 250:
            self.errors = 0
        self.reset()
        return self.say(*allowed)

    def bdat(self, chunk, is_last):
        fault = self.order_fault(RECIPIENTS)
        if fault:
            return self.say(fault)
        self.stage = CHUNKS
        self.chunks += chunk
        rest = self.chunks.replace(b"\r\n", b"")
        has_faults = b"\n" in rest or b"\r" in (rest if is_last else rest.removesuffix(b"\r"))
        stored = self.chunks.replace(b"\r\n", b"\n")
        if is_last or has_faults or len(stored) + stored.count(b"\n") > self.databytes:
            return self.text(stored, has_faults)
        return self.say((250, "2.0.0", 0))


class DeafModel(Model):
    """Wrong: RSET does nothing."""

    def rset(self):
        pass


class StubbornModel(Model):
    """Wrong: a refused text does not end the transaction."""

    def text(self, stored, faults):
        before = self.stage, self.sender, self.to, self.is_utf8
        out = super().text(stored, faults)
        if faults:
            self.stage, self.sender, self.to, self.is_utf8 = before
        return out


class Player:
    """Makes up a session as it goes."""

    def __init__(self, dice, model, session):
        self.dice, self.model, self.session = dice, model, session
        self.waiting, self.expected, self.sent = b"", [], []

    def flush(self):
        """Sends what waits, and reads the replies it should bring. None, or what is wrong."""
        if self.waiting:
            self.sent.append(self.waiting)
            if self.dice.random() < 0.1:
                at = self.dice.randrange(len(self.waiting) + 1)
                self.session.send_apart(self.waiting[:at])
                self.session.send(self.waiting[at:])
            else:
                self.session.send(self.waiting)
            self.waiting = b""
        for allowed in self.expected:
            got = self.session.reply()
            if got not in allowed:
                return "wanted %s, got %s" % (allowed, got)
        self.expected = []
        return None

    def put(self, line, replies):
        self.waiting += line.encode("utf-8", "surrogateescape")
        self.expected += replies

    def step(self):
        """One command. What is wrong, or None."""
        dice, model = self.dice, self.model
        name = dice.choices(["hello", "mail", "rcpt", "data", "bdat", "rset", "other", "garbage"],
                            [4 if not model.hello else 0.3, 7, 9, 4, 4, 2, 1.5, 0.4])[0]
        trouble = getattr(self, "do_" + name)()
        if trouble is None and (model.is_over or dice.random() < 0.5):
            trouble = self.flush()
        return trouble

    def turn(self, line, answer):
        """A command whose reply has to be waited for; now and then the client does not."""
        if self.dice.random() < 0.02:
            self.put(line + self.dice.choice(["N", "NOOP\r\n", "\r\n", "."]), self.model.early())
            return self.flush()
        self.put(line, answer())
        return self.flush()

    def do_hello(self):
        line, is_good = self.dice.choice([("EHLO c.test\r\n", True), ("helo c.test\r\n", True), ("EHLO\r\n", False), ("HELO \udc80\r\n", False)])
        return self.turn(line, lambda: self.model.ehlo(is_good))

    def do_mail(self):
        address = self.dice.choice(["ann@b.test"] * 5 + ["", "disk@b.test", "loop@b.test", "gone@b.test", "m\xfc@b.test", *BAD_ADDRESSES])
        parameters, fault = self.dice.choice(PARAMETERS[:1] * 9 + PARAMETERS)
        self.put("MAIL FROM:%s<%s>%s\r\n" % (self.dice.choice(["", "", " "]), address, parameters), self.model.mail(address, parameters, fault))

    def do_rcpt(self):
        address = self.dice.choice(["joe@example.test", "ann@example.test"] * 8 + [n + "@example.test" for n in RCPTD] +
                                   ["x@elsewhere.test", "\xfc@example.test", "", *BAD_ADDRESSES])
        self.put("RCPT TO:<%s>\r\n" % address, self.model.rcpt(address))

    def make_text(self):
        pieces = [b"", b".", b"..", b".x", b"Subject: x", b"\0", b"\xe9\xff", b"MAIL FROM:<evil@b.test>", b"a" * 1200, b"QUIT", b"\t "]
        return b"".join(self.dice.choice(pieces) + b"\n" for _ in range(self.dice.choice([0, 1, 2, 5, 12])))

    def spoil(self, wire):
        """(bytes, is it spoiled)"""
        if self.dice.random() > 0.15:
            return wire, False
        at = self.dice.randrange(len(wire) + 1)
        if wire[at - 1:at] == b"\r":
            at -= 1
        return wire[:at] + self.dice.choice([b"x\nx", b"x\rx", b"x\n.\nx", b"x\r.\rx"]) + wire[at:], True

    def do_data(self):
        trouble = self.turn("DATA\r\n", self.model.data)
        if trouble or self.model.is_over or self.session.said[-1][:3] != "354":
            return trouble
        stored = self.make_text()
        stuffed = stored.replace(b"\n", b"\r\n")
        stuffed = (b"." if stuffed.startswith(b".") else b"") + stuffed.replace(b"\r\n.", b"\r\n..")
        wire, is_spoiled = self.spoil(stuffed)
        self.waiting += wire + (b"" if wire.endswith(b"\r\n") or not wire else b"\r\n") + b".\r\n"
        self.expected += self.model.text(stored, is_spoiled)
        return None

    def do_bdat(self):
        if self.dice.random() < 0.01:
            self.put("BDAT x LAST\r\n", self.model.say((501, "5.5.4", ERROR | CLOSES)))
            return self.flush()
        wire, _ = self.spoil(self.make_text().replace(b"\n", b"\r\n"))
        at = self.dice.randrange(len(wire) + 1)
        for chunk, is_last in ((wire[:at], False), (wire[at:], self.dice.random() < 0.7)):
            if not self.model.is_over and (not is_last or self.dice.random() < 0.9):
                self.put("BDAT %d%s\r\n" % (len(chunk), " LAST" if is_last else ""), [])
                self.waiting += chunk
                self.expected += self.model.bdat(chunk, is_last)
        return None

    def do_rset(self):
        self.model.rset()
        self.put("RSET\r\n", self.model.say((250, "2.0.0", 0)))

    def do_other(self):
        line, reply = self.dice.choice([("NOOP x", (250, "2.0.0", 0)), ("VRFY joe", (252, "2.1.5", 0)), ("HELP", (214, "2.0.0", 0)),
                                        ("EXPN x", (502, "5.5.1", ERROR)), ("RSET x", (501, "5.5.4", ERROR)), ("QUIT now", (501, "5.5.4", ERROR)),
                                        ("MAIL", (501, "5.5.4", ERROR)), ("RCPT TO joe@example.test", (501, "5.5.4", ERROR))])
        if line == "MAIL" and (not self.model.hello or self.model.stage != NONE):
            reply = (503, "5.5.1", ERROR)
        if line.startswith("RCPT") and (self.model.stage in (NONE, CHUNKS)):
            reply = (503, "5.5.1", ERROR)
        elif line.startswith("RCPT") and len(self.model.to) >= MAXRCPT:
            reply = (452, "4.5.3", 0)
        self.put(line + "\r\n", self.model.say(reply))

    def do_garbage(self):
        line, status = self.dice.choice([("XYZZY", "5.5.1"), ("", "5.5.1"), ("NO\nOP", "5.5.2"), ("NO\rOP", "5.5.2"), ("NO\0OP", "5.5.2"),
                                         ("A" * 5000, "5.5.2"), (" NOOP", "5.5.1")])
        self.put(line + "\r\n", self.model.say((500, status, ERROR | GARBAGE)))
        if line == "NO\nOP" and not self.model.is_over:  # what follows a bare LF is another bad line
            self.put("", self.model.say((500, status, ERROR | GARBAGE)))

    def finish(self):
        """The end, in one of the ways a session ends."""
        if self.model.is_over:
            trouble = self.flush()
        elif self.dice.random() < 0.5:
            self.put("QUIT\r\n", self.model.say((221, "2.0.0", CLOSES)))
            trouble = self.flush()
        else:
            return self.flush()
        return trouble or ("it goes on: " + str(self.session.said[-1]) if self.session.reply() is not None else None)


def play(house, seed, model):
    """None, or what is wrong."""
    dice = random.Random(seed)
    before = len(house.calls("queue"))
    session = smtp.Session(house)
    player = Player(dice, model, session)
    trouble = None if session.reply() == (220, "") else "no greeting"
    try:
        for _ in range(dice.randrange(5, 45)):
            if trouble or model.is_over:
                break
            trouble = player.step()
        trouble = trouble or player.finish()
    except AssertionError as silence:
        trouble = "%s; still expected: %s" % (silence, player.expected)
    code = session.close()
    calls = [(c["from"], c["to"].split(","), c.get("message", "")) for c in house.calls("queue")[before:] if "unfinished" not in c]
    wanted = [(sender, to, frames.text(text)) for sender, to, text in model.calls]
    if trouble is None and (calls != wanted or code != 0):
        trouble = "exit %d; queue got %s\nwanted %s" % (code, calls, wanted)
    if trouble:
        trouble = "seed %d: %s\n" % (seed, trouble) + "\n".join("C: " + frames.show(s) for s in player.sent) + "\n" + "\n".join(
            "S: " + s for s in session.said[-12:])
    return trouble


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 20261125
    sessions = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    results = smtp.Results()
    print("# seeds from %d" % seed)
    for databytes in (3000, 1000000):
        house = smtp.House(databytes=databytes, maxrcpt=MAXRCPT, maxerrors=MAXERRORS, maxunknown=MAXUNKNOWN)
        try:
            troubles = [t for t in (play(house, seed + i, Model(databytes)) for i in range(sessions)) if t]
            results.ok(not troubles, "%d_random_sessions_go_as_the_model_says_with_databytes_%d" % (sessions, databytes), "\n".join(troubles[:2]))
            if databytes == 3000:
                for wrong in (DeafModel, StubbornModel):
                    found = any(play(house, seed + i, wrong(databytes)) for i in range(400))
                    results.ok(found, "the_wrong_%s_is_found_out" % wrong.__name__)
        finally:
            house.remove()
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
