# SPDX-License-Identifier: ISC
"""An IMAP client on Python's imaplib: any command in words, untagged replies as bytes, IDLE."""
import imaplib
import re

imaplib._MAXLINE = 10_000_000


class Imap(imaplib.IMAP4):
    def __init__(self, port, user=None, password=None, timeout=30):
        super().__init__("127.0.0.1", port, timeout)
        if user is not None:
            self.login(user, password)

    def say(self, *words):
        """Sends a command; (tagged reply, untagged lines), both bytes. Literals stand in their lines; a NO is no exception."""
        tag = self._new_tag()
        self.send(b" ".join([tag, *(w.encode() if isinstance(w, str) else w for w in words)]) + b"\r\n")
        return self.read_until(tag)

    def read_until(self, tag):
        lines = []
        while True:
            line = self.read_line()
            if line.startswith(tag + b" "):
                return line[len(tag) + 1:], lines
            lines.append(line)

    def read_line(self):
        """A reply with its literals in it, without the CRLF."""
        whole = b""
        while True:
            line = self.readline()
            if not line.endswith(b"\r\n"):
                raise self.abort("connection closed: %r" % (whole + line))
            whole += line
            literal = re.search(rb"\{(\d+)\}\r\n$", line)
            if not literal:
                return whole[:-2]
            whole += self.read(int(literal.group(1)))

    def idle(self):
        """Sends IDLE, and comes back when the server idles; the tag for done()."""
        tag = self._new_tag()
        self.send(tag + b" IDLE\r\n")
        while not self.read_line().startswith(b"+"):
            pass
        return tag

    def idle_until(self, beginning):
        """The first line with this word in it, heard while idling."""
        while True:
            line = self.read_line()
            if beginning in line:
                return line

    def done(self, tag):
        self.send(b"DONE\r\n")
        return self.read_until(tag)

    def messages(self, items="UID FLAGS"):
        """Of the selected mailbox: {UID: the rest of its FETCH line}."""
        reply, lines = self.say("UID FETCH 1:* (%s)" % items)
        if not reply.startswith(b"OK"):
            raise self.error(reply)
        return {int(re.search(rb"UID (\d+)", line).group(1)): line for line in lines if b" FETCH (" in line}

    def flags(self):
        """{UID: set of flags and keywords, \\Recent left out}."""
        found = {uid: re.search(rb"FLAGS \(([^)]*)\)", line).group(1).split() for uid, line in self.messages().items()}
        return {uid: {flag.decode() for flag in flags} - {"\\Recent"} for uid, flags in found.items()}
