# SPDX-License-Identifier: ISC
"""Random sets of messages and search keys: as the client writes them, and which messages they mean."""
from systemlib.imapmail import WORDS, day_argument
from systemlib.imapmodel import SYSTEM

NAMES = ["$Junk", "$Forwarded", "work", "Blue", "$Label1"] + ["K%d" % i for i in range(62)]
FLAG_KEYS = {"ANSWERED": "\\Answered", "DELETED": "\\Deleted", "DRAFT": "\\Draft", "FLAGGED": "\\Flagged", "SEEN": "\\Seen"}
FIELDS = ["Subject", "From", "X-Tree", "Message-ID", "Date", "X-Three", "Bcc"]
DAY = 86400


def some_name(chance):
    name = chance.choice(NAMES[:6]) if chance.random() < 0.9 else chance.choice(NAMES)
    return name if chance.random() < 0.9 else name.swapcase()


def some_flags(chance):
    return sorted({chance.choice(SYSTEM) if chance.random() < 0.7 else some_name(chance) for _ in range(chance.choice([0, 1, 1, 2, 3]))})


def some_range(chance, lowest, highest):
    """(text, lowest, highest): `*` stands for the highest that there is."""
    ends = [chance.choice([lowest, highest, chance.randint(lowest, max(lowest, highest))]) for _ in range(chance.choice([1, 2, 2]))]
    shown = ["*" if end == highest and chance.random() < 0.5 else str(end) for end in ends]
    return ":".join(shown), min(ends), max(ends)


def number_set(chance, view, is_search):
    """(text, UIDs; None: a number in it is none, which a search may ask for)."""
    count, wanted, texts, is_bad = len(view.uids), set(), [], False
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        text, first, last = some_range(chance, 1, count) if count else (chance.choice(["1:*", "*", "1"]), 1, 1)
        if chance.random() < (0.2 if is_search else 0.02):
            text, last = "%d:%d" % (count + 1, first), count + 1
        texts.append(text)
        is_bad = is_bad or last > count
        wanted.update(view.uids[first - 1:last])
    return ",".join(texts), None if is_bad and not is_search else sorted(wanted)


def uid_set(chance, view):
    highest, wanted, texts = view.uids[-1] if view.uids else 0, set(), []
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        text, first, last = some_range(chance, 1, highest) if highest else (chance.choice(["1:*", "*"]), 0, 0)
        if chance.random() < 0.15:  # `n:*` with n above all is the last one
            text, first, last = "%d:*" % (highest + 7), highest, highest + 7
        texts.append(text)
        wanted.update(u for u in view.uids if first <= u <= last)
    return ",".join(texts), sorted(wanted)


def some_set(chance, view, is_uid, is_search=False):
    """(text, UIDs or None), sometimes `$`."""
    if chance.random() < 0.06:
        return "$", [u for u in view.saved if u in view.uids]
    return uid_set(chance, view) if is_uid else number_set(chance, view, is_search)


