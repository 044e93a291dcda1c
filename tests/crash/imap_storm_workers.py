# SPDX-License-Identifier: ISC
"""Who works in a storm (imap_storm.py): sessions, a program that renames, deliverers. Each is a thread that does one step after the
other, and writes down what it was told."""

import os
import random
import re
import threading
import time

import letters
from imap_house import DERIVED, literal
from imap_scenes import numbers_of, sync_folder
from imap_storm_ledger import FOREIGN, REMOVAL, SLOTS
from scenes import Local

CROWD = 40  # messages in INBOX from which on more goes than comes
HEADER = "UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (X-NUMBER)])"


class ToAnn(Local):
    """One message that local has to deliver; nobody repeats it."""

    def recipients(self):
        return super().recipients()[:1]

    def users(self):
        return ("ann",)


class Worker(threading.Thread):
    """Does one step after the other until the storm is over, or it is killed."""

    def __init__(self, storm, seed):
        super().__init__(daemon=True)
        self.storm, self.house, self.ledger, self.chance = storm, storm.house, storm.ledger, random.Random(seed)

    def run(self):
        try:
            while not self.storm.is_over and self.step():
                pass
        except Exception as error:  # noqa: it has to be seen
            self.storm.ledger.broken.append(f"broken: {type(self).__name__}: {error!r}")

    def new_number(self):
        with self.ledger.lock:
            number = self.house.next_number()
            self.ledger.come(number)
            return number


class Client(Worker):
    """One session. It works on messages that it has been told of itself."""

    def __init__(self, storm, slot, session):
        super().__init__(storm, storm.chance.random())
        self.session, self.flags, self.known = session, SLOTS[slot], []
        self.is_killed = self.is_gone = False

    def ask(self, *words):
        """(text behind OK or None, untagged lines)."""
        reply, lines = self.session.ask(*words)
        self.is_gone = reply is None
        if self.is_gone and not self.is_killed:
            self.ledger.broken.append(f"died: a session that nobody had killed, in {words[0][:60]!r}: {self.session.heard[-1:]}")
        if reply is not None and not reply.startswith(b"OK"):
            self.ledger.count("NO")
            if reply.startswith(b"BAD"):
                self.ledger.broken.append(f"stuck: {words[0][:60]!r} hears {reply}")
        return reply if reply is not None and reply.startswith(b"OK") else None, lines

    def step(self):
        steps = [self.fetch, self.fetch, self.store, self.store, self.store, self.copy, self.append, self.pause]
        steps += [self.move, self.expunge] * (3 if len(self.ledger.inbox.must) > CROWD else 1)
        self.chance.choice(steps)()
        return not self.is_killed and not self.is_gone

    def some(self, most):
        with self.ledger.lock:
            return self.chance.sample(self.known, min(len(self.known), self.chance.randint(1, most)))

    def fetch(self):
        said, lines = self.ask(HEADER)
        found = [re.search(rb"UID (\d+).*X-Number: (\d+)", line, re.S) for line in lines if b" FETCH (" in line and b"X-Number" in line]
        pairs = [(int(one.group(1)), int(one.group(2))) for one in found if one]
        with self.ledger.lock:
            for uid, number in pairs:
                self.ledger.read(self.ledger.inbox, uid, number)
            if said:
                self.known = sorted(uid for uid, number in pairs if number in self.ledger.marks)

    def pause(self):
        """What a client does between its commands."""
        how = self.chance.randrange(4)
        if how == 0:
            self.ask("STATUS Other (MESSAGES UIDNEXT)")
        elif how == 1:
            self.ask("SELECT INBOX")
        elif how == 2:
            self.ask("NOOP")
        else:
            self.session.hear(self.idle)

    def idle(self):
        tag = self.session.idle()
        time.sleep(0.01)
        self.session.done(tag)

    def store(self):
        uids, flag, is_on = self.some(3), self.chance.choice(self.flags), self.chance.random() < 0.6
        if uids:
            self.store_on(uids, flag, is_on)

    def store_on(self, uids, flag, is_on):
        ledger = self.ledger
        with ledger.lock:
            numbers = [ledger.inbox.who[uid] for uid in uids]
            ledger.begin_store(numbers, flag, is_on)
        said, _ = self.ask(f"UID STORE {','.join(map(str, uids))} {'+' if is_on else '-'}FLAGS ({flag})")
        with ledger.lock:
            if said:
                ledger.end_store(numbers, flag, is_on)
        return said

    def append(self):
        name = "INBOX" if self.chance.random() < 0.8 else "Other"
        number, ledger = self.new_number(), self.ledger
        with ledger.lock:
            box = ledger.box(name)
            least_uid = box.next_uid
            copies = ledger.begin_copy([number]) if name == "Other" else {}
        said, _ = self.ask(f"APPEND {name} ".encode() + literal(number, self.chance.choice((200, 3000, 60000))))
        found = re.search(rb"APPENDUID \d+ (\d+)", said or b"")
        with ledger.lock:
            if not found:
                return
            if copies:
                ledger.end_copy(copies, {number: int(found.group(1))}, least_uid)
            else:
                ledger.told(box, int(found.group(1)), number, least_uid)
            ledger.is_there(number)
            ledger.note(f"APPEND {name} OK", [number])
            ledger.count("APPEND")

    def transfer(self, word, uids):
        """(numbers on their way, those that did not arrive); None: not answered with OK."""
        ledger = self.ledger
        with ledger.lock:
            copies, least_uid = ledger.begin_copy([ledger.inbox.who[uid] for uid in uids]), ledger.other.next_uid
            ledger.note(f"{word} by {self.name}", copies)
        said, lines = self.ask(f"UID {word} {','.join(map(str, uids))} Other")
        if said is None:
            return None
        found = re.search(rb"COPYUID \d+ (\S+) ([0-9:,]+)", b"\n".join([*lines, said]))
        with ledger.lock:
            pairs = zip(numbers_of(found.group(1)), numbers_of(found.group(2))) if found else ()
            rest = ledger.end_copy(copies, {ledger.inbox.who[source]: target for source, target in pairs}, least_uid)
            ledger.count(word, len(copies) - len(rest))
            ledger.note(f"{word} OK, but not {rest}" if rest else f"{word} OK", copies)
        return list(copies), rest

    def copy(self):
        ledger, uids = self.ledger, self.some(3)
        if not uids:
            return
        with ledger.lock:
            for uid in uids:
                ledger.most[ledger.inbox.who[uid]] += 1
        done = self.transfer("COPY", uids)
        with ledger.lock:
            for number in done[0] if done else ():
                is_made = number not in done[1]
                ledger.least[number] += is_made
                ledger.most[number] -= not is_made
                if not is_made and number not in ledger.claimed:
                    ledger.broken.append(f"lost: COPY passed over message {number}, which nobody took away")

    def move(self):
        ledger = self.ledger
        with ledger.lock:
            uids = ledger.claim(self.some(4), 2)
            ledger.inbox.must -= set(uids)
        done = self.transfer("MOVE", uids) if uids else None
        with ledger.lock:
            if done and done[1]:
                ledger.broken.append(f"lost: MOVE passed over the messages {done[1]}, which nobody else took away")
            if done:
                ledger.leave(ledger.inbox, set(uids))

    def expunge(self):
        ledger = self.ledger
        with ledger.lock:
            uids = ledger.claim(self.some(4), 2)
            numbers = [ledger.inbox.who[uid] for uid in uids]
        if not uids or not self.store_on(uids, REMOVAL, True):
            return
        with ledger.lock:
            ledger.inbox.must -= set(uids)
            for number in numbers:
                ledger.least[number] -= 1
            ledger.note("EXPUNGE", numbers)
        said, _ = self.ask(f"UID EXPUNGE {','.join(map(str, uids))}")
        with ledger.lock:
            if said:
                ledger.leave(ledger.inbox, set(uids))
                ledger.count("EXPUNGE", len(uids))
                ledger.removed += numbers
                for number in numbers:
                    ledger.most[number] -= 1


