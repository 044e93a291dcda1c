# SPDX-License-Identifier: ISC
"""What an IMAP server keeps, in memory: folders with their messages, subscriptions, special uses (Model); and what one session has been
told of its mailbox (View). Mod-sequences are the server's to choose: the model learns them, and complains of one that falls, that
moves without a change, or that a change leaves as it was."""
import re

SYSTEM = ["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"]
# Whole 16-bit units: 3 characters hold one, 6 two, 8 three.
UTF7 = re.compile(r"([ -%'-~]|&([A-Za-z0-9+,]{8})*([A-Za-z0-9+,]{3}|[A-Za-z0-9+,]{6})?-)*")
KEYWORDS_MAX, RECENT_SPANS = 64, 8
KNOWN_USES = [("Sent", "\\Sent"), ("Sent Messages", "\\Sent"), ("Sent Items", "\\Sent"), ("Drafts", "\\Drafts"), ("Trash", "\\Trash"),
              ("Deleted Messages", "\\Trash"), ("Deleted Items", "\\Trash"), ("Junk", "\\Junk"), ("Spam", "\\Junk"),
              ("Junk E-mail", "\\Junk"), ("Archive", "\\Archive"), ("Archives", "\\Archive")]
USES = ["\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"]


class Differs(Exception):
    """The server said something else."""


def must(condition, *words):
    if not condition:
        raise Differs(" ".join(w if isinstance(w, str) else repr(w) for w in words))


class Message:
    def __init__(self, uid, letter, flags, date):
        self.uid, self.letter, self.flags, self.date = uid, letter, set(flags), date
        self.modseq, self.above, self.most = None, 0, None  # None: above < modseq <= most


class Folder:
    def __init__(self, buried=0):
        """buried: the highest UIDVALIDITY that a mailbox of this name had."""
        self.buried = buried
        self.uidvalidity, self.uidnext, self.mail, self.keywords = None, 1, [], []
        self.first_recent, self.highest = 1, 0  # highest: mod-sequence that was ever told
        self.gone = []  # (UID, highest when it went)

    def uids(self):
        return [m.uid for m in self.mail]

    def message(self, uid):
        return next((m for m in self.mail if m.uid == uid), None)

    def recent(self):
        return [m.uid for m in self.mail if m.uid >= self.first_recent]

    def learn_validity(self, number):
        must(self.uidvalidity in (None, number), "UIDVALIDITY was", self.uidvalidity, "and is", number)
        must(self.uidvalidity or number > self.buried, "UIDVALIDITY of a mailbox before this one was", self.buried, "and is", number)
        self.uidvalidity = number

    def touch(self, message):
        message.modseq, message.above, message.most = None, self.highest, None

    def learn(self, message, modseq):
        if message.modseq is None:
            must(message.above < modseq <= (message.most or modseq), "UID", message.uid, "has the mod-sequence", modseq, "of the possible",
                 message.above + 1, "to", message.most)
            message.modseq = modseq
            self.highest = max(self.highest, modseq)
        must(message.modseq == modseq, "the mod-sequence of UID", message.uid, "was", message.modseq, "and is", modseq)

    def learn_highest(self, modseq):
        must(modseq >= self.highest, "HIGHESTMODSEQ fell from", self.highest, "to", modseq)
        self.highest = modseq
        for message in self.mail:
            if message.modseq is None and message.most is None:
                message.most = modseq

    def keyword(self, name):
        """How it is written here; None: there is none, and no room."""
        for known in self.keywords:
            if known.lower() == name.lower():
                return known
        if len(self.keywords) == KEYWORDS_MAX:
            return None
        self.keywords.append(name)
        return name

    def known_flag(self, name):
        """As it is written here, for - and SEARCH: nothing is made."""
        return next((k for k in SYSTEM + self.keywords if k.lower() == name.lower()), None)

    def add(self, letter, flags, date):
        message = Message(self.uidnext, letter, flags, date)
        message.above = self.highest
        self.uidnext += 1
        self.mail.append(message)
        return message

    def remove(self, message):
        self.mail.remove(message)
        self.gone.append((message.uid, self.highest))


