# SPDX-License-Identifier: ISC
"""Damaged files of an index: bits, ranges and ends of stafet.index, stafet.cache and stafet.fresh. A session may say BYE because of one,
as its page says; it never dies without a word, and never tells a wrong flag, UID or byte; soon all is as it was."""

import os
import random
import re
import shutil
import struct
import time

import letters
from imap_house import ImapHouse, Session
from imap_ledger import number_in

MESSAGES = 420  # more than one block of records
LOGINS = 3
ITEMS = "(UID FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (SUBJECT X-NUMBER)])"


class Damaged:
    """A template with a base of several blocks, a journal, a cache, and (in fresh/) mail that a deliverer has parsed."""

    def __init__(self, folder):
        self.house = ImapHouse(folder)
        self.house.begin()
        self.make_plain()
        self.truth = {"plain": self.take_truth("plain")}
        self.make_fresh()
        self.truth["fresh"] = self.take_truth("fresh")

    def path(self, name):
        return self.house.path("Maildir", name)

    def make_plain(self):
        house = self.house
        house.make_maildir()
        for i in range(1, MESSAGES + 1):
            self.write("cur/%d.M%dP1.h%s:2,%s", i, "S" if i % 3 else "FS")
        session = Session(house)
        house.must(session, "SELECT INBOX")
        house.must(session, f"FETCH 1:* {ITEMS}")
        session.end()
        session = Session(house)
        house.must(session, "SELECT INBOX")
        for i in range(1, 60, 7):
            house.must(session, f"STORE {i},{MESSAGES - i} +FLAGS (\\Answered kept{i % 3})")
        house.must(session, "STORE 9,11 +FLAGS (\\Deleted)")
        house.must(session, "EXPUNGE")
        time.sleep(2.5)  # until cur/ is looked at once more: then an open session has nothing to scan
        session.end()
        os.rename(house.path("Maildir"), house.path("plain"))

    def write(self, pattern, number, letters_of_flags=""):
        data = letters.make(number, 200)
        sizes = ",S=%d,W=%d" % (len(data), len(data) + data.count(b"\n"))
        name = pattern % ((1790000000 + number, number, sizes, letters_of_flags) if "%s:2" in pattern else (1790000000 + number, number, sizes))
        with open(self.path(name), "wb") as f:
            f.write(data)
        return os.path.basename(name).split(":")[0]

    def make_fresh(self):
        """Mail as deliver leaves it. What is parsed of message 1 is right for a copy of it."""
        self.restore("plain")
        with open(self.path("stafet.cache"), "rb") as f:
            cache = f.read()
        size, _, _, _ = struct.unpack_from("<4I", cache, 16)
        summary, entries = cache[32:32 + size], b""
        for i in range(5):
            base = "%d.M%dP7.h" % (1790009000 + i, i)
            shutil.copy2(sorted_cur(self.path("cur"))[0], self.path(f"new/{base}"))
            entries += fresh_entry(base.encode(), summary)
        with open(self.path("stafet.fresh"), "wb") as f:
            f.write(entries)
        os.rename(self.house.path("Maildir"), self.house.path("fresh"))

    def restore(self, template):
        """Mail and UID list are links: their times and inodes are those that the index knows. The list gets lines of new mail only."""
        def copy(source, to):
            is_kept = os.path.basename(os.path.dirname(source)) in ("cur", "new") or (template == "plain" and source.endswith("uidlist"))
            return os.link(source, to) if is_kept else shutil.copy2(source, to)
        shutil.rmtree(self.path(""), ignore_errors=True)
        shutil.copytree(self.house.path(template), self.path(""), copy_function=copy)

    def take_truth(self, template):
        self.restore(template)
        heard, ended = self.tell()
        if ended:
            raise RuntimeError(f"an undamaged folder: {ended}")
        return heard

    def tell(self):
        """({UID: line}, UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ) as a session tells them and None; or None and how it ended."""
        session = Session(self.house)
        session.ask("STATUS INBOX (UNSEEN)")
        selected, lines = session.ask("SELECT INBOX")
        fetched, messages = session.ask(f"UID FETCH 1:* {ITEMS}") if selected else (None, [])
        is_told = fetched is not None and selected.startswith(b"OK") and fetched.startswith(b"OK")
        last = session.heard[-1:] or [b""]
        status = session.end()
        if not is_told:
            return None, (status, last[0], selected, fetched)
        told = {int(re.search(rb"UID (\d+)", line).group(1)): re.sub(rb"^\* \d+ | ?\\Recent", b"", line) for line in messages}
        return (told, number_in(rb"UIDVALIDITY (\d+)", lines), number_in(rb"UIDNEXT (\d+)", lines),
                number_in(rb"HIGHESTMODSEQ (\d+)", lines)), None

    def look(self, template):
        """Logins until it is told whole; what was wrong."""
        for _ in range(LOGINS):
            heard, ended = self.tell()
            if ended is None:
                return differences(self.truth[template], heard)
            if ended[0] not in (0, 111) or not ended[1].startswith(b"* BYE"):
                return [f"died: {ended}"]
        return [f"stuck: {LOGINS} sessions in a row end with {ended}"]

    def trial(self, template, name, harm):
        """One damage; what is wrong, then and after one more change."""
        self.restore(template)
        what = harm(self.path(name))
        broken = self.look(template)
        broken += self.work_on() if not broken else []
        return [f"{name}, {what}: " + "; ".join(broken[:3]), *self.house.last_log()] if broken else []

    def work_on(self):
        session = Session(self.house)
        session.ask("SELECT INBOX")
        session.ask("UID STORE 5 +FLAGS (\\Draft)")
        session.end()
        heard, ended = self.tell()
        return [] if ended is None and b"\\Draft" in heard[0][5] else [f"lost: a flag that was stored afterwards: {ended}"]


