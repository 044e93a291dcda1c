# SPDX-License-Identifier: ISC
"""Scenes of stafet-send in a whole house: a message that lies in the spool is worked on under a wrapper, then a healthy house runs the
spool empty."""

import glob
import os
import time

import letters
from house import wait_until
from letters import DOMAIN

PATIENCE = 3  # seconds that send may take after a fault that it survived; then it is killed


class Send:
    """One recipient."""
    name, begins, processes = "send", ("flock", None), (0, 1)
    users, sender, bounces, most_bounces, lies = ("ann",), letters.SENDER, 0, 0, ()

    def __init__(self, house):
        self.house = house

    def prepare(self):
        house = self.house
        house.start_missing("rcpt", "queue", "local")
        letter = house.submit(self.users, 300, self.sender)
        if letter != "K":
            raise RuntimeError(f"the clean queue answers {letter!r}")
        house.sent[house.last_number] = (tuple(u for u in self.users if u != "nobody"), True)

    def run(self, wrapper):
        house = self.house
        process = house.start("ctl", wrapper=wrapper)
        wait_until(lambda: process.poll() is not None or self.rests(), PATIENCE)
        time.sleep(0.005)
        is_done, self.status = self.rests(), process.poll()
        house.kill("ctl")
        return "K" if is_done else ""

    def rests(self):
        return self.house.rests()

    def after_cut(self):
        pass

    def recover(self):
        self.is_empty = self.house.drain()

    def check(self, point, fault):
        broken = self.house.check()
        if not self.is_empty:
            broken.append("stuck: the spool does not become empty")
        found = len(self.house.bounces())
        most = self.most_bounces * (2 if fault.startswith("+") else 1)  # a lasting fault meets each message again
        if not self.bounces <= found <= most:
            broken.append(f"{'lost' if found < most else 'never'}: {found} bounces, not {self.bounces}")
        return broken

    def spare(self, point, fault):
        return False


class SendMany(Send):
    """Three recipients, side by side."""
    name, users = "send-many", ("ann", "bob", "eve")


class SendFailing(Send):
    """One recipient is there, the other not: the sender is told, once more at most."""
    name, users, sender, bounces = "send-failing", ("ann", "nobody"), f"eve@{DOMAIN}", 1
    most_bounces = 2


class SendDouble(Send):
    """Nobody is there, and so isn't the sender: the postmaster hears of it. A kill may find the reports of both the message and its
    bounce on their way, not marked yet: both are repeated, and the repeated bounce is reported too."""
    name, users, sender, bounces = "send-double", ("nobody",), f"gone@{DOMAIN}", 1
    most_bounces = 4


class SendDeferred(Send):
    """A mailbox that cannot be delivered to yet: note, name in later/."""
    name = "send-deferred"

    def prepare(self):
        os.chmod(self.house.path("domains", DOMAIN, "ann"), 0o707)
        super().prepare()

    def recover(self):
        os.chmod(self.house.path("domains", DOMAIN, "ann"), 0o700)
        super().recover()


class SendRetry(SendDeferred):
    """The same when its time has come."""
    name = "send-retry"

    def prepare(self):
        super().prepare()
        if not wait_until(self.is_deferred, 30):
            raise RuntimeError(f"the message is not deferred: {self.house.spool_files()} {self.house.last_log()}")
        self.house.kill("ctl")
        os.chmod(self.house.path("domains", DOMAIN, "ann"), 0o700)
        slot = self.house.path("spool/later", f"{int(time.time()) // 60 * 60 - 3600:010}")
        os.rename(glob.glob(self.house.path("spool/later/*"))[0], slot)

    def is_deferred(self):
        """A send that was killed in a sync may still hold the lock: as its supervisor does, start the next one until it works."""
        self.house.start_missing("ctl")
        return glob.glob(self.house.path("spool/later/*/*"))

    def rests(self):
        return not self.house.spool_files()


RELAY = (Send, SendMany, SendFailing, SendDouble, SendDeferred, SendRetry)
