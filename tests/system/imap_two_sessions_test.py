#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Two to four IMAP sessions on one Maildir at once (STORE, EXPUNGE, MOVE both ways, COPY, APPEND, FETCH, IDLE, new bases), and foreign
programs that deliver, rename and delete meanwhile. Every letter of a name has one owner, so that after each round it is known what must
stand on the disk: a change that was dropped, a message that went though nobody removed it, a UID that changed or came twice are seen.
imap_two_sessions_test.py [SEED [ROUNDS]]"""
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.instance import Tap  # noqa: E402
from systemlib.session import Broken, Session, as_set, as_uids  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 20261130
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 8
FLAGS = [("\\Seen", "S"), ("\\Answered", "R"), ("\\Flagged", "F"), ("\\Draft", "D")]  # one a session
FOREIGN = "P"  # no flag of IMAP: only a foreign program changes it
OTHER = ".Other"


class World:
    """The truth as its owners know it; `lock` guards it, never the mailbox."""

    def __init__(self, home):
        self.home, self.lock, self.serial = home, threading.Lock(), 0
        self.boxes = {"INBOX": os.path.join(home, "box"), "Other": os.path.join(home, "box", OTHER)}
        self.ids = {"INBOX": {}, "Other": {}}  # UID -> the message's id, for ever
        self.flag = {}  # (id, letter) -> is it set
        self.unsure = set()  # (id, letter): it was copied, or the owner was not answered
        self.born, self.removed = set(), set()  # ids; removed: somebody tried, so it may be gone
        self.done = set()  # ids that were unlinked by us for good
        self.copied = set()
        for path in self.boxes.values():
            for part in ("cur", "new", "tmp"):
                os.makedirs(os.path.join(path, part))

    def new_id(self):
        with self.lock:
            self.serial += 1
            self.born.add(self.serial)
            return self.serial

    def text(self, number):
        return b"From: a@b.test\r\nSubject: number %d\r\nX-Id: %d\r\n\r\n%s\r\n" % (number, number, b"text of %d. " % number * (number % 90))

    def on_disk(self, box):
        """id -> the letters of each file that has it."""
        out = {}
        for part in ("cur", "new"):
            for name in os.listdir(os.path.join(self.boxes[box], part)):
                with open(os.path.join(self.boxes[box], part, name), "rb") as f:
                    stored = f.read()
                number = int(re.search(rb"^X-Id: (\d+)", stored, re.M).group(1))
                if stored.replace(b"\n", b"\r\n") != self.text(number):
                    raise Broken("the bytes of message %d changed" % number)
                out.setdefault(number, []).append(name.partition(":2,")[2])
        return out


class Foreign(threading.Thread):
    """mutt, a sieve script, an old deliverer: they know names, and no lock."""

    def __init__(self, world, seed):
        super().__init__()
        self.world, self.chance, self.trouble, self.stop = world, random.Random(seed), None, False

    def run(self):
        try:
            while not self.stop:
                box = self.chance.choice(["INBOX", "INBOX", "INBOX", "Other"])
                self.chance.choice([self.deliver, self.rename, self.rename, self.rename, self.rename, self.delete])(self.world.boxes[box])
                time.sleep(self.chance.choice([0, 0, 0.001, 0.01]))
        except (Broken, OSError) as e:
            self.trouble = "foreign: %r" % e

    def deliver(self, path):
        if len(os.listdir(os.path.join(path, "cur"))) > 400:
            return
        number = self.world.new_id()
        base = self.chance.choice(["%d.M%dP7.old" % (1700000000 + number, number), "msg%d" % number])
        with open(os.path.join(path, "tmp", base), "wb") as f:
            f.write(self.world.text(number).replace(b"\r\n", b"\n"))
        os.rename(os.path.join(path, "tmp", base), os.path.join(path, *self.chance.choice([("new", base), ("new", base), ("cur", base + ":2,")])))

    def pick(self, path):
        names = os.listdir(os.path.join(path, "cur"))
        return self.chance.choice(names) if names else None

    def read_id(self, path, name):
        with open(os.path.join(path, "cur", name), "rb") as f:
            return int(re.search(rb"^X-Id: (\d+)", f.read(), re.M).group(1))

    def rename(self, path):
        name = self.pick(path)
        if name is None:
            return
        base, _, letters = name.partition(":2,")
        new = set(letters) ^ {FOREIGN}
        # Many do not sort their letters.
        text = "".join(sorted(new)) if self.chance.random() < 0.8 else "".join(sorted(new, reverse=True))
        try:
            number = self.read_id(path, name)
            with self.world.lock:  # the change and the note of it are one
                os.rename(os.path.join(path, "cur", name), os.path.join(path, "cur", base + ":2," + text))
                self.world.flag[number, FOREIGN] = FOREIGN in new
                if number in self.world.copied:
                    self.world.unsure.add((number, FOREIGN))
        except FileNotFoundError:
            pass

    def delete(self, path):
        name = self.pick(path)
        if name is None or self.chance.random() < 0.5:
            return
        try:
            number = self.read_id(path, name)
            with self.world.lock:
                self.world.removed.add(number)
            os.unlink(os.path.join(path, "cur", name))
        except FileNotFoundError:
            pass


class Client(threading.Thread):
    """One session's share of a round."""

    def __init__(self, world, index, session, seed, steps):
        super().__init__()
        self.world, self.index, self.session, self.chance, self.steps = world, index, session, random.Random(seed), steps
        self.flag, self.letter = FLAGS[index]
        self.box, self.trouble = session.selected, None

    def run(self):
        try:
            for _ in range(self.steps):
                step = self.chance.choice([self.store] * 6 + [self.store_many, self.store_many, self.store_all, self.expunge, self.move, self.move, self.copy,
                                                              self.append, self.append, self.fetch, self.fetch, self.search, self.idle, self.noop])
                step()
                self.session.learn()
        except (Broken, OSError, ValueError) as e:
            self.trouble = "session %d: %s: %s" % (self.index, type(e).__name__, e)

    def id_of(self, uid):
        return self.world.ids[self.box].get(uid)

    def some(self, most):
        """UIDs of some messages whose ids are known."""
        uids = [u for u in self.session.uids() if self.id_of(u) is not None]
        return sorted(self.chance.sample(uids, min(len(uids), self.chance.randrange(1, most + 1)))) if uids else []

    def learn_ids(self):
        """Reads what it does not know yet."""
        wanted = [u for u in self.session.uids() if self.id_of(u) is None]
        if wanted:
            self.take(self.session.run("UID FETCH %s (BODY.PEEK[HEADER.FIELDS (X-Id)])" % as_set(wanted)))

    def take(self, reply):
        for number, items in reply.fetched():
            text = next((v for k, v in items.items() if k.startswith("BODY[HEADER")), None)
            if text is not None and "UID" in items:
                self.note(self.box, int(items["UID"]), int(text.split()[1]))

    def note(self, box, uid, number):
        with self.world.lock:
            if self.world.ids[box].setdefault(uid, number) != number:
                raise Broken("UID %d of %s was message %d and is message %d" % (uid, box, self.world.ids[box][uid], number))

    def store_uids(self, uids, is_set=None):
        is_set = self.chance.random() < 0.6 if is_set is None else is_set
        numbers = [self.id_of(u) for u in uids]
        silent = self.chance.choice(["", ".SILENT"])
        if self.chance.random() < 0.5:
            where = {m.uid: i + 1 for i, m in enumerate(self.session.mail)}
            command = "STORE %s" % as_set(where[u] for u in uids)
        else:
            command = "UID STORE %s" % as_set(uids)
        reply = self.session.run("%s %sFLAGS%s (%s)" % (command, "+" if is_set else "-", silent, self.flag))
        may_be_short = command[0] == "S" and not silent and reply.text.startswith(b"[EXPUNGEISSUED]")
        if reply.status != "OK" and not may_be_short:
            raise Broken("%s was refused: %s %r" % (command, reply.status, reply.text))
        told = {int(items["UID"]) for _, items in reply.fetched() if "UID" in items and "FLAGS" in items}
        self.note_flags(uids, numbers, told, is_set)
        if reply.status == "NO" and set(uids) <= set(self.session.uids()):
            raise Broken("%s: %r, and all of them are there" % (command, reply.text))
        for mail in self.session.mail:
            if mail.uid in uids and mail.uid in told and mail.flags is not None and (self.flag in mail.flags) != is_set:
                raise Broken("STORE of UID %d was answered with %s" % (mail.uid, mail.flags))

    def note_flags(self, uids, numbers, told, is_set):
        """What was told, or is there afterwards, was stored; what another session took meanwhile may have been."""
        if set(uids) - told:
            self.session.good("NOOP")
        there = told | set(self.session.uids())
        with self.world.lock:
            for uid, number in zip(uids, numbers):
                if uid in there and number not in self.world.copied:
                    self.world.unsure.discard((number, self.letter))
                else:
                    self.world.unsure.add((number, self.letter))
                self.world.flag[number, self.letter] = is_set

    def store(self):
        self.learn_ids()
        uids = self.some(3)
        if uids:
            self.store_uids(uids)

    def store_many(self):
        self.learn_ids()
        uids = self.some(200)
        if uids:
            self.store_uids(uids)

    def store_all(self):
        """Long entries of the journal, which make a new base."""
        self.learn_ids()
        for turn in range(36):
            uids = [u for u in self.session.uids() if self.id_of(u) is not None]
            if uids:
                self.store_uids(uids, turn % 2 == 0)
        self.idle()

    def expunge(self):
        self.learn_ids()
        uids = self.some(4)
        with self.world.lock:
            self.world.removed.update(self.id_of(u) for u in uids)
        if not uids:
            return
        self.session.good("UID STORE %s +FLAGS.SILENT (\\Deleted)" % as_set(uids))
        self.session.good(self.chance.choice(["EXPUNGE", "UID EXPUNGE %s" % as_set(uids)]))
        self.must_be_gone(uids)

    def must_be_gone(self, uids):
        left = [u for u in self.session.uids() if u in uids]
        if left:
            raise Broken("UIDs %s are there after they went" % left)

    def take_copyuid(self, reply, target):
        code = reply.code("COPYUID")
        if code is not None:
            sources, uids = (as_uids(part) for part in code.split()[1:])
            if len(sources) != len(uids):
                raise Broken("COPYUID %r" % code)
            for source, uid in zip(sources, uids):
                self.note(target, uid, self.id_of(source))

    def move(self):
        self.learn_ids()
        uids = self.some(20)
        target = "Other" if self.box == "INBOX" else "INBOX"
        if uids:
            self.take_copyuid(self.session.good("UID MOVE %s %s" % (as_set(uids), target)), target)
            self.must_be_gone(uids)

    def copy(self):
        self.learn_ids()
        uids = self.some(3)
        if uids and len(self.session.mail) < 400:
            with self.world.lock:
                for u in uids:
                    self.world.copied.add(self.id_of(u))
                    self.world.unsure.update((self.id_of(u), letter) for letter in "SRFDP")
            target = self.chance.choice(["INBOX", "Other"])
            self.take_copyuid(self.session.good("UID COPY %s %s" % (as_set(uids), target)), target)

    def append(self):
        if len(self.session.mail) > 400:
            return
        number = self.world.new_id()
        box = self.chance.choice(["INBOX", "Other"])
        code = self.session.good("APPEND %s (%s)" % (box, self.flag), self.world.text(number)).code("APPENDUID")
        with self.world.lock:
            self.world.flag.setdefault((number, self.letter), True)
        self.note(box, int(code.split()[1]), number)

    def fetch(self):
        if not self.session.mail:
            return
        first = self.chance.randrange(1, len(self.session.mail) + 1)
        last = min(len(self.session.mail), first + self.chance.choice([0, 5, 50]))
        reply = self.session.run("FETCH %d:%d (UID FLAGS RFC822.SIZE BODY.PEEK[] ENVELOPE)" % (first, last))
        for _, items in reply.fetched():
            if "BODY[]" not in items:
                continue
            body = items["BODY[]"]
            number = int(re.search(rb"^X-Id: (\d+)", body, re.M).group(1))
            if body != self.world.text(number) or int(items["RFC822.SIZE"]) != len(body) or items["ENVELOPE"][1] != b"number %d" % number:
                raise Broken("FETCH of UID %s: %r" % (items["UID"], items))
            self.note(self.box, int(items["UID"]), number)

    def search(self):
        reply = self.session.good("SEARCH ALL")
        if any(not 1 <= n <= len(self.session.mail) for n in reply.numbers("SEARCH")):
            raise Broken("SEARCH tells numbers that are none: %s" % reply.untagged)

    def idle(self):
        self.session.idle(self.chance.choice([0.01, 0.1]))

    def noop(self):
        self.session.good("NOOP")


