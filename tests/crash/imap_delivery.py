# SPDX-License-Identifier: ISC
"""Scenes of a delivery beside a session that has the folder open: local leaves what it parsed (stafet.fresh) and wakes the session. Once
local breaks, once the session. What local has acknowledged is there for every session, under one UID that stays; what it was killed over
comes once more at most, since send repeats it."""

import os
import shutil

from imap_house import DeliveryHouse, Session
from imap_ledger import look_around
from imap_scenes import NewMail, Scene
from scenes import Local


class House(DeliveryHouse):
    """The template of sessions, for ann."""

    def build(self, _=None):
        self.begin()
        self.make_maildir()
        self.make_template(0)
        shutil.copytree(self.path(self.mail), self.path("few"))


class ToAnn(Local):
    """One recipient; the ledger looks after the places."""

    def recipients(self):
        return super().recipients()[:1]

    def users(self):
        return ("ann",)

    def check_places(self, fault):
        return []


def expect(scene):
    """A message for local to deliver, durable in the spool, which the ledger knows of."""
    local = ToAnn(scene.house)
    local.prepare()
    scene.ledger.add(local.number)
    scene.ledger.arrived.add(local.number)
    return local


def deliver(scene, local):
    """Acknowledged."""
    if local.run(()) != "K" or not local.is_done():
        scene.broken.append(f"stuck: local answers {local.letter!r}, {local.text}")
    scene.ledger.least[local.number] = 1


def repeat(scene, local):
    """As send does, where it knows of no answer: the message may be there already."""
    scene.ledger.most[local.number] += not local.is_done()
    local.recover()
    scene.ledger.least[local.number] = 1


class Beside(Scene):
    """Local is broken; the session idles, is told, and looks."""
    name, processes, lies, is_done = "imap-beside-delivery", (0,), (), False  # is_done: of the session, where that is broken
    fetch = NewMail.fetch

    def __init__(self, house):
        super().__init__(house)
        self.begins = ("recvmsg", 0)

    def prepare(self):
        super().prepare()
        self.broken, self.is_refused = [], False
        self.local = expect(self)
        self.session = self.open = Session(self.house)
        self.house.running["session"] = self.open.process
        self.house.must(self.open, "SELECT INBOX")
        self.fetch()
        self.tag = self.open.idle()
        if not os.listdir(self.house.path(self.house.mail, "stafet.wake")):
            raise RuntimeError("the idling session cannot be woken")

    def run(self, wrapper):
        letter = self.local.run(wrapper)
        if self.local.is_done():
            self.ledger.least[self.local.number] = 1
            self.open.hear(lambda: self.open.idle_until(b"EXISTS"))
        self.open.hear(lambda: self.open.done(self.tag))
        self.look_on()
        return letter

    def look_on(self):
        """By the session that was there all the time."""
        if not self.ask("NOOP") or not self.fetch() or self.is_refused:
            self.broken.append(f"stuck: the open session says {self.open.heard[-1:]}")

    def after_cut(self):
        self.local.after_cut()
        self.open = None

    def recover(self):
        repeat(self, self.local)
        if self.open:
            self.look_on()
            self.seen = look_around(self.open, "INBOX", self.broken)
        super().recover()

    def check(self, point, fault):
        broken = self.local.check(point, fault)
        if self.open:
            self.status = self.open.end()
            if self.seen != self.view.boxes["INBOX"].messages:
                broken.append(f"differs: the open session saw {self.seen}, a fresh one {self.view.boxes['INBOX'].messages}")
        else:
            self.status = None
        self.house.running.pop("session", None)
        return broken + super().check(point, fault)

    def work_on(self):
        """The next delivery finds nothing in its way."""
        broken = super().work_on()
        deliver(self, expect(self))
        return broken


class Delivered(NewMail):
    """The session is broken: it takes what local left, then idles until local wakes it."""
    name = "imap-delivered"

    def prepare(self):
        super().prepare()
        self.waiting, self.delivered = [expect(self), expect(self)], []

    def after_cut(self):
        """The journal orders the name in the Maildir before the end of the message file, and syncs neither."""
        for local in self.delivered:
            local.after_cut()

    def recover(self):
        for local in self.delivered:
            repeat(self, local)
        super().recover()

    def deliver_one(self):
        self.delivered.append(self.waiting.pop())
        deliver(self, self.delivered[-1])

    def work(self):
        self.deliver_one()
        if not os.path.exists(self.house.path(self.house.mail, "stafet.fresh")):
            raise RuntimeError("local has not left what it parsed")
        return self.ask("NOOP") and self.fetch() and self.idle() and self.fetch()

    def idle(self):
        session = self.session
        tag = session.hear(session.idle)
        if tag is None:
            return False
        self.deliver_one()
        if session.hear(lambda: session.idle_until(b"EXISTS")) is None:
            return False
        done = session.hear(lambda: session.done(tag))
        return done is not None and done[0].startswith(b"OK")


DELIVERIES = (Beside, Delivered)