def sorted_cur(folder):
    return sorted(os.path.join(folder, name) for name in os.listdir(folder))


def differences(truth, heard):
    broken = [f"wrong: {name} {now}, not {then}" for name, then, now in zip(("UIDVALIDITY", "UIDNEXT"), truth[1:3], heard[1:3]) if then != now]
    if heard[3] < truth[3]:
        broken.append(f"wrong: HIGHESTMODSEQ fell from {truth[3]} to {heard[3]}")
    for uid in sorted(truth[0].keys() | heard[0].keys()):
        if truth[0].get(uid) != heard[0].get(uid):
            broken.append(f"wrong: {heard[0].get(uid)}, not {truth[0].get(uid)}")
    return broken


def fresh_entry(base, summary):
    size = 16 + len(base) + len(summary)
    rest = struct.pack("<2I", len(base), len(summary)) + base + summary + bytes(-size % 8)
    return struct.pack("<2I", len(rest) + 8, letters.crc32c(rest)) + rest


# Harm.

def regions(name, data):
    """Where the kinds of places of a file begin and end."""
    if not name.endswith("stafet.index"):
        return [(0, 32), (32, min(1000, len(data))), (len(data) // 2, len(data)), (max(0, len(data) - 64), len(data))]
    sums, names, _, words, _, journal = struct.unpack_from("<6Q", data, 144)
    tail = [(journal, journal + 24), (journal + 24, len(data)), (len(data) - 24, len(data))]
    return [(0, 64), (64, 256), (256, sums), (sums, names), (names, words), (words, journal), *tail]


def random_harm(generator):
    """A function that damages a file and says how."""
    kind = generator.choice(("bit", "bit", "bit", "bits", "zeros", "cut", "cut", "tail", "blocks", "empty", "text"))

    def harm(path):
        with open(path, "rb") as f:
            data = bytearray(f.read())
        first, end = generator.choice(regions(path, data))
        at = generator.randrange(first, max(first + 1, min(end, len(data))))
        harm_bytes(generator, kind, data, at)
        with open(path, "wb") as f:
            f.write(data)
        return f"{kind} at {at}"
    return harm


def harm_bytes(generator, kind, data, at):
    if kind in ("bit", "bits"):
        for _ in range(1 if kind == "bit" else 9):
            data[at] ^= 1 << generator.randrange(8)
            at = min(len(data) - 1, at + generator.randrange(1, 600))
    elif kind == "zeros":
        start, n = at // 512 * 512, generator.choice((512, 4096))
        data[start:start + n] = bytes(len(data[start:start + n]))
    elif kind == "cut":
        del data[at:]
    elif kind == "tail":
        data += generator.randbytes(generator.randrange(1, 300))
    elif kind == "blocks":
        other = generator.randrange(len(data)) // 512 * 512
        at = at // 512 * 512
        data[at:at + 512], data[other:other + 512] = data[other:other + 512], data[at:at + 512]
    elif kind == "empty":
        data.clear()
    else:
        data[:] = b"3 V1 N1\n" * 40


FILES = (("plain", "stafet.index"), ("plain", "stafet.index"), ("plain", "stafet.cache"), ("fresh", "stafet.fresh"), ("fresh", "stafet.index"))


def run(tap, folder, trials, seed=1):
    damaged, bad = Damaged(folder), []
    for i in range(trials):
        generator = random.Random(seed * 1000003 + i)
        template, name = FILES[i % len(FILES)]
        bad += [f"seed {i}: {line}" for line in damaged.trial(template, name, random_harm(generator))]
    tap.ok(not bad, f"{trials}_damaged_files_of_an_index_are_noticed_and_made_anew", bad[:60])