def settle(session):
    """Everything is told to it: the folder has been touched, so that this is no matter of time."""
    for _ in range(3):
        session.good("NOOP")
        session.learn()


def check_view(world, box, session, disk):
    """A session's words against the disk."""
    reply = session.run("UID FETCH 1:* (FLAGS RFC822.SIZE BODY.PEEK[])") if session.mail else None
    seen, told = {}, 0
    for number, items in reply.fetched() if reply else ():
        text = items["BODY[]"]
        number = int(re.search(rb"^X-Id: (\d+)", text, re.M).group(1))
        if text != world.text(number) or int(items["RFC822.SIZE"]) != len(text):
            raise Broken("%s tells other bytes of message %d" % (session.name, number))
        if world.ids[box].setdefault(int(items["UID"]), number) != number:
            raise Broken("UID %s of %s was message %d and is message %d" % (items["UID"], box, world.ids[box][int(items["UID"])], number))
        flags = sorted(letter for flag, letter in FLAGS + [("\\Deleted", "T")] if flag.encode() in items["FLAGS"])
        seen.setdefault(number, []).append("".join(flags))
        told += 1
    if told != len(session.mail):
        raise Broken("%s tells %d of %d messages" % (session.name, told, len(session.mail)))
    wanted = {number: sorted("".join(sorted(set(letters) - {FOREIGN})) for letters in files) for number, files in disk.items()}
    seen = {number: sorted(flags) for number, flags in seen.items()}
    for number in sorted(set(wanted) | set(seen)):
        if wanted.get(number) != seen.get(number):
            raise Broken("message %d of %s: on the disk %s, told by %s %s" % (number, box, wanted.get(number), session.name, seen.get(number)))