class Model:
    def __init__(self):
        self.folders, self.subscribed, self.uses, self.views = {"INBOX": Folder()}, set(), {}, []
        self.buried = {}  # name -> the highest UIDVALIDITY that it had

    @staticmethod
    def canonical(name):
        """A mailbox's own name; None: no mailbox can have this one."""
        name = name[:-1] if len(name) > 1 and name.endswith("/") else name
        if name.upper() == "INBOX":
            return "INBOX"
        is_good = all(level and "." not in level for level in name.split("/")) and UTF7.fullmatch(name)
        return name if is_good and len(name) < 250 else None

    def has_children(self, name):
        return any(other.startswith(name + "/") for other in self.folders)

    def below(self, name):
        """Itself and what lies below."""
        return [other for other in self.folders if other == name or other.startswith(name + "/")]

    def all_uses(self):
        """name -> use: as clients said, else by well known names."""
        out = {name: use for name, use in self.uses.items() if name in self.folders}
        said = set(out.values())
        for name, use in KNOWN_USES:
            if use not in said and name in self.folders and name not in out:
                out[name] = use
                said.add(use)
        return out

    def listed(self):
        """Every name that LIST may tell."""
        names = set(self.folders) | self.subscribed
        for name in list(names):
            levels = name.split("/")
            names |= {"/".join(levels[:i]) for i in range(1, len(levels))}
        return sorted(names)

    def viewers(self, folder):
        return [v for v in self.views if v.folder is folder]

    def changed(self, folder, message, by):
        """Its flags are others than before."""
        folder.touch(message)
        for view in self.viewers(folder):
            if view is not by:
                view.changed.add(message.uid)

    def set_flags(self, folder, message, flags, by):
        if flags != message.flags:
            message.flags = set(flags)
            self.changed(folder, message, by)


def pattern(text):
    """LIST's wildcards as a regular expression."""
    return re.compile("".join(".*" if c == "*" else "[^/]*" if c == "%" else re.escape(c) for c in text), re.S)


def name_fits(patterns, name):
    return any(pattern(p).fullmatch(name) or (name == "INBOX" and pattern(p.upper()).fullmatch(name)) for p in patterns)


