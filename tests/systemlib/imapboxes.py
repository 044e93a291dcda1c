# SPDX-License-Identifier: ISC
"""Random commands about mailboxes and of any state, each compared with the model; and commands that are none."""
import re

from systemlib.imapmodel import USES, Folder, must, name_fits
from systemlib.imapsteps import MessageSteps
from systemlib.imaptalk import LOOKS, TELLS, Literal
from systemlib.session import as_items, as_uids, parse

NAMES = ["A", "A/B", "A/B/C", "A/D", "E", "E/B", "Sent", "Drafts", "Junk", "x y", "Entw&APw-rfe", "Trash/old", "INBOX/in", "AB"]
BAD_NAMES = ["a.b", "/x", "a//b", "A&b", "&AB-", "."]
STATUS = ["MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "SIZE", "HIGHESTMODSEQ", "DELETED"]
PATTERNS = ["*", "*", "%", "A*", "A/%", "%/%", "*B", "inbox", "INBOX", "In%", "A", "x y", "%/*", "Nothing", "*/B*", "INBOX*"]
# Behind a tag; what cannot be read whole gets a tag that the client did not send.
MALFORMED = ["", "XYZZY", "FETCH", "FETCH 1", "FETCH 0 FLAGS", "FETCH 1 ()", "FETCH 1 (FLAGS", "FETCH 1 FLAGS)", "FETCH 1: FLAGS",
             "FETCH 1 BODY[", "FETCH 1 BODY[0]", "FETCH 1 BODY[]<5>", "FETCH 1 BODY[]<5.0>", "FETCH 1 BODY[MIME]",
             "FETCH 1 (HEADER.FIELDS ())", "FETCH a FLAGS", "FETCH 1,, FLAGS", "UID", "UID NOOP", "UID FETCH 1", "UID 1 FETCH",
             "STORE 1 FLAGS", "STORE 1 FLAGS (\\Recent)", "STORE 1 FLAGS (\\Nonsense)", "STORE 1 FLAG (\\Seen)", "STORE 1 +FLAGS (\\Seen",
             "STORE 1 (UNCHANGEDSINCE) FLAGS (\\Seen)", "SEARCH", "SEARCH NOT", "SEARCH OR SEEN", "SEARCH (SEEN", "SEARCH SEEN)",
             "SEARCH ()", "SEARCH BEFORE 31-Feb-2026", "SEARCH RETURN (NONE) ALL", "SEARCH LARGER x", "SEARCH FROM", "SORT (DATE) UTF-8",
             "SORT () UTF-8 ALL", "SORT (WORD) UTF-8 ALL", "SORT DATE UTF-8 ALL", "THREAD REFERENCES UTF-8", "THREAD ANY UTF-8 ALL",
             "COPY 1", "COPY 0 INBOX", "MOVE x INBOX", "EXPUNGE 1", "UID EXPUNGE", "UID EXPUNGE x", "SELECT", "SELECT INBOX x",
             "SELECT INBOX (NONSENSE)", "EXAMINE", "CREATE", "CREATE A (USE)", "DELETE", "RENAME A", "SUBSCRIBE", "LIST", 'LIST ""',
             'LIST (NONE) "" *', 'LIST (RECURSIVEMATCH) "" *', 'LIST "" * RETURN (NONE)', "LSUB", "STATUS INBOX", "STATUS INBOX ()",
             "STATUS INBOX (NONE)", "APPEND INBOX", "APPEND INBOX x", 'APPEND INBOX (\\Seen) "nonsense" x', "ENABLE", "ID", "ID (x)",
             'ID ("a")', "NAMESPACE x", "NOOP x", "CHECK x", "CLOSE x", "UNSELECT x", "CAPABILITY x", "IDLE x", 'SELECT "INBOX',
             "FETCH 4294967296 FLAGS", "FETCH 1 RFC822.NONE", "SEARCH MODSEQ x", "SEARCH UID", "NOOP  ", " NOOP", "FETCH  1 FLAGS",
             "SELECT {x}", "SELECT {5+", "LOGIN a b"]


def refusal(*cases):
    """The reply of the first case that is so; None: nothing speaks against it."""
    return next((("NO", code) for is_so, code in cases if is_so), None)


class BoxSteps(MessageSteps):
    def box_name(self):
        """A name as the client may write it, and the mailbox's own; None: no mailbox can have it."""
        kind = self.chance.random()
        name = self.chance.choice(BAD_NAMES if kind < 0.05 else sorted(self.view.model.folders) if kind < 0.5 else NAMES)
        if name == "INBOX":
            name = self.chance.choice(["INBOX", "inbox", "Inbox"])
        elif self.chance.random() < 0.05:
            name += "/"
        return name, self.view.model.canonical(name)

    def loose(self, reply, looks=True):
        """The untagged replies of a command that tells even though it is not about the selected mailbox."""
        return self.settle(reply, (), TELLS | LOOKS * (looks and reply.status != "BAD"))

    # ---- SELECT and its like
    def select(self, name=None, verb=None, qresync=0.6):
        """qresync: how often a client that can do it asks what changed since."""
        view = self.view
        shown, name = (name, name) if name else self.box_name()
        verb = verb or self.chance.choice(["SELECT", "SELECT", "SELECT", "EXAMINE"])
        folder, parameter, since, known, memory = view.model.folders.get(name), [], None, None, None
        if self.chance.random() < 0.15:
            parameter = ["(CONDSTORE)"]
        elif view.qresync and folder and folder.uidvalidity and self.chance.random() < qresync:
            since = self.chance.choice([folder.highest, folder.highest, 1] + [m.modseq for m in folder.mail if m.modseq])
            known = self.chance.choice([None, None, (2, max(2, folder.uidnext // 2))])
            if folder is view.folder and view.counts and self.chance.random() < max(0.7, qresync):
                memory, known = folder, None  # as a client does that lost its connection
                since = view.highest
            more = (" %d:%d" % known if known else "") + self.chance.choice(["", " (1 1)"])
            parameter = ["(QRESYNC (%d %d%s))" % (folder.uidvalidity, since, more)]
        was_selected = view.folder is not None
        reply = self.command(verb, self.words(shown), *parameter)
        view.condstore = view.condstore or bool(parameter and folder)
        if was_selected:
            must(reply.untagged and reply.untagged.pop(0).startswith(b"OK [CLOSED]"), "no CLOSED before", reply.untagged)
        view.leave()
        if folder is None:
            self.expect(reply, "NO", "NONEXISTENT")
            must(not reply.untagged, "told:", reply.untagged)
            return
        self.expect(reply, "OK", "READ-WRITE" if verb == "SELECT" else "READ-ONLY")
        view.enter(folder, verb == "SELECT")
        self.selected_state(reply)
        self.resynced(reply, since, known)
        if memory:
            self.nothing_is_lost(reply, *view.memory[memory])

    def selected_state(self, reply):
        view, folder = self.view, self.view.folder
        lines = [l for l in reply.untagged if not re.match(rb"VANISHED|\d+ FETCH", l)]
        first = next((n for n, m in enumerate(folder.mail, 1) if "\\Seen" not in m.flags), None)
        wanted = {"EXISTS": len(folder.mail), "RECENT": len(view.recent()), "UIDNEXT": folder.uidnext, **({"UNSEEN": first} if first else {})}
        got = {}
        for line in lines:
            found = re.match(rb"(\d+) (EXISTS|RECENT)$", line) or re.match(rb"OK \[(?P<word>[A-Z]+) (?P<number>\d+)\]", line)
            if found:
                word, number = (found["word"], found["number"]) if b"[" in line else (found[2], found[1])
                got[word.decode()] = int(number)
        folder.learn_validity(got.pop("UIDVALIDITY"))
        view.highest, view.counts = got.pop("HIGHESTMODSEQ"), view.condstore
        folder.learn_highest(view.highest)
        must(got == wanted, "SELECT tells", got, "and not", wanted)
        must(len([l for l in lines if view.hear_names(l)]) == 2 and len(lines) == len(got) + 4, "SELECT tells", lines)
        view.names_are_told()

    def resynced(self, reply, since, known):
        """The rest of SELECT (QRESYNC): what went and what changed since."""
        view, folder = self.view, self.view.folder
        rest = [l for l in reply.untagged if l.startswith(b"VANISHED")]
        fetched = list(reply.fetched())
        told = {int(items["UID"]): items for _, items in fetched if "UID" in items}
        must(len(told) == len(fetched) and (since is not None or not fetched), "SELECT tells", fetched)
        must([view.uids.index(u) + 1 for u in told] == [number for number, _ in fetched], "SELECT tells", fetched)
        for uid, items in told.items():
            message = folder.message(uid)
            folder.learn(message, int(items["MODSEQ"][0]))
            must(message.modseq > since and {f.decode() for f in items["FLAGS"]} == view.flags(message), "SELECT tells", uid, items)
        for message in folder.mail if since is not None else ():
            is_meant = known is None or known[0] <= message.uid <= known[1]
            must(is_meant or message.uid not in told, "UID", message.uid, "is told, and is none of", known)
            is_old = message.above < since if message.modseq is None else message.modseq <= since
            must(not is_meant or message.uid in told or is_old, "UID", message.uid, "is not told and changed since", since)
        self.vanished_earlier(rest, since, known and [known])

    def resync(self, other=None):
        """A connection is lost before all that another session did was told."""
        view = self.view
        if view.qresync:
            if other and other.view.folder is view.folder:
                getattr(other, self.chance.choice(["expunge", "store"]))()
                getattr(self, self.chance.choice(["store", "fetch", "search"]))()
            self.select(next(n for n, f in view.model.folders.items() if f is view.folder), None, 1)

    def nothing_is_lost(self, reply, highest, known):
        """What the client heard before and now is what is there."""
        folder = self.view.folder
        told = {int(items["UID"]) for _, items in reply.fetched()}
        gone = {u for l in reply.untagged if l.startswith(b"VANISHED (EARLIER) ") for u in as_uids(l.split()[2])}
        for uid, flags in known.items():
            message = folder.message(uid)
            is_known = uid in told or (message and message.flags == flags) if message else uid in gone
            must(is_known, "UID", uid, "was", flags, "at the mod-sequence", highest, "and is", message and message.flags, "told:", reply.untagged)

    def leave(self):
        word, view = self.chance.choice(["CLOSE", "CLOSE", "UNSELECT"]), self.view
        reply = self.command(word)
        self.expect(reply, "OK")
        if word == "CLOSE" and view.is_writing:
            for message in view.alive():
                if "\\Deleted" in message.flags:
                    view.folder.remove(message)
        view.leave()
        must(not reply.untagged, word, "told:", reply.untagged)

    # ---- CREATE DELETE RENAME SUBSCRIBE
    def is_busy(self, name):
        """Another session has it, or something below it, selected: what it would hear then is not laid down."""
        model = self.view.model
        return any(v.folder is model.folders[n] for v in model.views if v is not self.view for n in model.below(name))

    def answer(self, reply, trouble):
        self.expect(reply, *(trouble or ("OK", "")))
        self.rest_is_empty(self.loose(reply))

    def create(self):
        model = self.view.model
        shown, name = self.box_name()
        use = self.chance.choice([None] * 6 + USES + ["\\Odd"])
        reply = self.command("CREATE", self.words(shown), *([] if use is None else ["(USE (%s))" % use]))
        is_taken = use and (use not in USES or use in model.uses.values())
        trouble = refusal((name is None, "CANNOT"), (use == "\\Odd", "USEATTR"), (name in model.folders, "ALREADYEXISTS"), (is_taken, "USEATTR"))
        if not trouble:
            model.folders[name] = Folder(model.buried.get(name, 0))
            if use:
                model.uses[name] = use
        self.answer(reply, trouble)

    def delete(self):
        model = self.view.model
        shown, name = self.box_name()
        if name in model.folders and any(v.folder is model.folders[name] for v in model.views if v is not self.view):
            return
        reply = self.command("DELETE", self.words(shown))
        trouble = refusal((name in (None, "INBOX"), "CANNOT"), (name not in model.folders, "NONEXISTENT"))
        if not trouble:
            folder = model.folders.pop(name)
            model.buried[name] = max(model.buried.get(name, 0), folder.uidvalidity or 0)
            model.uses.pop(name, None)
            if self.view.folder is folder:
                self.view.leave()
        self.answer(reply, trouble)

    def rename(self):
        model = self.view.model
        (shown, name), (shown_to, to) = self.box_name(), self.box_name()
        if name and self.is_busy(name):
            return
        reply = self.command("RENAME", self.words(shown), self.words(shown_to))
        moved, is_inbox = [] if name in (None, "INBOX") else model.below(name), name == "INBOX"
        targets = [to + n[len(name):] for n in moved] if to else []
        trouble = refusal((name is None or to is None, "CANNOT"), (not moved and not is_inbox, "NONEXISTENT"),
                          (to in model.folders, "ALREADYEXISTS"), (moved and (to or "").startswith(name + "/"), "CANNOT"),
                          (any(t in model.folders for t in targets), "ALREADYEXISTS"))
        if trouble:
            self.answer(reply, trouble)
            return
        for old in moved:
            new = to + old[len(name):]
            model.folders[new] = model.folders.pop(old)
            model.buried[old] = max(model.buried.get(old, 0), model.folders[new].uidvalidity or 0)
            if old in model.uses:
                model.uses[new] = model.uses.pop(old)
        if is_inbox:
            self.move_inbox(to)
        self.answer(reply, None)

    def move_inbox(self, to):
        """INBOX stays, and is empty."""
        inbox, target = self.view.model.folders["INBOX"], Folder()
        self.view.model.folders[to] = target
        for message in list(inbox.mail):
            target.add(message.letter, self.carried(message, inbox, target), message.date)
            inbox.remove(message)

    def subscribe(self):
        model = self.view.model
        shown, name = self.box_name()
        verb = self.chance.choice(["SUBSCRIBE", "SUBSCRIBE", "UNSUBSCRIBE"])
        reply = self.command(verb, self.words(shown))
        trouble = refusal((name is None, "CANNOT"), (verb == "SUBSCRIBE" and name not in model.folders, "NONEXISTENT"))
        if not trouble:
            (model.subscribed.add if verb == "SUBSCRIBE" else model.subscribed.discard)(name)
        self.answer(reply, trouble)

    # ---- LIST and STATUS
    def list(self):
        chance, verb = self.chance, self.chance.choice(["LIST"] * 6 + ["LSUB", "LSUB", "XLIST"])
        reference, patterns = chance.choice([""] * 6 + ["A/", "in"]), [chance.choice(PATTERNS)]
        select, returns, items = [], [], []
        if verb == "LIST" and chance.random() < 0.5:
            select = chance.choice(["", "", "SUBSCRIBED", "SPECIAL-USE", "SUBSCRIBED RECURSIVEMATCH", "REMOTE", "SUBSCRIBED SPECIAL-USE",
                                    "SPECIAL-USE RECURSIVEMATCH"])
            select = select.split()
            patterns += [chance.choice(PATTERNS)] * chance.choice([0, 0, 1])
            returns = [r for r in ("SUBSCRIBED", "CHILDREN", "SPECIAL-USE") if chance.random() < 0.3]
            items = chance.sample(STATUS[:7], 3) if chance.random() < 0.4 else []
        is_extended = bool(select or returns or items or len(patterns) > 1)
        shown = [p if re.fullmatch(r"[A-Za-z/*%]+", p) and chance.random() < 0.7 else '"%s"' % p for p in patterns]
        words = ["(%s)" % " ".join(select)] * bool(select) + ['"%s"' % reference, shown[0] if len(shown) == 1 else "(%s)" % " ".join(shown)]
        words += ["RETURN (%s)" % " ".join(returns + ["STATUS (%s)" % " ".join(items)] * bool(items))] * bool(returns or items)
        reply = self.command(verb, *words)
        self.expect(reply, "OK")
        wanted = self.listing(verb, [reference + p for p in patterns], select, returns, is_extended)
        self.compare_list(reply.untagged, verb, wanted, items)

    def listing(self, verb, patterns, select, returns, is_extended):
        """name -> (attributes, what CHILDINFO tells, does it meet the criteria)."""
        model, uses, out = self.view.model, self.view.model.all_uses(), {}
        for name in model.listed():
            if not name_fits(patterns, name):
                continue
            exists, is_subscribed, has_children = name in model.folders, name in model.subscribed, model.has_children(name)
            by_subscribed = verb == "LSUB" or "SUBSCRIBED" in select
            criteria = [model.subscribed] * by_subscribed + [uses] * ("SPECIAL-USE" in select)
            below = [n for n in model.listed() if n.startswith(name + "/") and criteria and all(n in c for c in criteria)]
            below *= verb == "LSUB" or "RECURSIVEMATCH" in select
            is_meant = all(name in c for c in criteria) if criteria else exists or has_children
            if not is_meant and all(name_fits(patterns, n) for n in below):
                continue
            if verb == "LSUB":
                out[name] = (set() if is_subscribed else {"\\Noselect"}, [], is_meant)
                continue
            attributes = {"\\HasChildren" if has_children else "\\HasNoChildren"}
            attributes |= set() if exists else {"\\NonExistent" if is_extended else "\\Noselect"}
            attributes |= {"\\Subscribed"} if is_subscribed and (by_subscribed or "SUBSCRIBED" in returns) else set()
            attributes |= {uses[name]} if name in uses else set()
            attributes |= {"\\Inbox"} if verb == "XLIST" and name == "INBOX" else set()
            told = [s for s in ("SUBSCRIBED", "SPECIAL-USE") if s in select]
            out[name] = (attributes, [[b"CHILDINFO", [s.encode() for s in told]]] if below else [], is_meant)
        return out

    def compare_list(self, lines, verb, wanted, items):
        got, last = {}, None
        has_status = {name for name, (_, _, is_meant) in wanted.items() if is_meant and items and name in self.view.model.folders}
        for line in lines:
            if line.startswith(b"STATUS "):
                must(last in has_status, "STATUS is told:", line)
                self.compare_status(line, last, items, len(self.view.model.folders[last].recent()))
                last = None
                continue
            must(last not in has_status, "no STATUS behind", last)
            word, attributes, separator, last, *more = parse(line)
            last = last.decode()
            must(word.decode() == verb and separator == b"/" and last not in got, verb, "tells", lines)
            got[last] = ({a.decode() for a in attributes}, more)
        wanted = {name: (attributes, more) for name, (attributes, more, _) in wanted.items()}
        must(got == wanted, verb, "\n  got   ", got, "\n  wanted", wanted)

    def compare_status(self, line, name, items, recent):
        folder = self.view.model.folders[name]
        _, told, values = parse(line)
        got = {k: int(v) for k, v in as_items(values).items()}
        must(told.decode() == name and set(got) == set(items), "STATUS of", name, items, "is", line)
        flags = [m.flags for m in folder.mail]
        wanted = {"MESSAGES": len(flags), "RECENT": recent, "UIDNEXT": folder.uidnext, "UNSEEN": sum("\\Seen" not in f for f in flags),
                  "SIZE": sum(m.letter.size for m in folder.mail), "DELETED": sum("\\Deleted" in f for f in flags)}
        if "UIDVALIDITY" in got:
            folder.learn_validity(got.pop("UIDVALIDITY"))
        if "HIGHESTMODSEQ" in got:
            folder.learn_highest(got.pop("HIGHESTMODSEQ"))
        must(got == {k: wanted[k] for k in got}, "STATUS of", name, "\n  got   ", got, "\n  wanted", wanted)

    def status(self, name=None):
        shown, name = (name, name) if name else self.box_name()
        items = self.chance.sample(STATUS, self.chance.choice([1, 3, 8]))
        if not self.view.condstore and self.chance.random() < 0.7:
            items = [i for i in items if i != "HIGHESTMODSEQ"] or ["MESSAGES"]
        reply = self.command("STATUS", self.words(shown), "(%s)" % " ".join(items))
        self.view.condstore = self.view.condstore or "HIGHESTMODSEQ" in items
        folder = self.view.model.folders.get(name)
        if folder is None:
            self.expect(reply, "NO", "NONEXISTENT")
            self.rest_is_empty(self.loose(reply))
            return
        self.expect(reply, "OK")
        told = [line for line in reply.untagged if line.startswith(b"STATUS ")]
        must(len(told) == 1, "STATUS told:", reply.untagged)
        self.compare_status(told[0], name, items, len(folder.recent()))  # before this session looks, and takes what is recent
        must(self.loose(reply) == told, "STATUS told:", reply.untagged)

    # ---- any state
    def enable(self, *words):
        words, view = list(words) or self.chance.choice([["CONDSTORE"], ["QRESYNC"], ["X-NONE"], ["CONDSTORE", "X-NONE"]]), self.view
        had = view.condstore
        reply = self.command("ENABLE", " ".join(words))
        view.qresync = view.qresync or "QRESYNC" in words
        view.condstore = view.condstore or words != ["X-NONE"]
        self.expect(reply, "OK")
        wanted = {"CONDSTORE"} if "CONDSTORE" in words else {"CONDSTORE", "QRESYNC"} if "QRESYNC" in words else set()
        must(set(reply.untagged[0].decode().split()[1:]) == wanted, "ENABLE", words, "told:", reply.untagged)
        is_told = view.folder is not None and view.condstore and not had
        must(len(reply.untagged) == 1 + is_told, "ENABLE", words, "told:", reply.untagged)
        if is_told:
            view.count(reply)

    def say_who(self):
        word, wanted = self.chance.choice([("ID NIL", b"ID "), ('ID ("name" "x" "v" NIL)', b"ID "), ("CAPABILITY", b"CAPABILITY IMAP4rev1 "),
                                           ("NAMESPACE", b'NAMESPACE (("" "/")) NIL NIL'), ('LIST "" ""', b'LIST (\\Noselect) "/" ""')])
        reply = self.command(word)
        self.expect(reply, "OK")
        must(len(reply.untagged) == 1 and reply.untagged[0].startswith(wanted), word, "told:", reply.untagged)

    def malformed(self):
        """BAD, and the session is as before."""
        text = self.chance.choice(MALFORMED)
        self.tag += 1
        tag = b"t%d" % self.tag
        self.transmit(tag + (" " + text if text else "").encode() + b"\r\n")
        line = self.line()
        untagged = []
        while line.startswith(b"* ") and not line.startswith(b"* BAD"):
            untagged.append(line[2:])
            line = self.line()
        must(re.match(rb"(%s|\*) BAD" % tag, line), text, "is answered with", line)
        self.rest_is_empty(self.pending_only(text, untagged))

    def pending_only(self, text, untagged):
        """What others changed may be told behind a command that was known, though its form was wrong."""
        words = text.split() + ["", ""]
        reply = self.as_reply(b"", b" BAD ", untagged)
        word = words[1] if words[0] == "UID" else words[0]
        is_selected = word in ("FETCH", "STORE", "SEARCH", "SORT", "THREAD", "COPY", "MOVE", "EXPUNGE", "CHECK", "CLOSE", "UNSELECT")
        is_loose = word in ("NOOP", "STATUS", "APPEND", "CREATE", "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE")
        is_known = text[:1] != " " and (is_selected or (is_loose and words[0] != "UID")) and "{" not in text
        if not is_known or self.view.folder is None:
            return self.settle(reply, (), 0)
        keeps = words[0] in ("FETCH", "STORE", "SEARCH", "SORT", "THREAD")
        return self.after(reply, is_uid=words[0] == "UID", keeps=keeps)

    def logout(self):
        reply = self.command("LOGOUT")
        self.expect(reply, "OK")
        must(len(reply.untagged) == 1 and reply.untagged[0].startswith(b"BYE "), "LOGOUT told:", reply.untagged)

    def too_long(self):
        reply = self.command("SELECT", Literal(b"x" * 300000, False))
        self.expect(reply, "BAD", "TOOBIG")
        must(not reply.untagged, "told:", reply.untagged)
