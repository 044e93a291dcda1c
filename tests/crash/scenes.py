# SPDX-License-Identifier: ISC
"""Scenes of one program alone: what it does with one message under a wrapper, what a healthy house then does about it, and what must
hold. run() returns the final letter; recover() repeats what a caller would; check() lists broken promises."""

import glob
import os
import re

import letters
from house import USERS, end_group, read, wait_end
from letters import DOMAIN


def is_failed_sync(point, fault):
    return point[1] in ("fsync", "fdatasync") and "E" in fault


class Queue:
    """stafet-queue alone, one message on its descriptor 0."""
    name, begins, processes, lies = "queue", ("recvmsg", 0), (0,), ()

    def __init__(self, house, size=300, users=("ann", "bob")):
        self.house, self.size, self.users = house, size, users

    def prepare(self):
        pass

    def run(self, wrapper):
        house, number = self.house, self.house.next_number()
        ours, theirs = letters.socket_pair()
        process = house.popen(wrapper, ("stafet-queue",), theirs)
        theirs.close()
        letters.send_all(ours, letters.queue_call([f"{user}@{DOMAIN}" for user in self.users], letters.make(number, self.size)))
        self.letter = letters.verdicts(ours)[0]
        ours.close()
        house.remember(number, self.users, self.letter)
        self.status = finish(process)
        return self.letter

    def after_cut(self):
        pass

    def recover(self):
        pass

    def check(self, point, fault):
        """With a power cut ("cut") a file of form one may be short: it was never acknowledged."""
        broken = self.house.check_spool(may_be_torn=fault == "cut")
        if self.letter == "D":
            broken.append("never: a fault of the system was answered as if the message were at fault")
        if is_failed_sync(point, fault) and self.letter == "K":
            broken.append("trusted: the sync had failed")
        is_alive = fault not in ("kill", "cut")
        rest = glob.glob(self.house.path("spool/tmp/*"))
        if is_alive and rest and not fault.startswith("unlink"):
            broken.append(f"left: {rest} after {fault}")
        return broken

    def spare(self, point, fault):
        """Rests that the fault itself explains: it forbids the clean-up."""
        return point[1] in ("unlinkat", "unlink") and fault != "kill"


class QueueLarge(Queue):
    name = "queue-large"

    def __init__(self, house):
        super().__init__(house, 200000)


class QueueMany(Queue):
    """An envelope that does not fit the memory: it goes through a nameless file."""
    name = "queue-many"

    def __init__(self, house):
        super().__init__(house, 300, ("ann",) * 4000)


def finish(process, seconds=20):
    """Its exit status; None when it had to be killed."""
    status = wait_end(process, seconds)
    end_group(process)
    return status


class Local:
    """stafet-local alone; the call comes with a message file of which send would hold the other end."""
    name, begins, processes, size, lies = "local", ("recvmsg", 0), (0,), 300, ()
    process = None

    def __init__(self, house):
        self.house = house

    def recipients(self):
        return [(n, {"orig": f"{user}@{DOMAIN}", "kind": "mailbox", "home": f"domains/{DOMAIN}/{user}"}) for n, user in enumerate(USERS[:2])]

    def users(self):
        return USERS[:2]

    def prepare(self):
        """A message in the spool, durable, as send would find it."""
        house, self.letter, self.done = self.house, "", {}
        self.number, self.id = house.next_number(), letters.make_id()
        message = letters.make(self.number, self.size)
        self.length, self.path = len(message), house.path("spool/cur", self.id)
        with open(self.path, "wb") as f:
            f.write(b"\0" * letters.HEADER + message)
        house.remember(self.number, self.users(), "K")

    def call(self, wrapper):
        """One call for those who wait. (letter, {n: letter}, process)"""
        waiting = [(n, pairs) for n, pairs in self.recipients() if self.done.get(n) != "K"]
        ours, theirs = letters.socket_pair()
        process = self.process = self.house.popen(wrapper, ("stafet-local",), theirs)
        theirs.close()
        call = letters.deliver_call(self.id, self.length, waiting, is_last=1)
        with open(self.path, "rb") as f:
            try:
                letters.socket.send_fds(ours, [call], [f.fileno()])
            except OSError:
                pass
        letter, numbered, text = letters.verdicts(ours)
        ours.close()
        self.status = finish(process)
        self.done.update(numbered)
        self.text = text
        return letter

    def run(self, wrapper):
        self.letter = self.call(wrapper)
        self.first = dict(self.done)
        if self.is_done():
            os.unlink(self.path)
        return self.letter

    def is_done(self):
        return all(self.done.get(n) == "K" for n, _ in self.recipients())

    def after_cut(self):
        """A message file that is still there: send never marks the last recipients, and the marks before were not synced yet."""
        if os.path.exists(self.path):
            self.done = {}

    def recover(self):
        """What send does when it comes again: the recipients without a K."""
        if os.path.exists(self.path) and not self.is_done():
            self.call(())
            if self.is_done():
                os.unlink(self.path)

    def check(self, point, fault):
        broken = [f"never: recipient {n} was refused for a fault of the system" for n, letter in self.first.items() if letter == "D"]
        if self.letter == "D":
            broken.append(f"never: the call was refused for a fault of the system: {self.text}")
        if is_failed_sync(point, fault) and self.letter == "K" and "Z" not in self.first.values():
            broken.append("trusted: a sync had failed")
        if not self.is_done():
            broken.append(f"stuck: without a fault the answers are {self.done}")
        return broken + self.check_places(fault)

    def check_places(self, fault):
        broken = self.house.check()
        rest = [path for user in USERS for path in glob.glob(self.house.maildir(user) + "/tmp/*")]
        if rest and fault not in ("kill", "cut"):
            broken.append(f"left: {rest}")
        return broken

    def spare(self, point, fault):
        return point[1] in ("unlinkat", "unlink") and fault != "kill"