class View:
    """What a session knows of the mailbox that it selected: numbers are places in `uids`."""

    def __init__(self, model):
        self.model, self.folder, self.is_writing = model, None, False
        self.uids, self.last, self.spans, self.changed, self.saved = [], 0, [], set(), []
        self.condstore = self.qresync = False
        self.keywords, self.wants_permanent = None, False  # as FLAGS told them; PERMANENTFLAGS has to follow
        self.highest, self.counts = 0, False  # what the client takes for HIGHESTMODSEQ; does it go on counting (CONDSTORE)?
        self.memory = {}  # folder -> (highest, {UID: flags; None: they are others by now}) of when it was left
        model.views.append(self)

    def leave(self):
        if self.folder is not None and self.counts:
            known = [(uid, self.folder.message(uid)) for uid in self.uids]
            self.memory[self.folder] = self.highest, {u: set(m.flags) if m and u not in self.changed else None for u, m in known}
        self.highest, self.counts = 0, False
        self.folder, self.uids, self.spans, self.changed, self.saved = None, [], [], set(), []

    def enter(self, folder, is_writing):
        self.leave()
        self.folder, self.is_writing, self.uids, self.last = folder, is_writing, folder.uids(), folder.uidnext - 1
        self.keywords, self.wants_permanent = None, False
        self.look()

    def look(self):
        """Who looks takes \\Recent, unless it only examines."""
        folder = self.folder
        if folder is None or folder.first_recent >= folder.uidnext:
            return
        span = (folder.first_recent, folder.uidnext)
        if not self.is_writing:
            self.spans = [span]
            return
        if self.spans and self.spans[-1][1] == span[0]:
            self.spans[-1] = (self.spans[-1][0], span[1])
        else:
            self.spans = (self.spans + [span])[-RECENT_SPANS:]
        folder.first_recent = folder.uidnext

    def is_recent(self, uid):
        return any(first <= uid < end for first, end in self.spans)

    def recent(self):
        return [u for u in self.folder.uids() if self.is_recent(u)]

    def flags(self, message):
        return message.flags | ({"\\Recent"} if self.is_recent(message.uid) else set())

    def alive(self):
        """Messages that it knows and that are there."""
        known = set(self.uids)
        return [m for m in self.folder.mail if m.uid in known]

    def has_pending(self):
        return self.folder is not None and (self.uids != self.folder.uids() or bool(self.changed))

    def count(self, reply, is_idle=False):
        """RFC 7162 6: the last code, else the highest MODSEQ."""
        if not self.condstore or self.folder is None:
            return
        lines = [line for line in reply.untagged if line.startswith(b"OK [")] + [reply.text]
        codes = [int(found.group(1)) for found in map(re.compile(rb".*\[HIGHESTMODSEQ (\d+)\]").match, lines) if found]
        must(codes or self.counts, "CONDSTORE is on, and HIGHESTMODSEQ was not told:", reply.untagged)
        self.counts = True
        told = [int(n) for line in reply.untagged for n in re.findall(rb"^\d+ FETCH .*MODSEQ \((\d+)\)", line, re.S)]
        self.highest = codes[-1] if codes else max(told + [self.highest])
        if codes and not is_idle and self.uids == self.folder.uids():
            self.folder.learn_highest(self.highest)

    # ---- what is told without being asked
    def hear_expunge(self, number):
        must(not self.qresync, "EXPUNGE where VANISHED is asked for")
        must(1 <= number <= len(self.uids), "EXPUNGE", number, "of", len(self.uids))
        self.forget(self.uids[number - 1])

    def forget(self, uid):
        must(uid in self.uids, "UID", uid, "vanished, and was not known")
        must(self.folder.message(uid) is None, "UID", uid, "is told as gone, and is there")
        self.uids.remove(uid)

    def hear_exists(self, number):
        self.uids += [u for u in self.folder.uids() if u > self.last]
        self.last = self.folder.uidnext - 1
        must(number == len(self.uids), "EXISTS", number, "where", len(self.uids), "are known")

    def hear_names(self, line):
        """FLAGS, only where there are new ones, and PERMANENTFLAGS behind it. False: the line is neither."""
        if not line.startswith((b"FLAGS ", b"OK [PERMANENTFLAGS ")):
            return False
        flags, permanent = [f.decode() for f in line[line.index(b"(") + 1:line.rindex(b")")].split()], set()
        if line.startswith(b"OK"):
            must(self.wants_permanent, "told without FLAGS before it:", line)
            if self.is_writing:
                permanent = {*SYSTEM, *self.keywords, *["\\*"] * (len(self.keywords) < KEYWORDS_MAX)}
            must(set(flags) == permanent and len(flags) == len(permanent), "told", line, "and not", permanent)
        else:  # who idles may hear of a few while a command makes more
            before, self.keywords = self.keywords, set(flags) - set(SYSTEM)
            must(self.keywords <= set(self.folder.keywords) and set(SYSTEM) <= set(flags) and len(set(flags)) == len(flags), "told", line)
            must(before is None or before < self.keywords, "told once more:", line)
        self.wants_permanent = not self.wants_permanent
        return True

    def has_new_names(self):
        return self.keywords != set(self.folder.keywords)

    def names_are_told(self):
        must(not self.has_new_names() and not self.wants_permanent, "the client knows the keywords", self.keywords, "of",
             self.folder.keywords)

    def numbers(self, uids):
        return [self.uids.index(u) + 1 for u in uids]