def check_owners(world, disks):
    """What the owners of letters and messages did is what stands there."""
    there = {}
    for disk in disks.values():
        for number, files in disk.items():
            there.setdefault(number, []).extend(files)
    for number in sorted(world.born - set(there) - world.removed):
        raise Broken("message %d is gone though nobody removed it" % number)
    for number, files in sorted(there.items()):
        if len(files) > 1 and number not in world.copied:
            raise Broken("message %d is there twice: %s" % (number, files))
        for letter in "SRFDP":
            wanted = world.flag.get((number, letter), False)
            if (number, letter) not in world.unsure and any((letter in f) != wanted for f in files):
                raise Broken("message %d should%s have the letter %s: %s" % (number, "" if wanted else " not", letter, files))


def check_list(world, box):
    """dovecot-uidlist: ascending UIDs, and the message behind each of them is the one that it always was."""
    path = world.boxes[box]
    if not world.ids[box]:
        return
    bases = {name.partition(":")[0]: os.path.join(path, part, name) for part in ("cur", "new") for name in os.listdir(os.path.join(path, part))}
    last, seen = 0, {}
    with open(os.path.join(path, "dovecot-uidlist"), encoding="ascii") as f:
        lines = f.read().split("\n")
    if lines[-1] != "":
        raise Broken("the UID list ends in the midst of a line")
    for line in lines[1:-1]:
        uid, name = int(line.split()[0]), line.partition(" :")[2]
        if uid <= last:
            raise Broken("UID list: %d behind %d" % (uid, last))
        last, seen[name] = uid, uid
    for base, file in bases.items():
        with open(file, "rb") as f:
            number = int(re.search(rb"^X-Id: (\d+)", f.read(), re.M).group(1))
        if base not in seen:
            raise Broken("message %d has no line in the UID list" % number)
        if world.ids[box].get(seen[base], number) != number:
            raise Broken("UID list: %d is message %d, clients were told %d" % (seen[base], number, world.ids[box][seen[base]]))


