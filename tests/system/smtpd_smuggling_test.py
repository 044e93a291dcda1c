#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""SMTP smuggling: nine sequences that some server takes for the end of a text, each in DATA, cut at every byte into two reads, byte by byte, and in
a chunk of BDAT. No part of a text ever becomes a command: one reply behind it, and at most the one message. A server that takes bare line ends is
found out by the same test. Then: what comes too early, at each point where the client has to wait."""
import os
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from dialoglib import frames, smtp  # noqa: E402

SEQUENCES = {"LF.LF": b"\n.\n", "LF.CR": b"\n.\r", "CR.LF": b"\r.\n", "CR.CR": b"\r.\r", "LF.CRLF": b"\n.\r\n", "CR.CRLF": b"\r.\r\n",
             "CRLF.CRCRLF": b"\r\n.\r\r\n", "CRCRLF.CRCRLF": b"\r\r\n.\r\r\n", "CRLF-NUL-.CRLF": b"\r\n\0.\r\n"}
HARMLESS = ("CRLF-NUL-.CRLF",)  # no bare line end in it: a text like any other
BEFORE = b"Subject: one\r\n\r\nhi"
SMUGGLED = (b"MAIL FROM:<evil@b.test>\r\nRCPT TO:<joe@example.test>\r\nDATA\r\nSubject: two\r\n\r\nsmuggled")


def begin(session):
    """To the 354. What was said."""
    session.reply()
    session.command("EHLO c.test")
    session.command("MAIL FROM:<ann@b.test>")
    session.command("RCPT TO:<joe@example.test>")


def end_of(session):
    """The replies to the text and to QUIT, up to the end of the connection."""
    session.send(b"QUIT\r\n")
    replies = []
    while (reply := session.reply()) is not None:
        replies.append(reply[0])
    session.close()
    return replies


def send_data(session, sequence, pieces):
    begin(session)
    session.command("DATA")
    text = BEFORE + sequence + SMUGGLED + b"\r\n.\r\n"
    for start, stop in zip([0] + pieces, pieces + [len(text)]):
        session.send_apart(text[start:stop])
    return end_of(session)


def send_chunk(session, sequence, _):
    begin(session)
    text = BEFORE + sequence + SMUGGLED + b"\r\n"
    session.send(b"BDAT %d LAST\r\n" % len(text) + text)
    return end_of(session)


def judge(name, replies, messages):
    """None, or what is wrong."""
    wanted = ([250, 221], 1) if name in HARMLESS else ([550, 221], 0)
    return None if (replies, messages) == wanted else "%s: replies %s, %d messages" % (name, replies, messages)


def attack(house, name, how, pieces):
    before = len(house.calls("queue"))
    replies = how(smtp.Session(house), SEQUENCES[name], pieces)
    messages = sum("unfinished" not in call for call in house.calls("queue")[before:])
    trouble = judge(name, replies, messages)
    return trouble and "%s, cut at %s" % (trouble, pieces)


class Credulous:
    """A server that ends lines at every LF or CR, as some did: it has to be found out."""

    def __init__(self, sock):
        self.sock, self.messages = sock, 0
        sock.sendall(b"220 x\r\n")
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        in_text, data = False, b""
        while more := self.sock.recv(4096):
            data = (data + more).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            *lines, data = data.split(b"\n")
            for line in lines:
                if in_text and line != b".":
                    continue
                self.messages += in_text
                in_text = not in_text and line == b"DATA"
                self.sock.sendall(b"354 go\r\n" if in_text else b"250 ok\r\n")
                if line == b"QUIT":
                    self.sock.close()
                    return


class CredulousSession(smtp.Session):
    def __init__(self):  # pylint: disable=super-init-not-called
        self.sock, theirs = socket.socketpair()
        self.server, self.data, self.said = Credulous(theirs), b"", []

    def send_apart(self, data):
        return self.send(data)

    def close(self):
        self.sock.close()


def early(house, name, lines, late):
    """`late` comes with the last of lines, before its reply."""
    before = len(house.calls("queue"))
    session = smtp.Session(house)
    session.reply()
    for line in lines[:-1]:
        session.command(line)
    session.send(lines[-1].encode() + b"\r\n" + late)
    replies = []
    while (reply := session.reply()) is not None:
        replies.append(reply)
    session.close()
    if replies != [(554, "5.5.0")] or len(house.calls("queue")) != before:
        return "%s: %s" % (name, replies)
    return None


def early_troubles(house):
    hello, mail, rcpt = "EHLO c.test", "MAIL FROM:<ann@b.test>", "RCPT TO:<joe@example.test>"
    for late in (b"N", b"\r\n", b"NOOP\r\n", b"MAIL FROM:<a@b.test>\r\n", b".\r\n", b"x" * 20000):
        for name, lines in (("EHLO", [hello]), ("HELO", ["HELO c.test"]), ("a second EHLO", [hello, mail, hello]), ("DATA", [hello, mail, rcpt, "DATA"]),
                            ("DATA too early itself", [hello, "DATA"])):
            yield early(house, "%s and %s" % (name, late[:20]), lines, late)


def main():
    results = smtp.Results()
    house = smtp.House()
    try:
        for name, sequence in SEQUENCES.items():
            cuts = [[at] for at in range(len(BEFORE) - 4, len(BEFORE) + len(sequence) + 6)]
            cuts.append(list(range(len(BEFORE) - 2, len(BEFORE) + len(sequence) + len(SMUGGLED))))
            troubles = [t for t in (attack(house, name, send_data, cut) for cut in cuts) if t]
            results.ok(not troubles, "%s_in_data_cut_in_%d_ways" % (name, len(cuts)), "\n".join(troubles[:5]))
            trouble = attack(house, name, send_chunk, [])
            results.ok(trouble is None, "%s_in_a_chunk" % name, trouble)
        for name, sequence in SEQUENCES.items():
            if name not in HARMLESS:
                session = CredulousSession()
                replies = send_data(session, sequence, [])
                results.ok(judge(name, replies, session.server.messages), "a_server_that_falls_for_%s_is_found_out" % name, frames.show(sequence))
        troubles = [t for t in early_troubles(house) if t]
        results.ok(not troubles, "what_comes_before_a_reply_ends_the_session", "\n".join(troubles[:5]))
    finally:
        house.remove()
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