class Renamer(Worker):
    """A foreign program that flags messages by their names. What it did is done."""

    def step(self):
        cur, numbers = self.house.path(self.house.mail, "cur"), self.storm.numbers
        names = os.listdir(cur)
        name = self.chance.choice(names) if names else ""
        base, _, flags = name.partition(":2,")
        if not base or base not in numbers and not self.learn(cur, name, base):
            return True
        flag, is_on = set(flags), "D" not in flags
        flag = flag | {"D"} if is_on else flag - {"D"}
        with self.ledger.lock:
            mark = self.ledger.marks.get(numbers[base], {}).get(FOREIGN)
        if mark is not None:
            self.rename(mark, os.path.join(cur, name), os.path.join(cur, f"{base}:2,{''.join(sorted(flag))}"), is_on)
        time.sleep(0.002)
        return True

    def learn(self, cur, name, base):
        try:
            with open(os.path.join(cur, name), "rb") as f:
                self.storm.numbers[base] = letters.number_of(f.read())
        except FileNotFoundError:
            return False
        return True

    def rename(self, mark, name, to, is_on):
        with self.ledger.lock:
            before = mark.now
            mark.may_be({True, False})
        try:
            os.rename(name, to)
            before = {is_on}
            self.ledger.count("rename")
        except FileNotFoundError:
            pass  # it has another name by now
        with self.ledger.lock:
            mark.may_be(before)


class Deliverer(Worker):
    """Local, or a foreign program that leaves mail in new/."""
    local = None

    def step(self):
        (self.by_local if self.chance.random() < 0.6 else self.by_hand)()
        if self.chance.random() < self.storm.forgetting:
            self.forget()
        time.sleep(0.005)
        return True

    def by_local(self):
        with self.ledger.lock:
            self.local = ToAnn(self.house)
            self.local.prepare()
            self.ledger.come(self.local.number)
        if self.local.call(()) == "K" and self.local.is_done():
            self.ledger.count("delivery")
            self.ledger.note("delivered", [self.local.number])
            if self.storm.is_delivery_kept:
                self.ledger.is_there(self.local.number)

    def by_hand(self):
        number = self.new_number()
        name = f"{1790000000 + number}.M{number}P1.foreign"
        path = self.house.path(self.house.mail, "tmp", name)
        with open(path, "wb") as f:
            f.write(letters.make(number, 300))
            f.flush()
            os.fsync(f.fileno())
        os.rename(path, self.house.path(self.house.mail, "new", name))
        sync_folder(self.house.path(self.house.mail, "new"))
        self.ledger.is_there(number)
        self.ledger.note("left in new/", [number])
        self.ledger.count("left in new/")

    def forget(self):
        """What is derived may go at any time."""
        try:
            os.unlink(self.house.path(self.house.mail, self.chance.choice(DERIVED)))
            self.ledger.count("index file removed")
        except FileNotFoundError:
            pass