class LocalLarge(Local):
    name, size = "local-large", 200000


class LocalQuota(Local):
    """A mailbox with a quota: maildirsize is counted, made and appended to."""
    name = "local-quota"

    def recipients(self):
        return [(n, {**pairs, "quota": "3000S,1000C", "ext": USERS[n]}) for n, pairs in super().recipients()]

    def prepare(self):
        super().prepare()
        for user in USERS:
            path = os.path.join(self.house.maildir(user), "maildirsize")
            if os.path.exists(path):
                os.unlink(path)


class LocalForward(Local):
    """A list of two forwards: one call of queue. A fault may repeat it once."""
    name = "local-forward"

    def recipients(self):
        return [(0, {"orig": f"list@{DOMAIN}", "kind": "alias", "home": f"domains/{DOMAIN}", "dash": "-", "ext": "list"})]

    def users(self):
        return ()

    def prepare(self):
        super().prepare()
        write(self.house.path("domains", DOMAIN, ".qmail-list"), f"&ann@{DOMAIN}\n&bob@{DOMAIN}\n")
        self.house.start_missing("queue")

    def after_cut(self):
        super().after_cut()
        self.house.start_missing("queue")

    def check_places(self, fault):
        files = [letters.SpoolFile(path) for path in self.house.spool_files() if path != self.path]
        whole = [file for file in files if file.number == self.number and len(file.recipients) == 2]
        broken = [f"torn: {file.path}" for file in files if file not in whole and not (fault == "cut" and not file.is_whole)]
        if not 1 <= len(whole) <= 2:
            broken.append(f"{'lost' if not whole else 'twice'}: {len(whole)} forwarded copies")
        return broken + self.house.complaints()


class LocalMbox(Local):
    """qmail's mbox: a file that only ever grows by whole messages, in one place. What a kill cut short is followed by a whole one."""
    name = "local-mbox"

    def recipients(self):
        return [(0, {"orig": f"box@{DOMAIN}", "kind": "alias", "home": f"domains/{DOMAIN}", "dash": "-", "ext": "box"})]

    def users(self):
        return ()

    def prepare(self):
        super().prepare()
        write(self.house.path("domains", DOMAIN, ".qmail-box"), "./box.mbox\n")
        write(self.house.path("domains", DOMAIN, "box.mbox"), "")

    def check_places(self, fault):
        text = read(self.house.path("domains", DOMAIN, "box.mbox"))
        parts = [part for part in re.split(rb"(?m)^From sender@fault.test [^\n]*\n", text) if part]
        whole = [part for part in parts if letters.number_of(part[:-1]) == self.number]
        broken = [] if whole else ["lost: the mbox does not hold the message"]
        if len(whole) > 2:
            broken.append(f"twice: {len(whole)} copies")
        if fault not in ("kill", "cut") and len(parts) > len(whole):
            broken.append("torn: the mbox holds part of a message after a fault that local saw")
        return broken + self.house.complaints()


class LocalProgram(Local):
    """A program line, run by the worker's runner (process 1 of the tree); the program itself is process 2."""
    name, processes = "local-program", (0, 1)

    def recipients(self):
        return [(0, {"orig": f"prog@{DOMAIN}", "kind": "alias", "home": f"domains/{DOMAIN}", "dash": "-", "ext": "prog"})]

    def users(self):
        return ()

    def prepare(self):
        super().prepare()
        write(self.house.path("domains", DOMAIN, ".qmail-prog"), "|/bin/cat >>program.out\n")
        write(self.house.path("domains", DOMAIN, "program.out"), "")

    def check_places(self, fault):
        times = read(self.house.path("domains", DOMAIN, "program.out")).count(b"X-Number: %d\n" % self.number)
        broken = [] if 1 <= times <= 2 else [f"{'twice' if times else 'lost'}: the program had the message {times} times"]
        return broken + self.house.complaints()


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


ALONE = (Queue, QueueLarge, QueueMany, Local, LocalLarge, LocalQuota, LocalForward, LocalMbox, LocalProgram)
