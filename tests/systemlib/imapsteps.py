# SPDX-License-Identifier: ISC
"""Random commands about messages, each compared with the model: FETCH STORE SEARCH SORT THREAD COPY MOVE EXPUNGE APPEND IDLE."""
import os
import re
import time

from systemlib import imapthread
from systemlib.imapmail import NIL, date_argument, date_text, make_letter, seconds_of
from systemlib.imapmodel import SYSTEM, must
from systemlib.imapsearch import FIELDS, NAMES, Search, some_flags, some_set
from systemlib.imaptalk import ANY, IS_UID, KEEPS_NUMBERS, LOOKS, TELLS, Heard, Literal, Talk
from systemlib.session import as_uids, parse

MACROS = {"ALL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"], "FAST": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"],
          "FULL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"]}
SIMPLE = {"FLAGS": lambda m: None, "UID": lambda m: None, "MODSEQ": lambda m: None, "RFC822.SIZE": lambda m: b"%d" % m.letter.size,
          "INTERNALDATE": lambda m: date_text(m.date).encode(), "ENVELOPE": lambda m: ANY if m.letter.is_odd else m.letter.envelope(),
          "BODY": lambda m: ANY if m.letter.is_odd else m.letter.structure(False),
          "BODYSTRUCTURE": lambda m: ANY if m.letter.is_odd else m.letter.structure(True),
          "RFC822": lambda m: m.letter.wire, "RFC822.HEADER": lambda m: m.letter.header, "RFC822.TEXT": lambda m: m.letter.text}