def fill(world, box, count):
    """Mail that lies there before anybody looks."""
    for _ in range(count):
        number = world.new_id()
        with open(os.path.join(world.boxes[box], "cur", "%d.M%dP7.old:2," % (1600000000 + number, number)), "wb") as f:
            f.write(world.text(number).replace(b"\r\n", b"\n"))


def new_bases(world):
    """Generations of bases that go on from another one, which nobody asked for; one made from the Maildir is none."""
    for path in world.boxes.values():
        with open(os.path.join(path, "stafet.index"), "rb") as f:
            head = f.read(192)
        if any(head[184:192]):
            yield head[8:16]


def play(world, sessions, seed, steps):
    chance = random.Random(seed)
    clients = [Client(world, i, s, seed * 10 + i, steps) for i, s in enumerate(sessions)]
    foreign = [Foreign(world, seed * 10 + 7 + i) for i in range(chance.choice([0, 1, 1, 2]))]
    for thread in clients + foreign:
        thread.start()
    for thread in clients:
        thread.join()
    for thread in foreign:
        thread.stop = True
    for thread in foreign:
        thread.join()
    for thread in clients + foreign:
        if thread.trouble:
            raise Broken(thread.trouble)


def check(world, sessions):
    for path in world.boxes.values():
        os.utime(os.path.join(path, "cur"))
    for session in sessions:
        settle(session)
    disks = {box: world.on_disk(box) for box in world.boxes}
    check_owners(world, disks)
    for session in sessions:
        check_view(world, session.selected, session, disks[session.selected])
    for box in world.boxes:
        with Session(world.home, "box", "a new one") as fresh:
            fresh.select(box)
            check_view(world, box, fresh, disks[box])
        check_list(world, box)


