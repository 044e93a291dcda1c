# SPDX-License-Identifier: ISC
"""Scenes of one IMAP session: commands under a wrapper, then a fresh session looks, another one works on, and a last one looks again
when all that is derived is deleted. A command that hears NO is repeated once by the same session: what it could not undo shows."""

import copy
import os
import re

from imap_house import KEYWORDS, Session, literal
from imap_ledger import Box, Ledger, View, body_in, number_in
import letters
from scenes import is_failed_sync

READ_ONE = ("read", 0)  # the client's words: each command begins with one
templates = {}          # {name: ledger}


class Scene:
    """setup: commands that are not broken; work: those that are."""
    template, setup, is_warm, processes = "few", ("SELECT INBOX",), True, (0,)
    lies = {("newfstatat", "ENOENT")}  # a file that is said to be gone is gone

    def __init__(self, house):
        self.house = house
        self.begins = (*READ_ONE, len(self.setup) + 1)

    def prepare(self):
        house = self.house
        house.restore(self.template)
        key = (house.folder, self.template)
        if key not in templates:
            templates[key] = self.first_look()
            house.restore(self.template)
        self.ledger = copy.deepcopy(templates[key])
        if self.is_warm:
            session = Session(house)
            house.must(session, "SELECT INBOX")
            session.end()

    def first_look(self):
        ledger = Ledger()
        for name, lines in self.look(View).boxes.items():
            box = Box(name)
            ledger.boxes.append(box)
            for number, flags in lines.messages.values():
                ledger.add(number, flags)
        ledger.subscribed = {"INBOX": {False}, "Work": {True}, "Other": {False}}
        self.ledger = ledger
        broken = ledger.settle(self.look(View))
        if broken:
            raise RuntimeError(broken)
        return ledger

    def look(self, how):
        session = Session(self.house)
        view = how(session)
        status = session.end()
        if status != 0:
            view.broken.append(f"died: a session ended with {status}")
        return view

    def run(self, wrapper):
        self.broken, self.is_refused = [], False
        self.house.is_breaking = True
        self.session = Session(self.house, wrapper)
        self.house.is_breaking = False
        for command in self.setup:
            self.hear(self.session.ask(command)[1])
        self.is_done = self.work()
        self.status = self.session.end()
        return "K" if self.is_done and not self.is_refused else ""

    def hear(self, lines):
        """What SELECT and FETCH told of INBOX holds."""
        boxes = [box for box in self.ledger.boxes if "INBOX" in box.names]
        if boxes:
            boxes[0].next_uid = max(boxes[0].next_uid, number_in(rb"UIDNEXT (\d+)", lines))

    def ask(self, command, may_repeat=True):
        """The text behind OK, with untagged lines in front; None: not done."""
        reply, lines = self.session.ask(command)
        if reply is not None and not reply.startswith(b"OK"):
            self.is_refused = True
            reply, more = self.session.ask(command) if may_repeat else (reply, [])
            lines = lines + more
        self.hear(lines)
        return b"\n".join([*lines, reply]) if reply is not None and reply.startswith(b"OK") else None

    def after_cut(self):
        pass

    def recover(self):
        """A fresh session looks."""
        self.view = self.look(View)

    def check(self, point, fault):
        ledger, is_cut = self.ledger, fault == "cut"
        broken = self.broken + self.view.broken + ledger.settle(self.view, is_cut)
        if self.session.is_stuck:
            broken.append("stuck: the session did not answer")
        if self.status is not None and self.status >= 128 and fault not in ("kill", "cut"):
            broken.append(f"died: the session ended with {self.status}")
        if is_failed_sync(point, fault) and not self.is_refused and self.is_done:
            broken.append("trusted: a sync had failed")
        broken += self.work_on() if ledger.has("INBOX") else []
        self.house.forget_derived()
        last = self.look(View)
        return broken + [f"{line} (all derived files deleted)" for line in last.broken + ledger.settle(last)] + self.house.complaints()

    def work_on(self):
        """What a crash left does not keep the next session from anything; its UIDs are new ones."""
        self.broken, self.is_refused = [], False
        self.session = Session(self.house)
        self.ask("SELECT INBOX")
        number = self.house.next_number()
        done = self.append("INBOX", number) and self.store(self.ledger.box("INBOX").next_uid - 1, "later") and self.subscribe("INBOX", True)
        if not done or self.is_refused:
            self.broken.append(f"stuck: a later writer hears {self.session.heard[-1:]}")
        self.session.end()
        return self.broken

    def spare(self, point, fault):
        return False

    # Commands, and what they promise.

    def store(self, uid, flag, sign="+"):
        number = self.ledger.box("INBOX").who[uid]
        after = self.ledger.may_change(number, lambda flags: flags | {flag} if sign == "+" else flags - {flag})
        if not self.ask(f"UID STORE {uid} {sign}FLAGS ({flag})"):
            return False
        self.ledger.flags[number] = after
        return True

    def append(self, name, number, size=300):
        ledger, box = self.ledger, self.ledger.box(name)
        ledger.add(number)
        said = self.ask(f"APPEND {name} ".encode() + literal(number, size))
        if not said:
            return False
        found = re.search(rb"APPENDUID (\d+) (\d+)", said)
        self.told_new(box, int(found.group(1)), [int(found.group(2))], [number])
        ledger.least[number] = 1
        return True

    def told_new(self, box, validity, uids, numbers):
        """UIDs of new messages."""
        if box.validity not in (None, validity):
            self.broken.append(f"changed: UIDVALIDITY of {box.names} was {box.validity} and is {validity}")
        box.validity = validity
        for uid, number in zip(uids, numbers):
            if uid < box.next_uid:
                self.broken.append(f"reused: new UID {uid} of {box.names}, and UIDNEXT was {box.next_uid}")
            self.broken += self.ledger.take(box, uid, number)

    def transfer(self, word, uids, name):
        ledger, source, target = self.ledger, self.ledger.box("INBOX"), self.ledger.box(name)
        numbers = [source.who[uid] for uid in uids]
        for number in numbers:
            ledger.most[number] += 1 if word == "COPY" else 0
        source.must -= set(uids) if word == "MOVE" else set()
        said = self.ask(f"UID {word} {','.join(map(str, uids))} {name}")
        if word == "MOVE" and self.is_refused:
            ledger.arrived |= set(numbers)  # it ended halfway, and its NO tells no UIDs
        found = re.search(rb"COPYUID (\d+) (\S+) ([0-9:,]+)", said or b"")
        if not said or not found:
            return bool(said)
        self.told_new(target, int(found.group(1)), numbers_of(found.group(3)), [source.who[uid] for uid in numbers_of(found.group(2))])
        for number in numbers:
            ledger.least[number] += 1 if word == "COPY" else 0
        if word == "MOVE":
            ledger.leave(source, set(uids))
        return True

    def expunge(self, uid):
        ledger, box = self.ledger, self.ledger.box("INBOX")
        number = box.who[uid]
        ledger.least[number] = 0
        box.must.discard(uid)
        if not self.ask(f"UID EXPUNGE {uid}"):
            return False
        ledger.leave(box, {uid})
        ledger.expunged.add(number)
        return True

    def subscribe(self, name, is_on):
        self.ledger.subscribed[name] = {True, False}
        if not self.ask(f"{'SUBSCRIBE' if is_on else 'UNSUBSCRIBE'} {name}"):
            return False
        self.ledger.subscribed[name] = {is_on}
        return True


