# SPDX-License-Identifier: ISC
"""What clients were told while several sessions and foreign programs work on one mailbox at once. Each flag has one writer, so that what
it was last told is what holds; a message that somebody takes away is claimed, and what others store on it meanwhile is promised to
nobody. INBOX is worked on; Other only gets copies and what is moved."""

import re
import threading

from imap_ledger import Box, Ledger

FOREIGN, REMOVAL = "\\Draft", "\\Deleted"  # the renamer's, and that of whoever has claimed it
SLOTS = (("\\Answered", "k0"), ("\\Flagged", "k1"), ("k2", "k3"), ("k4",))  # the flags of each session
FLAGS = (FOREIGN, REMOVAL, *(flag for flags in SLOTS for flag in flags))


class Mark:
    """One flag of one message: what it may be now, and what it may have been since it was last seen."""

    def __init__(self, value):
        self.now, self.log = {value}, [{value}]

    def may_be(self, values):
        self.now = set(values)
        self.log.append(self.now)


class Copy:
    """A message on its way to Other: its flags are those of some moment of that way."""

    def __init__(self, marks):
        self.logs = {flag: mark.log for flag, mark in marks.items()}
        self.begins, self.ends = {flag: len(log) - 1 for flag, log in self.logs.items()}, {}

    def end(self):
        self.ends = {flag: len(log) for flag, log in self.logs.items()}

    def allows(self, flags):
        """A foreign rename is seen late, by contract: of that one a copy may have either."""
        for flag, log in self.logs.items():
            moments = log[self.begins[flag]:self.ends.get(flag)]
            if flag != FOREIGN and (flag in flags) not in set().union(*moments):
                return False
        return True


class StormLedger(Ledger):
    def __init__(self):
        super().__init__()
        self.lock = threading.RLock()
        self.broken, self.done = [], {}   # {what was acknowledged: times}
        self.marks = {}                   # {number: {flag: Mark}}, in INBOX
        self.copies, self.bound = {}, {}  # {number: [Copy]}, {UID in Other: Copy or exact flags}
        self.claimed = set()
        self.removed = []                 # numbers whose EXPUNGE was answered
        self.coming = set()               # numbers on their way into INBOX
        self.story = {}                   # {number: [what was done to it]}
        self.is_exact = False             # nothing that the index knew is left: what foreign programs did is seen
        self.boxes = [Box("INBOX"), Box("Other")]
        self.inbox, self.other = self.boxes

    # What commands make unsure and sure. All under the lock.

    def note(self, what, numbers):
        """For whoever has to find out what happened to a message."""
        for number in numbers:
            self.story.setdefault(number, []).append(what)

    def story_of(self, broken):
        """Of the messages that complaints are about."""
        numbers = sorted({int(found) for line in broken for found in re.findall(r"message (\d+)", line)})
        return [f"message {number}: {', '.join(self.story.get(number, []))}" for number in numbers[:5]]

    def count(self, what, n=1):
        self.done[what] = self.done.get(what, 0) + n

    def come(self, number):
        """A message that nobody has put there yet."""
        self.add(number)
        self.coming.add(number)
        self.arrived.add(number)  # another one, which came later, may be told first
        self.marks[number] = {flag: Mark(False) for flag in FLAGS}

    def is_there(self, number):
        self.least[number] += 1
        self.coming.discard(number)

    def told(self, box, uid, number, least_uid):
        """An answer says that this is the UID of a new one; least_uid: UIDNEXT when it was asked for."""
        if uid < least_uid:
            self.broken.append(f"reused: new UID {uid} of {box.names}, and UIDNEXT was {least_uid}")
        self.read(box, uid, number)

    def read(self, box, uid, number):
        """A client reads so. Others may have read it before, and it may be gone by now."""
        known = box.who.get(uid)
        if known is None:
            self.broken += self.take(box, uid, number)
        elif known != number:
            self.broken.append(f"changed: UID {uid} of {box.names} was message {known} and is {number}")

    def claim(self, uids, most):
        """Of these those that nobody takes away yet: now somebody does."""
        free = [uid for uid in uids if self.inbox.who[uid] not in self.claimed and uid in self.inbox.must][:most]
        self.claimed.update(self.inbox.who[uid] for uid in free)
        return free

    def begin_store(self, numbers, flag, is_on):
        for number in numbers:
            mark = self.marks[number][flag]
            mark.may_be(mark.now | {is_on})

    def end_store(self, numbers, flag, is_on):
        for number in numbers:
            if flag == REMOVAL or number not in self.claimed:
                self.marks[number][flag].may_be({is_on})
        self.count("STORE", len(numbers))

    def begin_copy(self, numbers):
        copies = {number: Copy(self.marks[number]) for number in numbers}
        for number, copy in copies.items():
            self.copies.setdefault(number, []).append(copy)
        return copies

    def end_copy(self, copies, told, least_uid):
        """told: {number: UID in Other}. The copies that were not made: their numbers."""
        for number, copy in copies.items():
            copy.end()
            self.copies[number].remove(copy)
            if not self.copies[number]:
                del self.copies[number]
            if number in told:
                self.told(self.other, told[number], number, least_uid)
                self.bound[told[number]] = copy
        return [number for number in copies if number not in told]

    # The look afterwards.

    def compare_flags(self, box, uid, number, flags, _):
        if box is self.other:
            return self.compare_copy(uid, number, flags)
        wrong = [flag for flag, mark in self.marks.get(number, {}).items()
                 if (flag in flags) not in mark.now and (self.is_exact or flag != FOREIGN)]
        known = {flag: sorted(self.marks[number][flag].now) for flag in wrong}
        return [f"flags: of message {number}, UID {uid} of INBOX: {sorted(flags)}, not {known}"] if wrong else []

    def compare_copy(self, uid, number, flags):
        known = self.bound.get(uid)
        fits = [known] if known is not None else self.copies.get(number, [])
        if not any(copy == flags if isinstance(copy, frozenset) else copy.allows(flags) for copy in fits):
            said = [sorted(copy) if isinstance(copy, frozenset) else "some of its way" for copy in fits]
            return [f"flags: of message {number}, UID {uid} of Other: {sorted(flags)}, not {said}"]
        return []

    def hold(self, number, flags, box, uid):
        if box is self.other:
            self.bound[uid] = flags
            return
        for flag, mark in self.marks.get(number, {}).items():
            value = {flag in flags} if self.is_exact else mark.now
            mark.now, mark.log = value, [value]

    def take_back(self):
        """A power cut may: names that were changed, names that went."""
        for number in self.removed:
            self.most[number] += 1
        for marks in self.marks.values():
            for mark in marks.values():
                mark.may_be(set().union(*mark.log))

    def settle(self, view, is_cut=False):
        """What a session did in its last moments may be seen late, as a foreign program's doings are: who does not know, does not know
        until nothing derived is left."""
        if is_cut:
            self.take_back()
        late = {number: self.most[number] for number in self.coming | self.copies.keys()}
        broken = self.broken + super().settle(view, is_cut)
        self.broken, self.claimed, self.removed = [], set(), []
        if self.is_exact:
            self.copies, self.coming = {}, set()
        else:
            self.most.update(late)
        return broken