def round_of(tap, home, number):
    """How often a new base was written that nobody asked for."""
    seed = SEED * 100 + number
    chance = random.Random(seed)
    os.makedirs(home)
    world = World(home)
    sessions, trouble, bases = [], None, set()
    fill(world, "INBOX", chance.choice([0, 3, 300, 300]))
    try:
        for i in range(chance.choice([2, 2, 3, 4])):
            session = Session(home, "box", "session %d" % i)
            sessions.append(session)
            if chance.random() < 0.5:
                session.good("ENABLE QRESYNC")
                session.qresync = True
            session.select(chance.choice(["INBOX", "INBOX", "Other"]))
        for part in range(3):
            play(world, sessions, seed * 10 + part, 25)
            check(world, sessions)
            bases.update(new_bases(world))
            if chance.random() < 0.3:
                os.unlink(os.path.join(world.boxes["INBOX"], "stafet.index"))
    except (Broken, OSError, AssertionError) as e:
        trouble = "%s: %s" % (type(e).__name__, e)
        for session in sessions if os.environ.get("SHOW") else ():
            trouble += "\n".join(["\n---- " + session.name] + [repr(line)[2:-1] for line in session.lines])
    finally:
        for session in sessions:
            code = session.close()
            trouble = trouble or (code != 0 and "%s ended with %d" % (session.name, code)) or None
    if trouble:
        with open(os.path.join(home, "errors"), encoding="utf-8", errors="replace") as f:
            trouble += "\n" + "".join(line for line in f if "alert" in line or "stafet-imapd:" in line)[-2000:]
    tap.ok(trouble is None, "sessions_and_foreign_programs_agree_at_the_end, round %d" % number, trouble or "")
    return len(bases)


def main():
    print("# seed %d" % SEED)
    tap, bases = Tap(), 0
    home = tempfile.mkdtemp(prefix="imap-two.", dir="/tmp")
    try:
        for number in range(ROUNDS):
            bases += round_of(tap, os.path.join(home, str(number)), number)
        tap.ok(bases > 0, "and_new_bases_were_written_meanwhile", "none in %d rounds" % ROUNDS)
    finally:
        if os.environ.get("KEEP"):
            print("# kept: " + home)
        else:
            shutil.rmtree(home)
    tap.done()


if __name__ == "__main__":
    main()
