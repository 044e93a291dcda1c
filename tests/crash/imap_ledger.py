# SPDX-License-Identifier: ISC
"""What an IMAP client was told, and what has to be there therefore. Messages are known by their numbers (letters.py); flags are sets
of frozensets: one when a STORE was answered, more while nobody knows whether it happened."""

import re

import letters


class Box:
    """A mailbox. names: one of them it has; None: it may not be there."""

    def __init__(self, *names, validity=None):
        self.names, self.validity, self.next_uid = names, validity, 1
        self.sure = None  # names after an answer; a power cut may take that back
        self.who, self.must, self.gone = {}, set(), set()  # {UID: number}, UIDs that are there, UIDs that are gone for good


class Ledger:
    def __init__(self):
        self.boxes, self.validities = [], set()
        self.least, self.most = {}, {}  # {number: how many there are}
        self.expunged = set()           # numbers; a power cut may take it back
        self.flags, self.ever = {}, {}  # {number: {flags}} after a kill; after a power cut, which may lose the last renames
        self.subscribed = {}            # {name: {True, False}}
        self.arrived = set()            # numbers that came by themselves: a UIDNEXT may count them before their UIDs are told

    def box(self, name):
        """The mailbox that has surely this name."""
        return next(box for box in self.boxes if box.names == (name,))

    def has(self, name):
        """False: it was lost, which has been said."""
        return any(box.names == (name,) for box in self.boxes)

    # What a command makes unsure before it is answered, and sure afterwards.

    def add(self, number, flags=frozenset()):
        """One more of this message may come."""
        self.least.setdefault(number, 0)
        self.most[number] = self.most.get(number, 0) + 1
        self.flags.setdefault(number, {flags})
        self.ever.setdefault(number, {flags})

    def may_change(self, number, change):
        """The flags after it, for is_changed."""
        after = {change(flags) for flags in self.flags[number]}
        self.flags[number] = self.flags[number] | after
        self.ever[number] = self.ever[number] | after
        return after

    def take(self, box, uid, number):
        """A client was told: this UID is this message. A list of broken promises."""
        known = box.who.setdefault(uid, number)
        broken = [] if known == number else [f"reused: UID {uid} of {box.names} was message {known} and is {number}"]
        if uid in box.gone:
            broken.append(f"reused: UID {uid} of {box.names} was expunged and is message {number}")
        box.next_uid = max(box.next_uid, uid + 1)
        box.must.add(uid)
        return broken

    def leave(self, box, uids):
        """They are gone for good."""
        box.must -= uids
        box.gone |= uids

    # The look after a crash.

    def match(self, view, is_cut):
        """{name that is there: box}, and what is wrong with names and UIDVALIDITYs."""
        found, broken = {}, []
        for box in self.boxes:
            box.names = box.sure if box.sure and not is_cut else box.names
            box.sure = None
        for box in sorted(self.boxes, key=lambda box: box.validity is None):
            names = [name for name in box.names if name in view.boxes and name not in found]
            mine = [name for name in names if box.validity in (None, view.boxes[name].validity)]
            if len(mine) == 1:
                found[mine[0]] = box
            elif mine or None not in box.names:
                broken.append(f"lost: mailbox {box.names} with UIDVALIDITY {box.validity} is {[view.boxes[n].validity for n in names]}")
        broken += [f"astray: mailbox {name}" for name in view.boxes if name not in found]
        return found, broken

    def compare_box(self, box, there, is_cut):
        broken = [f"lost: UID {uid} of {box.names}, message {box.who[uid]}" for uid in sorted(box.must - set(there.messages))]
        if there.next_uid < box.next_uid:
            broken.append(f"fell: UIDNEXT of {box.names} was {box.next_uid} and is {there.next_uid}")
        if box.validity is None and there.validity in self.validities:
            broken.append(f"reused: UIDVALIDITY {there.validity} of {box.names}")
        told = box.next_uid
        for uid, (number, flags) in there.messages.items():
            if uid not in box.who and uid < told and number not in self.arrived:
                broken.append(f"changed: message {number} of {box.names} has UID {uid}, and UIDNEXT was {told}")
            if is_cut and box.who.get(uid) == number:
                box.gone.discard(uid)  # an unlink that a power cut took back
            broken += self.take(box, uid, number)
            broken += self.compare_flags(box, uid, number, flags, is_cut)
        box.validity, box.next_uid = there.validity, max(box.next_uid, there.next_uid)
        box.must = set(there.messages)
        return broken

    def compare_flags(self, box, _, number, flags, is_cut):
        allowed = (self.ever if is_cut else self.flags).get(number, ())
        wrong = f"flags: of message {number} in {box.names}: {sorted(flags)}, not one of {[sorted(f) for f in allowed]}"
        return [] if flags in allowed else [wrong]

    def hold(self, number, flags, *_):
        """They were seen."""
        self.flags[number] = self.ever[number] = {flags}

    def settle(self, view, is_cut=False):
        """Broken promises; what is seen now holds from now on."""
        found, broken = self.match(view, is_cut)
        counts = {}
        for name, box in found.items():
            broken += self.compare_box(box, view.boxes[name], is_cut)
            box.names = (name,)
            self.validities.add(box.validity)
            for uid, (number, flags) in view.boxes[name].messages.items():
                counts[number] = counts.get(number, 0) + 1
                self.hold(number, flags, box, uid)
        for number in sorted(self.least.keys() | counts.keys()):
            n = counts.get(number, 0)
            if number in self.expunged and not is_cut:
                self.most[number] = 0
            if not self.least.get(number, 0) <= n <= self.most.get(number, 0):
                broken.append(f"{'lost' if n < self.least.get(number, 0) else 'twice'}: message {number} is there {n} times, "
                              f"not {self.least.get(number, 0)} to {self.most.get(number, 0)}")
            self.least[number] = self.most[number] = n
        for name, states in self.subscribed.items():
            if (name in view.subscribed) not in states:
                broken.append(f"lost: the subscription of {name} is {name in view.subscribed}")
            self.subscribed[name] = {name in view.subscribed}
        self.boxes, self.expunged = list(found.values()), set()
        return broken


