# SPDX-License-Identifier: ISC
"""A Maildir to break: stafet-imapd alone on a socket pair, no login. What a client was told lives in this process (imap_ledger.py)."""

import os
import re
import shutil

import letters
from house import House, end_group, wait_end
from systemlib.imap import Imap

KEYWORDS = 30  # of the second template: the first 26 are letters in names, the rest stand in our own file
FOLDERS = ("INBOX", "Work", "Work/Deep", "Other")
JOURNAL = 140000  # bytes, more than a session lets stand
DERIVED = ("stafet.index", "stafet.cache", "stafet.fresh")


class Session(Imap):
    """A client of one stafet-imapd."""
    _encoding = "ascii"

    def __init__(self, house, wrapper=()):  # noqa: it is connected already
        ours, theirs = letters.socket_pair()
        self.process = house.popen(wrapper, ("stafet-imapd", "-m", house.mail), theirs)
        theirs.close()
        ours.settimeout(30)
        self.sock, self.file = ours, ours.makefile("rb")
        self.tagpre, self.tagnum, self.tagged_commands, self.heard, self.is_stuck = b"t", 1, {}, [], False
        self.greeting = self.hear(self.read_line)

    def hear(self, read):
        """What it says; None: it is gone, or (is_stuck) does not answer."""
        try:
            return read()
        except TimeoutError:
            self.is_stuck = True
        except (OSError, Imap.abort):
            pass
        return None

    def read_line(self):
        self.heard.append(super().read_line())
        return self.heard[-1]

    def ask(self, *words):
        """(tagged reply, untagged lines); the reply is None when it is gone, the lines are those that came before."""
        self.heard = []
        return self.hear(lambda: self.say(*words)) or (None, self.heard)

    def end(self):
        """Its exit status: 0, or None when it had to be killed."""
        if not self.is_stuck:
            self.ask("LOGOUT")
        self.file.close()
        self.sock.close()
        status = wait_end(self.process, 20)
        end_group(self.process)
        return status


class ImapHouse(House):
    """Templates of one Maildir: with no keyword, with more than a name has letters for, and with a long journal."""
    mail = "Maildir"
    is_breaking = is_always_broken = False  # only then the recipes of extra_env hold

    def environment(self, name=""):
        return super().environment(name if self.is_breaking or self.is_always_broken else "")

    def begin(self):
        os.makedirs(self.path("control"), exist_ok=True)
        self.control("me", "mx.fault.test")

    def make_maildir(self):
        shutil.rmtree(self.path(self.mail), ignore_errors=True)
        for inner in ("tmp", "new", "cur"):
            os.makedirs(self.path(self.mail, inner), 0o700)

    def build(self, form=None):
        self.begin()
        if form:
            self.control("spoolsync", form)
        for template, keywords in (("few", 0), ("many", KEYWORDS), ("grown", 0)):
            self.make_maildir()
            self.make_template(keywords)
            if template == "grown":
                self.grow()
            shutil.copytree(self.path(self.mail), self.path(template))

    def make_template(self, keywords):
        session = Session(self)
        for folder in FOLDERS[1:]:
            self.must(session, f"CREATE {folder}")
        for i, folder in enumerate(("INBOX", "INBOX", "INBOX", "INBOX", "Work", "Work/Deep", "Other")):
            self.must(session, f"APPEND {folder}", ("", "(\\Seen) ", "(\\Flagged) ", "(\\Deleted) ")[i % 4].encode() + literal(i + 1, 300))
        self.must(session, "SUBSCRIBE Work")
        for folder, n in (("INBOX", keywords), ("Other", keywords - 2)):
            self.must(session, f"SELECT {folder}")
            for i in range(n):
                self.must(session, f"STORE 1 +FLAGS.SILENT (k{i})")
        session.end()

    def grow(self):
        """A journal that is due to be folded, and nobody has done it."""
        session = Session(self)
        self.must(session, "SELECT INBOX")
        while os.path.getsize(self.path(self.mail, "stafet.index")) < JOURNAL:
            for sign in "+-":
                self.must(session, f"STORE 1 {sign}FLAGS.SILENT (\\Flagged)")
        end_group(session.process)

    @staticmethod
    def must(session, *words):
        reply, lines = session.ask(*words)
        if reply is None or not reply.startswith(b"OK"):
            raise RuntimeError(f"{words[0]!r} without a fault: {reply!r}")
        return reply, lines

    def restore(self, template):
        """The Maildir as in the template, and known to the index under its inode numbers."""
        shutil.rmtree(self.path(self.mail), ignore_errors=True)
        shutil.copytree(self.path(template), self.path(self.mail))
        self.last_number = 100

    def maildirs(self):
        return [self.path(self.mail)] + [self.path(self.mail, name) for name in os.listdir(self.path(self.mail)) if re.match(r"\.[^.]", name)]

    def forget_derived(self):
        for folder in self.maildirs():
            for name in DERIVED:
                if os.path.exists(os.path.join(folder, name)):
                    os.unlink(os.path.join(folder, name))

    def forget(self):
        if os.path.exists(self.log_path):
            os.truncate(self.log_path, 0)


class DeliveryHouse(ImapHouse):
    """The Maildir is ann's, and local can deliver to it."""
    mail = f"domains/{letters.DOMAIN}/ann/Maildir"

    def begin(self):
        House.build(self)

    def build(self, _=None):
        self.begin()


def literal(number, size):
    """A message of that number as the end of an APPEND."""
    wire = letters.make(number, size).replace(b"\n", b"\r\n")
    return b"{%d+}\r\n%s" % (len(wire), wire)