class Search:
    """keys: text; finds(message). has_numbers: it names sequence numbers."""

    def __init__(self, talk, depth=3):
        self.talk, self.chance, self.view = talk, talk.chance, talk.view
        self.has_numbers = self.has_modseq = False
        made = [self.key(depth) for _ in range(self.chance.choice([1, 1, 1, 2, 3]))]
        self.text, self.tests = " ".join(text for text, _ in made), [test for _, test in made]

    def finds(self, message):
        return all(test(message) for test in self.tests)

    def found(self):
        return [m for m in self.view.alive() if self.finds(m)]

    def key(self, depth):
        """(text, test)."""
        kind = self.chance.random()
        if depth and kind < 0.12:
            text, test = self.key(depth - 1)
            return "NOT " + text, lambda m: not test(m)
        if depth and kind < 0.25:
            (one, first), (two, second) = self.key(depth - 1), self.key(depth - 1)
            return "OR %s %s" % (one, two), lambda m: first(m) or second(m)
        if depth and kind < 0.35:
            made = [self.key(depth - 1) for _ in range(self.chance.choice([1, 2, 3]))]
            return "(%s)" % " ".join(text for text, _ in made), lambda m: all(test(m) for _, test in made)
        kinds = [self.flag] * 2 + [self.text_key] * 2 + [self.messages] * 2 + [self.modseq] * 3
        return self.chance.choice(kinds + [self.keyword, self.recent, self.day, self.sent, self.size, self.header, self.all])()

    @staticmethod
    def all():
        return "ALL", lambda m: True

    def flag(self):
        word = self.chance.choice(list(FLAG_KEYS))
        flag = FLAG_KEYS[word]
        if self.chance.random() < 0.5:
            return "UN" + word, lambda m: flag not in m.flags
        return word, lambda m: flag in m.flags

    def keyword(self):
        name = some_name(self.chance)
        has = lambda m: name.lower() in {f.lower() for f in m.flags}  # noqa: E731
        return ("KEYWORD " + name, has) if self.chance.random() < 0.6 else ("UNKEYWORD " + name, lambda m: not has(m))

    def recent(self):
        is_recent = self.view.is_recent
        return self.chance.choice([("RECENT", lambda m: is_recent(m.uid)), ("OLD", lambda m: not is_recent(m.uid)),
                                   ("NEW", lambda m: is_recent(m.uid) and "\\Seen" not in m.flags)])

    def day(self):
        return self.by_day("", lambda m: m.date // DAY)

    def sent(self):
        return self.by_day("SENT", lambda m: m.letter.day)

    def by_day(self, front, day_of):
        days = [day_of(m) for m in self.view.alive()]
        day = (self.chance.choice([d for d in days if d is not None] or [19690])) + self.chance.choice([0, 0, 1, -1])
        word = self.chance.choice(["BEFORE", "ON", "SINCE"])
        tests = {"BEFORE": lambda d: d < day, "ON": lambda d: d == day, "SINCE": lambda d: d >= day}
        text = day_argument(day)
        text = text if self.chance.random() < 0.7 else '"%s"' % text
        return "%s%s %s" % (front, word, text), lambda m: day_of(m) is not None and tests[word](day_of(m))

    def size(self):
        size = self.chance.choice([m.letter.size for m in self.view.alive()] or [10]) + self.chance.choice([0, 0, 1])
        if self.chance.random() < 0.5:
            return "LARGER %d" % size, lambda m: m.letter.size > size
        return "SMALLER %d" % size, lambda m: m.letter.size < size

    def needle(self):
        word = self.chance.choice(WORDS + ["ann", "BETA.test", "zebra"])
        word = word[self.chance.randrange(len(word) - 2):] if self.chance.random() < 0.3 else word
        return word.upper() if self.chance.random() < 0.2 else word

    def string(self, text):
        return self.talk.words(text, False).decode()

    def text_key(self):
        word = self.chance.choice(["FROM", "TO", "CC", "BCC", "SUBJECT", "SUBJECT", "BODY", "BODY", "TEXT", "TEXT"])
        needle = self.needle()
        return "%s %s" % (word, self.string(needle)), lambda m: m.letter.finds(word.lower(), needle)

    def header(self):
        field, needle = self.chance.choice(FIELDS), "" if self.chance.random() < 0.4 else self.needle()
        return "HEADER %s %s" % (self.string(field), self.string(needle)), lambda m: m.letter.finds_header(field, needle)

    def messages(self):
        is_uid = self.chance.random() < 0.5
        text, uids = some_set(self.chance, self.view, is_uid, True)
        self.has_numbers = self.has_numbers or not (is_uid or text == "$")
        return ("UID " if is_uid else "") + text, lambda m: m.uid in uids

    def modseq(self):
        """Only where all of them are known."""
        known = [m.modseq for m in self.view.alive()]
        if not self.view.condstore or None in known:
            return self.flag()
        modseq, self.has_modseq = self.chance.choice(known + [1, self.view.folder.highest + 1]), True
        entry = self.chance.choice(["", "", '"/flags/\\\\Seen" all '])
        return "MODSEQ %s%d" % (entry, modseq), lambda m: m.modseq >= modseq