MANY = 1 << 32
FETCH_ALL = "FETCH 1:* (UID FLAGS RFC822.SIZE ENVELOPE BODY.PEEK[])"


class BoxView:
    """A mailbox as SELECT and FETCH show it."""

    def __init__(self, session, name, broken):
        lines = ask_well(session, broken, f'SELECT "{name}"')
        self.validity = number_in(rb"UIDVALIDITY (\d+)", lines)
        self.next_uid = number_in(rb"UIDNEXT (\d+)", lines)
        exists = number_in(rb"\* (\d+) EXISTS", lines)
        exists, lines = fetch_all(session, broken, exists) if exists else (0, [])
        self.messages = messages_in(lines, name, broken)
        if len(self.messages) != exists:
            broken.append(f"counted: {name} has {len(self.messages)} messages, not {exists}")
        if any(uid >= self.next_uid for uid in self.messages):
            broken.append(f"fell: UIDNEXT of {name} is {self.next_uid}, with UIDs {sorted(self.messages)}")


def look_around(session, name, broken):
    """{UID: (number, flags)} of the mailbox that the session has selected and that is not empty."""
    return messages_in(fetch_all(session, broken, MANY)[1], name, broken)


def messages_in(lines, name, broken):
    """{UID: (number, flags)} of what fetch_all() heard of a mailbox."""
    messages = {}
    for line in lines:
        if b" FETCH (" in line:
            uid, data = int(re.search(rb"UID (\d+)", line).group(1)), body_in(line)
            number = letters.number_of(data.replace(b"\r\n", b"\n")) or -1
            messages[uid] = (number, flags_in(line))
            size = int(re.search(rb"RFC822\.SIZE (\d+)", line).group(1))
            if number == -1 or size != len(data):
                broken.append(f"torn: UID {uid} of {name} has {len(data)} bytes, RFC822.SIZE {size}")
            if b'"fault %d"' % number not in line:
                broken.append(f"torn: UID {uid} of {name} has the envelope of another message")
    return messages


class View:
    """All mailboxes, by a fresh session, and what is wrong by itself."""

    def __init__(self, session):
        self.broken, self.boxes = [], {}
        self.subscribed = {name_in(line) for line in ask_well(session, self.broken, 'LSUB "" "*"')}
        for line in ask_well(session, self.broken, 'LIST "" "*"'):
            if b"\\Noselect" not in line and b"\\NonExistent" not in line:
                self.boxes[name_in(line)] = BoxView(session, name_in(line), self.broken)


def ask_well(session, broken, command):
    reply, lines = session.ask(command)
    if reply is None or not reply.startswith(b"OK"):
        broken.append(f"stuck: {command}: {reply!r} {session.heard[-1:]}")
    return lines


def fetch_all(session, broken, exists):
    """A message may have gone in the same tick in which the index was written: then a NOOP tells it, and that was the last one."""
    reply, lines = session.ask(FETCH_ALL)
    if reply is not None and reply.startswith(b"NO [EXPUNGEISSUED]"):
        gone = sum(b" EXPUNGE" in line for line in ask_well(session, broken, "NOOP"))
        if gone == 0:
            broken.append("stuck: what is said to be gone is not gone after a NOOP")
        exists -= gone
        return exists, ask_well(session, broken, FETCH_ALL) if exists else []
    if reply is None or not reply.startswith(b"OK"):
        broken.append(f"stuck: {FETCH_ALL}: {reply!r} {session.heard[-1:]}")
    return exists, lines


def number_in(pattern, lines):
    found = re.search(pattern, b"\n".join(lines))
    return int(found.group(1)) if found else 0


def name_in(line):
    return re.search(rb' "?([^" ]+)"?$', line).group(1).decode()


def flags_in(line):
    return frozenset(flag.decode() for flag in re.search(rb"FLAGS \(([^)]*)\)", line).group(1).split()) - {"\\Recent"}


def body_in(line):
    found = re.search(rb"BODY\[\] \{(\d+)\}\r\n", line)
    return line[found.end():found.end() + int(found.group(1))] if found else b""