class MessageSteps(Talk):
    letters = 0

    def form(self):
        """Is it a UID command, and the word for that."""
        is_uid = self.chance.random() < 0.5
        return is_uid, "UID " if is_uid else ""

    def after(self, reply, wanted=(), looks=False, is_uid=False, keeps=False, by_number=False):
        """The untagged replies of a command in the selected state. by_number: a search for sequence numbers."""
        looks = looks and reply.status != "BAD"
        keeps = keeps and (by_number or not is_uid)
        return self.settle(reply, wanted, TELLS | LOOKS * looks | IS_UID * is_uid | KEEPS_NUMBERS * keeps)

    def rest_is_empty(self, rest):
        must(not rest, "told:", rest)

    def noop(self):
        reply = self.command(self.chance.choice(["NOOP", "NOOP", "CHECK"]) if self.view.folder else "NOOP")
        self.expect(reply, "OK")
        self.rest_is_empty(self.after(reply, looks=True))

    def learn_all(self):
        """Afterwards all mod-sequences are known, and CONDSTORE is on."""
        self.noop()
        if self.view.uids:
            reply = self.command("FETCH 1:* MODSEQ")
            self.view.condstore = True
            self.expect(reply, "OK")
            self.after(reply, [(u, {"MODSEQ": None}) for u in self.view.uids], keeps=True)

    def refused_set(self, reply, is_uid, keeps=True):
        self.expect(reply, "BAD")
        self.rest_is_empty(self.after(reply, is_uid=is_uid, keeps=keeps))

    def targets(self, uids):
        """Those that are there still."""
        return [m for m in self.view.alive() if m.uid in uids]

    def is_short(self, text, uids, is_uid):
        """It names numbers of messages that others expunged: NO [EXPUNGEISSUED]."""
        return not is_uid and text != "$" and len(self.targets(uids)) < len(uids)

    # ---- FETCH
    def section(self):
        """(text, label, value(message), does it set \\Seen)."""
        chance = self.chance
        path = chance.choice([[], [], [], [1], [2], [1, 1], [2, 1], [3], [3, 1]])
        what = chance.choice(["", "", "HEADER", "TEXT", "FIELDS", "FIELDS"] + ["MIME"] * 2 * bool(path))
        shown = what
        if what == "FIELDS":
            names = [n if chance.random() < 0.8 else n.upper() for n in chance.sample(FIELDS, chance.choice([1, 2, 3]))]
            is_not = chance.random() < 0.3
            shown, what = "HEADER.FIELDS%s (%s)" % (".NOT" * is_not, " ".join(names)), (names, is_not)
        inner = ".".join([str(n) for n in path] + ([shown] if shown else []))
        is_peek = chance.random() < 0.7
        start, count = chance.choice([(None, None)] * 3 + [(0, 5), (3, 40), (20, 1), (100000, 3)])
        partial = "" if start is None else "<%d.%d>" % (start, count)
        label = "BODY[%s]%s" % (inner, "" if start is None else "<%d>" % start)

        def value(message):
            whole = message.letter.section(path, what)
            return NIL if whole is None else whole if start is None else whole[start:start + count]
        return "BODY%s[%s]%s" % (".PEEK" * is_peek, inner, partial), label, value, not is_peek

    def items(self, may_see):
        """(text, {label: value(message)}, does it set \\Seen)."""
        chance, texts, labels, sees = self.chance, [], {}, False
        if chance.random() < 0.1:
            word = chance.choice(list(MACROS))
            return word, {name: SIMPLE[name] for name in MACROS[word]}, False
        for _ in range(chance.choice([1, 1, 2, 3, 5])):
            if chance.random() < 0.6:
                label = chance.choice([k for k in SIMPLE if k != "MODSEQ" or self.view.condstore])
                text, value, is_seeing = label, SIMPLE[label], label in ("RFC822", "RFC822.TEXT")
            else:
                text, label, value, is_seeing = self.section()
            if label not in labels and (may_see or not is_seeing):
                texts.append(text if chance.random() < 0.9 or "[" in text else text.lower())
                labels[label] = value
                sees = sees or is_seeing
        if not texts:
            return "(FLAGS)", {"FLAGS": SIMPLE["FLAGS"]}, False
        return (texts[0] if len(texts) == 1 and chance.random() < 0.5 else "(%s)" % " ".join(texts)), labels, sees

    def see(self, messages):
        """UIDs that BODY[] makes \\Seen."""
        seen = [m for m in messages if "\\Seen" not in m.flags] if self.view.is_writing else []
        for message in seen:
            self.view.model.set_flags(self.view.folder, message, message.flags | {"\\Seen"}, self.view)
        return {m.uid for m in seen}

    def fetch(self):
        is_uid, word = self.form()
        since = self.since() if self.chance.random() < 0.15 else None
        text, uids = some_set(self.chance, self.view, is_uid)
        items, labels, sees = self.items(since is None)
        modifiers, is_vanished = "", since is not None and is_uid and self.view.qresync and self.chance.random() < 0.6
        if since is not None:
            modifiers = " (CHANGEDSINCE %d%s)" % (since, " VANISHED" * is_vanished)
        reply = self.command("%sFETCH %s %s%s" % (word, text, items, modifiers))
        if uids is None:
            self.refused_set(reply, is_uid)
            return
        messages = self.targets(uids)
        is_short = self.is_short(text, uids, is_uid)
        seen = self.see(messages) if sees else set()
        if since is not None:
            messages = [m for m in messages if m.modseq > since]
        self.view.condstore = self.view.condstore or since is not None or "MODSEQ" in labels
        wanted = []
        for message in messages:
            extra = {"UID"} if is_uid else set()
            extra |= {"MODSEQ"} if since is not None else set()
            extra |= {"FLAGS"} if message.uid in seen else set()
            extra |= {"UID", "MODSEQ"} if message.uid in seen and self.view.condstore else set()
            wanted.append((message.uid, {**dict.fromkeys(extra), **{label: value(message) for label, value in labels.items()}}))
        self.expect(reply, "NO" if is_short else "OK", "EXPUNGEISSUED" if is_short else "")
        rest = self.after(reply, wanted, is_uid=is_uid, keeps=True)
        self.vanished_earlier(rest, since if is_vanished else None, ranges_of(text, self.view.saved))

    def since(self):
        self.learn_all()
        return self.chance.choice([m.modseq for m in self.view.alive()] + [0, 1, self.view.folder.highest])

    def vanished_earlier(self, rest, since, known):
        """What went since must be named, what is there must not; what went before may be. since None: nothing may. known: ranges of UIDs
        that are asked for; None: all."""
        told = [u for line in rest if line.startswith(b"VANISHED (EARLIER) ") for u in as_uids(line.split()[2])]
        must(len(rest) == (1 if told else 0) and (since is not None or not told), "told:", rest)
        folder = self.view.folder
        is_meant = lambda uid: known is None or any(first <= uid <= last for first, last in known)  # noqa: E731
        if since is not None:
            gone = {uid for uid, highest in folder.gone if highest >= since and is_meant(uid)}
            must(gone <= set(told), "VANISHED since", since, told, "of", folder.gone)
        must(all(is_meant(u) for u in told), "VANISHED", told, "and asked for", known)
        must(not set(told) & set(folder.uids()) and all(u < folder.uidnext for u in told), "VANISHED", told, "of", folder.uids())

    # ---- STORE
    def store(self):
        is_uid, word = self.form()
        view, folder, chance = self.view, self.view.folder, self.chance
        since = self.since() if chance.random() < 0.12 else None
        text, uids = some_set(chance, view, is_uid)
        how, names, is_silent = chance.choice(["+", "+", "-", ""]), some_flags(chance), chance.random() < 0.4
        if chance.random() < 0.02:
            names = chance.sample(NAMES, 40)
        listed = " ".join(names) if names and chance.random() < 0.2 else "(%s)" % " ".join(names)
        reply = self.command("%sSTORE %s %s%sFLAGS%s %s" % (word, text, "" if since is None else "(UNCHANGEDSINCE %d) " % since, how,
                                                           ".SILENT" * is_silent, listed))
        if not view.is_writing or uids is None:
            self.expect(reply, "BAD" if view.is_writing else "NO", "" if view.is_writing else "NOPERM")
            self.rest_is_empty(self.after(reply, is_uid=is_uid, keeps=True))
            return
        view.condstore = view.condstore or since is not None
        flags = [n if n in SYSTEM else folder.keyword(n) if how != "-" else folder.known_flag(n) for n in names]
        if how != "-" and None in flags:
            self.expect(reply, "NO", "LIMIT")
            self.rest_is_empty(self.after(reply, is_uid=is_uid, keeps=True))
            return
        messages, flags = self.targets(uids), set(flags) - {None}
        late = [m for m in messages if since is not None and m.modseq > since]
        wanted = []
        for message in messages:
            if message in late:
                wanted += self.store_reply(message.uid, False, is_uid)
            else:
                new = message.flags | flags if how == "+" else message.flags - flags if how == "-" else flags
                view.model.set_flags(folder, message, new, view)
                wanted += self.store_reply(message.uid, is_silent, is_uid)
        late = [m.uid for m in late]
        is_short = not is_silent and self.is_short(text, uids, is_uid)
        self.expect(reply, "NO" if is_short else "OK", "MODIFIED" if late else "EXPUNGEISSUED" if is_short else "")
        if late:
            must(as_uids(reply.code("MODIFIED")) == (late if is_uid else view.numbers(late)), "MODIFIED", reply.text, "and not", late)
        self.rest_is_empty(self.after(reply, wanted, is_uid=is_uid, keeps=True))

    def store_reply(self, uid, is_silent, is_uid):
        if is_silent:
            return [(uid, dict.fromkeys(["UID", "MODSEQ"]))] if self.view.condstore else []
        keys = ["FLAGS"] + ["UID"] * is_uid + ["UID", "MODSEQ"] * self.view.condstore
        return [(uid, dict.fromkeys(keys))]

    # ---- SEARCH SORT THREAD
    def shown(self, messages, is_uid):
        uids = [m.uid for m in messages]
        return uids if is_uid else self.view.numbers(uids)

    def search(self):
        if self.view.condstore and self.chance.random() < 0.3:
            self.learn_all()
        is_uid, word = self.form()
        wanted = Search(self)
        options = self.chance.choice([None, None, [], ["ALL"], ["SAVE"], [self.chance.choice(["MIN", "MAX"])], self.chance.sample(["MIN", "MAX", "COUNT", "ALL", "SAVE"], 2),
                                      self.chance.sample(["MIN", "MAX", "COUNT", "SAVE"], 3)])
        charset = self.chance.choice([""] * 8 + ["CHARSET UTF-8 ", "CHARSET us-ascii ", "CHARSET X-NONE "])
        reply = self.command("%sSEARCH %s%s%s" % (word, "" if options is None else "RETURN (%s) " % " ".join(options), charset, wanted.text))
        if "NONE" in charset:
            if options and "SAVE" in options:
                self.view.saved = []
            self.expect(reply, "NO", "BADCHARSET")
            self.rest_is_empty(self.after(reply, is_uid=is_uid, keeps=True, by_number=wanted.has_numbers))
            return
        self.expect(reply, "OK")
        found = wanted.found()
        shown = self.shown(found, is_uid)
        rest = self.after(reply, is_uid=is_uid, keeps=True, by_number=wanted.has_numbers)
        if options is None:
            numbers = b"".join(b" %d" % n for n in shown)
            numbers += b" (MODSEQ %d)" % max(m.modseq for m in found) if wanted.has_modseq and found else b""
            must(rest == [b"SEARCH" + numbers], "SEARCH", wanted.text, "\n  got   ", rest, "\n  wanted", numbers)
        else:
            self.search_extended(rest, options or ["ALL"], found, shown, is_uid, wanted.has_modseq)

    def search_extended(self, rest, options, found, numbers, is_uid, has_modseq):
        options, ends = set(options), []
        if not options & {"MIN", "MAX", "COUNT", "SAVE"}:
            options.add("ALL")
        ends = found[:1] * ("MIN" in options) + found[-1:] * ("MAX" in options)
        is_part = bool(options & {"MIN", "MAX"}) and not options & {"ALL", "COUNT"}
        told = ends if is_part else found
        if "SAVE" in options:
            self.view.saved = sorted({m.uid for m in told})
        if options == {"SAVE"}:
            must(not rest, "SAVE alone is answered:", rest)
            return
        want = {"COUNT": len(found)} if "COUNT" in options else {}
        if found:
            want.update({k: numbers[at] for k, at in (("MIN", 0), ("MAX", -1)) if k in options})
            want.update({"ALL": numbers} if "ALL" in options else {})
            want.update({"MODSEQ": max(m.modseq for m in told)} if has_modseq else {})
        head = b'ESEARCH (TAG "t%d")' % self.tag + b" UID" * is_uid
        must(len(rest) == 1 and (rest[0] + b" ").startswith(head + b" "), "ESEARCH should begin", head, "and is", rest)
        words = rest[0][len(head):].decode().split()
        got = {k: as_uids(v.encode()) if k == "ALL" else int(v) for k, v in zip(words[::2], words[1::2])}
        must(got == want, "ESEARCH\n  got   ", got, "\n  wanted", want)

    def ordered(self, word, criteria, answer):
        """SORT or THREAD; answer(items, number_of): what should be told."""
        if self.view.condstore and self.chance.random() < 0.2:
            self.learn_all()
        is_uid, form = self.form()
        keys = Search(self, 1)
        charset = self.chance.choice(["UTF-8", "US-ASCII", '"utf-8"', "X-NONE"] if self.chance.random() < 0.2 else ["UTF-8"])
        reply = self.command("%s%s %s %s %s" % (form, word, criteria, charset, keys.text))
        if charset == "X-NONE":
            self.expect(reply, "NO", "BADCHARSET")
            self.rest_is_empty(self.after(reply, is_uid=is_uid, keeps=True, by_number=keys.has_numbers))
            return
        self.expect(reply, "OK")
        found = keys.found()
        items = [imapthread.Item(self.view.uids.index(m.uid) + 1, m.letter, m.date) for m in found]
        want = answer(items, lambda i: self.view.uids[i.number - 1] if is_uid else i.number)
        rest = self.after(reply, is_uid=is_uid, keeps=True, by_number=keys.has_numbers)
        must(len(rest) == 1 and rest[0].split(b" ")[0].decode() == word, "told:", rest)
        got = as_numbers(parse(rest[0][len(word) + 1:]))
        if keys.has_modseq and found and word == "SORT":
            want.append(["MODSEQ", max(m.modseq for m in found)])
        shown = [(i.number, i.sent, i.letter.base, i.letter.id, i.letter.references) for i in items]
        must(got == want, word, criteria, "\n  got   ", got, "\n  wanted", want, "\n  of", shown)

    def sort(self):
        criteria = [(k, self.chance.random() < 0.3) for k in self.chance.sample(list(imapthread.KEYS), self.chance.choice([1, 1, 2, 3]))]
        text = "(%s)" % " ".join("REVERSE " * is_reverse + k for k, is_reverse in criteria)
        self.ordered("SORT", text, lambda items, number_of: [number_of(i) for i in imapthread.sort_items(items, criteria)])

    def thread(self):
        kind = self.chance.choice(["ORDEREDSUBJECT", "REFERENCES", "REFERENCES"])
        self.ordered("THREAD", kind, imapthread.thread_subjects if kind == "ORDEREDSUBJECT" else imapthread.thread_references)

    # ---- COPY MOVE EXPUNGE
    def some_box(self):
        """(name, folder; None: there is none)."""
        boxes = sorted(self.view.model.folders)
        name = self.chance.choice(boxes * 4 + ["Nowhere", "A/None", "a.b", "/x"])
        return name, self.view.model.folders.get(name)

    def transfer(self):
        is_uid, form = self.form()
        is_move = self.chance.random() < 0.5
        view, source = self.view, self.view.folder
        text, uids = some_set(self.chance, view, is_uid)
        name, target = self.some_box()
        reply = self.command("%s%s %s" % (form, "MOVE" if is_move else "COPY", text), self.words(name))
        trouble = ("BAD", "") if uids is None else ("NO", "EXPUNGEISSUED") if self.is_short(text, uids, is_uid) else None
        has_no_name, may_not = view.model.canonical(name) is None, is_move and not view.is_writing
        for is_so, code in ((target is None, "TRYCREATE"), (has_no_name, "CANNOT"), (may_not, "NOPERM")):
            trouble = ("NO", code) if is_so else trouble
        if trouble:
            self.expect(reply, *trouble)
            self.rest_is_empty(self.after(reply, looks=True, is_uid=is_uid))
            return
        messages = self.targets(uids)
        made = [target.add(m.letter, self.carried(m, source, target), m.date) for m in messages]
        for message in messages if is_move else ():
            source.remove(message)
        rest = self.after(reply, looks=True, is_uid=is_uid)
        code = self.copyuid(reply, rest, is_move, bool(made))
        if code:
            target.learn_validity(int(code[0]))
            must([as_uids(c) for c in code[1:]] == [[m.uid for m in messages], [m.uid for m in made]], "COPYUID", code)

    @staticmethod
    def carried(message, source, target):
        """Its flags in the target: keywords go by name, in the order of their numbers."""
        named = [k for k in source.keywords if k in message.flags]
        return {f for f in message.flags if f in SYSTEM} | ({target.keyword(k) for k in named} - {None})

    def copyuid(self, reply, rest, is_move, is_any):
        if is_move and is_any:
            must(len(rest) == 1 and rest[0].startswith(b"OK [COPYUID "), "MOVE told:", rest)
            self.expect_highest(reply, True)
            return rest[0][12:].partition(b"]")[0].split()
        self.rest_is_empty(rest)
        self.expect(reply, "OK", "COPYUID" if is_any else "")
        return reply.code("COPYUID").split() if is_any else None

    def expect_highest(self, reply, is_move=False):
        """OK, with HIGHESTMODSEQ behind MOVE, and where CONDSTORE is on."""
        is_told = is_move or self.view.condstore
        self.expect(reply, "OK", "HIGHESTMODSEQ" if is_told else "")
        if is_told:
            self.view.folder.learn_highest(int(reply.code("HIGHESTMODSEQ")))

    def expunge(self):
        is_uid, view = self.chance.random() < 0.5, self.view
        text, uids = some_set(self.chance, view, True) if is_uid else ("", view.uids)
        reply = self.command("UID EXPUNGE " + text if is_uid else "EXPUNGE")
        if not view.is_writing:
            self.expect(reply, "NO", "NOPERM")
            self.rest_is_empty(self.after(reply, looks=True, is_uid=is_uid))
            return
        for message in self.targets(uids):
            if "\\Deleted" in message.flags:
                view.folder.remove(message)
        self.rest_is_empty(self.after(reply, looks=True, is_uid=is_uid))
        self.expect_highest(reply)

    # ---- APPEND
    def new_letter(self):
        MessageSteps.letters += 1
        ids = [m.letter.id for f in self.view.model.folders.values() for m in f.mail if m.letter.id and m.letter.id[1:-11].isdigit()]
        return make_letter(self.chance, MessageSteps.letters, sorted(set(ids)))

    def append(self):
        name, folder = self.some_box()
        if self.view.folder and self.chance.random() < 0.5:
            name, folder = next((n, f) for n, f in self.view.model.folders.items() if f is self.view.folder)
        letter, flags = self.new_letter(), some_flags(self.chance)
        date = 1700000000 + self.chance.randrange(20 * 86400)
        has_date = folder is not self.view.folder or self.chance.random() < 0.9
        words = ["(%s)" % " ".join(flags)] * (bool(flags) or self.chance.random() < 0.2) + [date_argument(self.chance, date)] * has_date
        began = int(time.time())
        reply = self.command("APPEND", self.words(name), *words, Literal(letter.raw, self.chance.random() < 0.4))
        if folder is None:
            self.expect(reply, "NO", "CANNOT" if self.view.model.canonical(name) is None else "TRYCREATE")
            self.rest_is_empty(self.after(reply, looks=True))
            return
        flags = {f if f in SYSTEM else folder.keyword(f) for f in flags}
        if None in flags:
            self.expect(reply, "NO", "LIMIT")
            self.rest_is_empty(self.after(reply, looks=True))
            return
        message = folder.add(letter, flags, date)
        self.expect(reply, "OK", "APPENDUID")
        validity, uid = reply.code("APPENDUID").split()
        folder.learn_validity(int(validity))
        must(int(uid) == message.uid, "APPENDUID", uid, "and not", message.uid)
        self.rest_is_empty(self.after(reply, looks=True))
        if not has_date:
            self.learn_date(message, began)

    def learn_date(self, message, began):
        """It came just now."""
        reply = self.command("UID FETCH %d INTERNALDATE" % message.uid)
        found = re.search(rb'INTERNALDATE "([^"]*)"', b"".join(reply.untagged))
        message.date = seconds_of(found.group(1).decode())
        must(began <= message.date <= time.time(), "INTERNALDATE", found.group(1), "of what came at", began)
        self.after(reply, [(message.uid, {"UID": None, "INTERNALDATE": found.group(1)})], is_uid=True)

    def deliver(self):
        """A mail comes into new/, and is heard of at the next look."""
        name, folder = self.some_box()
        if folder is None:
            return
        letter, date = self.new_letter(), 1700000000 + self.chance.randrange(20 * 86400)
        stored = letter.raw.replace(b"\r\n", b"\n")
        path = os.path.join(self.home, "box", "" if name == "INBOX" else "." + name.replace("/", "."))
        sizes = [",S=%d" % len(stored), ",W=%d" % letter.size]
        base = "%d.M%dP9.host" % (date, self.letters) + "".join(sizes[:self.chance.choice([0, 1, 2])])
        with open(os.path.join(path, "tmp", base), "wb") as f:
            f.write(stored)
        os.utime(os.path.join(path, "tmp", base), (date, date))
        os.rename(os.path.join(path, "tmp", base), os.path.join(path, "new", base))
        folder.add(letter, set(), date)
        if folder is self.view.folder:
            self.noop()
        else:
            self.status(name)

    # ---- IDLE
    def idle(self, other=None):
        """other(): what another session does meanwhile; it has to be heard without asking."""
        self.tag += 1
        tag = b"t%d" % self.tag
        self.transmit(tag + b" IDLE\r\n")
        line = self.line()
        must(line.startswith(b"+"), "IDLE is answered with", line)
        view = self.view
        view.look()
        heard, idled = Heard(view, [], TELLS), []
        for act in [None] + [other] * (other is not None):
            if act:
                view.changed -= heard.told  # it may change the same once more
                heard.told.clear()
                act()
            while view.folder and (view.has_pending() and view.changed - heard.told & set(view.folder.uids()) or view.uids != view.folder.uids()
                                   or view.has_new_names()):
                line = self.line()
                for part in [line] + ([self.line()] if line.endswith(b" EXISTS") else []):  # RECENT was counted with it
                    must(part.startswith(b"* ") and heard.take(part[2:]), "IDLE told:", part)
                    idled.append(part[2:])
                    view.look()
        self.transmit(b"DONE\r\n")
        reply = self.read_reply(tag)
        self.expect(reply, "OK")
        for line in reply.untagged:
            must(view.folder and heard.take(line), "told behind DONE:", line)
        if view.folder:
            heard.finish()
            reply.untagged = idled + reply.untagged
            view.count(reply, True)


def ranges_of(text, saved):
    """A set of UIDs as ranges; `*` has no end, since UIDs that went may be meant."""
    if text == "$":
        return [(u, u) for u in saved]
    ends = [[1 << 32 if end == "*" else int(end) for end in part.split(":")] for part in text.split(",")]
    return [(min(e), max(e)) for e in ends]


def as_numbers(tree):
    """Atoms as numbers where they are some."""
    return [as_numbers(t) if isinstance(t, list) else int(t) if t.isdigit() else t.decode() for t in tree]