def sync_folder(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def numbers_of(text):
    found = []
    for part in text.decode().split(","):
        first, _, last = part.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found


class StoreFlag(Scene):
    name = "imap-store"

    def work(self):
        return self.store(1, "\\Answered") and self.store(2, "\\Seen", "-") and self.store(1, "\\Draft")


class StoreKeyword(Scene):
    """A keyword that nobody had yet, and once more."""
    name = "imap-keyword"

    def work(self):
        return self.store(2, "fresh") and self.store(3, "fresh") and self.store(2, "fresh", "-")


class StoreOurs(StoreKeyword):
    """The same past the letters, where names of files tell nothing."""
    name, template = "imap-keyword-ours", "many"

    def work(self):
        return super().work() and self.store(1, f"k{KEYWORDS - 1}", "-") and self.store(3, f"k{KEYWORDS - 2}")


class Append(Scene):
    name = "imap-append"

    def work(self):
        return self.append("INBOX", self.house.next_number()) and self.append("Other", self.house.next_number(), 100000)


class AppendMany(Scene):
    """In a row, and one of them goes before the last one comes."""
    name = "imap-append-many"

    def work(self):
        first = self.house.next_number()
        if not self.append("INBOX", first) or not self.append("INBOX", self.house.next_number()):
            return False
        uid = next(uid for uid, number in self.ledger.box("INBOX").who.items() if number == first)
        return self.store(uid, "\\Deleted") and self.expunge(uid) and self.append("INBOX", self.house.next_number())


class Copy(Scene):
    name = "imap-copy"

    def work(self):
        return self.transfer("COPY", [1, 2, 3], "Other")


class CopyKeywords(Copy):
    """Keywords get numbers of their target, letters and others."""
    name, template = "imap-copy-keywords", "many"


class Move(Scene):
    name = "imap-move"

    def work(self):
        return self.transfer("MOVE", [1, 3], "Other")


class InATick(Scene):
    """While a folder changes all the time: the clock of its mtimes has not ticked since its index was right."""
    TICK = 10000000  # ns, less than what imapd takes for one
    folder = "cur"
    meanwhile = staticmethod(lambda: None)

    def prepare(self):
        super().prepare()
        self.before = None

    def target(self):
        return self.house.path(self.house.mail, self.folder)

    def appended(self, name):
        """The change before: what follows comes within its tick."""
        is_done = self.append(name, self.house.next_number())
        self.before = os.stat(self.target()).st_mtime_ns if is_done else None
        return is_done

    def after_cut(self):
        self.before = None

    def recover(self):
        if self.before is not None and os.stat(self.target()).st_mtime_ns < self.before + self.TICK:
            os.utime(self.target(), ns=(self.before, self.before))
            self.meanwhile()
        super().recover()


class MoveInATick(InATick):
    name, folder = "imap-move-tick", ".Other/cur"

    def meanwhile(self):
        """A MOVE of another session does not vouch for what this one left."""
        broken_session, was_refused = self.session, self.is_refused
        if not self.is_done:
            self.ledger.arrived |= {self.ledger.box("INBOX").who[uid] for uid in (1, 3)}  # their UIDs are told behind those of this one
        self.session = Session(self.house)
        if not self.ask("SELECT INBOX") or not self.transfer("MOVE", [2], "Other"):
            self.broken.append(f"stuck: another session hears {self.session.heard[-1:]}")
        self.session.end()
        self.session, self.is_refused = broken_session, was_refused

    def work(self):
        return self.appended("Other") and self.transfer("MOVE", [1, 3], "Other")


class Expunge(Scene):
    name = "imap-expunge"

    def work(self):
        return self.expunge(4) and self.append("INBOX", self.house.next_number())


class FirstOpen(Scene):
    """Mail of foreign programs and no index."""
    name, setup, is_warm = "imap-first-open", (), False

    def prepare(self):
        super().prepare()
        self.house.forget_derived()
        self.bring(("new/1790000000.M1P1.h", "cur/1790000001.M2P2.h:2,S"))

    def bring(self, names):
        """Durable, as from a deliverer."""
        for name in names:
            number = self.house.next_number()
            flags = frozenset({"\\Seen"}) if name.endswith("S") else frozenset()
            self.ledger.add(number, flags)
            self.ledger.least[number] = 1
            self.ledger.arrived.add(number)
            with open(self.house.path("Maildir", name), "wb") as f:
                f.write(letters.make(number, 300))
                f.flush()
                os.fsync(f.fileno())
            sync_folder(self.house.path("Maildir", os.path.dirname(name)))

    def work(self):
        return self.ask("SELECT INBOX") and self.fetch() and self.fetch()

    def fetch(self):
        """Every UID that is told, even by an answer that was cut, is told for good."""
        said = self.ask("UID FETCH 1:* (FLAGS BODY.PEEK[])")
        for line in self.session.heard:
            if b" FETCH (" in line:
                number = letters.number_of(body_in(line).replace(b"\r\n", b"\n"))
                self.broken += self.ledger.take(self.ledger.box("INBOX"), int(re.search(rb"UID (\d+)", line).group(1)), number)
        return said


class FirstList(FirstOpen):
    """Nor a UID list: UIDVALIDITY and all UIDs are new ones."""
    name = "imap-first-list"

    def prepare(self):
        super().prepare()
        os.unlink(self.house.path("Maildir", "dovecot-uidlist"))
        box = self.ledger.box("INBOX")
        self.ledger.arrived |= set(box.who.values())
        self.ledger.boxes[self.ledger.boxes.index(box)] = Box("INBOX")

    def hear(self, lines):
        super().hear(lines)
        told = number_in(rb"UIDVALIDITY (\d+)", lines)
        for box in [box for box in self.ledger.boxes if told and "INBOX" in box.names]:
            if box.validity not in (None, told):
                self.broken.append(f"changed: UIDVALIDITY was {box.validity} and is {told}")
            box.validity = told


class NewMail(FirstOpen):
    """The same while a session is there."""
    name, setup, is_warm = "imap-new-mail", ("SELECT INBOX",), True

    def prepare(self):
        Scene.prepare(self)

    def work(self):
        self.bring(("new/1790000000.M1P1.h", "new/1790000002.M3P3.h:2,S", "cur/1790000001.M2P2.h:2,S"))
        return self.ask("NOOP") and self.fetch()


class NewMailInATick(InATick, NewMail):
    name = "imap-new-mail-tick"

    def work(self):
        if not self.appended("INBOX"):
            return False
        self.bring(("new/1790000000.M1P1.h",))
        return self.ask("NOOP") and self.fetch()


class NewBase(Scene):
    """The journal has grown: the end of the session folds it."""
    name, template, is_warm = "imap-new-base", "grown", False

    def work(self):
        return self.store(2, "fresh") and self.ask("LOGOUT", False)


class Create(Scene):
    name, setup = "imap-create", ()

    def work(self):
        return self.create("New", "") and self.create("New/Sub", "") and self.create("Post", " (USE (\\Sent))") and self.append(
            "New", self.house.next_number())

    def create(self, name, how):
        box = Box(name, None)
        self.ledger.boxes.append(box)
        if not self.ask(f"CREATE {name}{how}"):
            return False
        box.names = (name,)
        return True

    def work_on(self):
        """The lock of special uses."""
        broken = super().work_on()
        session = Session(self.house)
        reply, _ = session.ask("CREATE Later (USE (\\Trash))")
        self.ledger.boxes.append(Box("Later"))
        session.end()
        return broken + ([] if reply and reply.startswith(b"OK") else [f"stuck: CREATE of a later session: {reply}"])


class Rename(Scene):
    """With what is below it."""
    name, setup = "imap-rename", ()

    def work(self):
        boxes = [self.ledger.box("Work"), self.ledger.box("Work/Deep")]
        for box in boxes:
            box.names = (box.names[0], box.names[0].replace("Work", "Moved"))
        if not self.ask("RENAME Work Moved"):
            return False
        for box in boxes:
            box.sure = box.names[1:]
        return True


class RenameInbox(Scene):
    """Its mail moves, it stays."""
    name, setup = "imap-rename-inbox", ()

    def work(self):
        box, target = self.ledger.box("INBOX"), Box("Old", None)
        self.ledger.boxes.append(target)
        uids = set(box.must)
        box.must = set()
        if not self.ask("RENAME INBOX Old", False):
            return False
        target.names = ("Old",)
        self.ledger.leave(box, uids)
        return True


class Delete(Scene):
    """And another one of that name, which is another one."""
    name, setup = "imap-delete", ()

    def work(self):
        old = self.ledger.box("Other")
        old.names = ("Other", None)
        for number in old.who.values():
            self.ledger.least[number] = 0
        if not self.ask("DELETE Other", False):
            return False
        old.sure = (None,)
        self.ledger.expunged |= set(old.who.values())
        new = Box("Other", None)
        self.ledger.boxes.append(new)
        if not self.ask("CREATE Other"):
            return False
        old.names = (None,)
        new.names = ("Other",)
        return self.append("Other", self.house.next_number())


class Subscribe(Scene):
    name, setup = "imap-subscribe", ()

    def work(self):
        return self.subscribe("Other", True) and self.subscribe("Work", False)


class MoveKeywords(Move):
    name, template = "imap-move-keywords", "many"


MAIL = (StoreFlag, StoreKeyword, StoreOurs, Append, AppendMany, Copy, CopyKeywords, Move, MoveKeywords, MoveInATick)
FOLDERS = (Expunge, FirstOpen, FirstList, NewMail, NewMailInATick, NewBase, Create, Rename, RenameInbox, Delete, Subscribe)
