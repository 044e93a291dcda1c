#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Awkward messages come back by POP3 byte for byte: RETR, TOP, LIST and what is announced. Needs only stafet-pop3d."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

BIN = os.environ.get("STAFET_BIN", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/bin"))
HEADER = b"From: a@b.test\nSubject: x\n\n"
READ = 65536  # the size of pop3d's reads: what lies across its end is the interesting part


def messages():
    yield "empty", b""
    yield "a_line_feed_alone", b"\n"
    yield "no_body", b"Subject: x\n"
    yield "no_final_line_feed", HEADER + b"the end"
    yield "a_final_dot_without_line_feed", HEADER + b"."
    yield "eight_bit_bytes", HEADER + bytes(range(128, 256)) * 9 + b"\n"
    yield "every_byte", HEADER + bytes(range(256)) * 3
    yield "nul_bytes", HEADER + b"\0" * 5000 + b"\n\0\n"
    yield "bare_carriage_returns", HEADER + b"a\rb\r\rc\r"
    yield "crlf_in_the_file", HEADER.replace(b"\n", b"\r\n") + b"a\r\n.\r\n..b\r\n"
    yield "cr_cr_lf", HEADER + b"a\r\r\nb\r\n\r\n"
    yield "lf_cr", HEADER + b"a\n\rb\n\r"
    yield "dots_everywhere", b".\n..\n.x\n\n.\n..\n...\n.\r.\r\n.\n" * 40
    yield "nothing_but_dots", b"." * 200000
    yield "a_line_of_dots_each", b".\n" * 100000
    yield "end_of_data_inside", HEADER + b"\r\n.\r\nQUIT\r\n\n.\nQUIT\n"
    yield "a_line_of_5_MB", HEADER + b"x" * 5000000 + b"\n"
    yield "50000_short_lines", HEADER + b"".join(b"%d\n" % i for i in range(50000))
    yield "1_MB_of_headers", b"".join(b"X-Header-%d: value\n" % i for i in range(50000)) + b"\nbody\n"
    yield "10_MB", HEADER + (b"y" * 70 + b"\n.z\n") * 140000
    for around in (READ, 2 * READ):
        for piece in (b"\r\n", b"\n.", b"\r\n.", b"\r.", b"\n\n", b"\r\r\n", b".\n", b"\n.\n", b"\n.\r\n"):
            for shift in range(len(piece) + 1):
                yield "%r_across_%d_by_%d" % (piece, around, shift), b"a" * (around - shift) + piece + b"b\n"
    for size in (READ - 1, READ, READ + 1, 2 * READ):
        yield "a_line_of_%d_without_end" % size, b"a" * size
        yield "%d_bytes_with_end" % size, b"a" * (size - 1) + b"\n"


def wire_lines(stored):
    lines = re.split(rb"\r\n|\r|\n", stored)
    return lines[:-1] if lines[-1] == b"" else lines


def as_text(lines):
    return b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines) + b".\r\n"


class Client:
    def __init__(self, folder):
        self.ours, theirs = socket.socketpair()
        self.process = subprocess.Popen([os.path.join(BIN, "stafet-pop3d"), "-m", "Maildir"], stdin=theirs, stdout=theirs, cwd=folder,
                                        stderr=subprocess.DEVNULL)
        theirs.close()
        self.ours.settimeout(60)
        self.file = self.ours.makefile("rb")
        self.file.readline()

    def ask(self, command, wanted):
        """True when the reply is this one to the last byte."""
        self.ours.sendall(command)
        got = self.file.read(len(wanted))
        return got == wanted

    def end(self):
        good = self.ask(b"QUIT\r\n", b"+OK goodbye; messages deleted: 0\r\n") and self.file.read(1) == b""
        self.ours.close()
        return good and self.process.wait(60) == 0


def store(folder, base, stored, is_told):
    size = sum(len(line) + 2 for line in wire_lines(stored))
    name = base + (",S=%d,W=%d" % (len(stored), size) if is_told else "")
    with open(os.path.join(folder, "Maildir/new", name), "wb") as f:
        f.write(stored)
    return size


def trouble_of(folder, stored):
    """The first reply that is wrong, or None. Asked of a file whose name tells its size, and of one whose name does not."""
    paths = [store(folder, "1700000001.told", stored, True), store(folder, "1700000002.measured", stored, False)]
    client, lines = Client(folder), wire_lines(stored)
    body = lines.index(b"") + 1 if b"" in lines else len(lines)
    try:
        for number, size in enumerate(paths, 1):
            checks = [(b"LIST %d\r\n" % number, b"+OK %d %d\r\n" % (number, size)),
                      (b"RETR %d\r\n" % number, b"+OK %d octets\r\n" % size + as_text(lines))]
            checks += [(b"TOP %d %d\r\n" % (number, n), b"+OK the top of it\r\n" + as_text(lines[:body + n])) for n in (0, 1, 3, 10 ** 9)]
            for command, wanted in checks:
                if not client.ask(command, wanted):
                    return "wrong reply to " + command.decode().strip()
        return None if client.end() else "wrong end"
    except OSError as e:
        return str(e)
    finally:
        client.process.kill()
        client.process.wait()


def main():
    number = failed = 0
    for name, stored in messages():
        number += 1
        folder = tempfile.mkdtemp(prefix="pop3-bytes.", dir="/tmp")
        try:
            for part in ("new", "cur", "tmp"):
                os.makedirs(os.path.join(folder, "Maildir", part))
            trouble = trouble_of(folder, stored)
        finally:
            shutil.rmtree(folder)
        failed += trouble is not None
        print("%s %d - %s" % ("not ok" if trouble else "ok", number, name.replace("\\", "/")), flush=True)
        if trouble:
            print("#   " + trouble)
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
