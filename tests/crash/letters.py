# SPDX-License-Identifier: ISC
"""Numbered messages whose bodies can be checked, the call that brings one to queue, and what comes back."""

import hashlib
import os
import re
import socket
import time

import places  # noqa: F401  (finds dialoglib)
from dialoglib import frames

DOMAIN = "example.test"
SENDER = "sender@fault.test"
DIGITS = "0123456789abcdefghijklmnopqrstuv"
HEADER = 128


def make(number, size):
    line = b"line of message %d that must not be torn\n" % number
    body = line * (size // len(line) + 1)
    digest = hashlib.sha256(body).hexdigest()
    return b"Subject: fault %d\nX-Number: %d\nX-Sum: %s\n\n" % (number, number, digest.encode()) + body


def number_of(data):
    """The number of a whole message; -1: one of ours, but torn; None: none of ours."""
    head, _, body = data.partition(b"\n\n")
    number = re.search(rb"^X-Number: (\d+)$", head, re.M)
    digest = re.search(rb"^X-Sum: ([0-9a-f]+)$", head, re.M)
    if not number or not digest:
        return None
    return int(number.group(1)) if hashlib.sha256(body).hexdigest().encode() == digest.group(1) else -1


def queue_call(recipients, message, sender=SENDER):
    call = frames.frame("Q", frames.fields([("op", b"queue"), ("sid", b"fault"), ("proto", b"ESMTP"), ("from", sender.encode()),
                                            ("ip", b"192.0.2.7"), ("helo", b"fault.test")]))
    call += b"".join(frames.frame("R", frames.fields([("to", r.encode())])) for r in recipients)
    for at in range(0, len(message), 60000):
        call += frames.frame("M", message[at:at + 60000])
    return call + frames.frame("E")


def deliver_call(message_id, message_len, recipients, is_last):
    """recipients: [(n, fields of R)]."""
    call = frames.frame("Q", frames.fields([("op", b"deliver"), ("id", message_id.encode()), ("from", SENDER.encode()), ("moff", b"%d" % HEADER),
                                            ("mlen", b"%d" % message_len), ("last", b"%d" % is_last)]))
    for n, pairs in recipients:
        call += frames.frame("R", frames.fields([("n", b"%d" % n), *((k, v.encode()) for k, v in pairs.items())]))
    return call + frames.frame("E")


def verdicts(sock, seconds=20):
    """(final letter or "", {recipient: letter}, text of the final verdict) of one call."""
    sock.settimeout(seconds)
    data, numbered = b"", {}
    while True:
        try:
            part = sock.recv(65536)
        except OSError:
            part = b""
        data += part
        got = frames.parse_frame(data)
        while got:
            kind, payload, used = got
            data = data[used:]
            if kind != "P":
                return kind, numbered, payload.split(b"\0")[0].decode()
            number, _, rest = payload.partition(b"\0")
            numbered[int(number)] = chr(rest[0])
            got = frames.parse_frame(data)
        if not part:
            return "", numbered, ""


def send_all(sock, data):
    """False: the other side has gone."""
    try:
        sock.sendall(data)
    except OSError:
        return False
    return True


def make_id():
    value = int(time.time() * 1000000)
    clock = "".join(DIGITS[(value >> 5 * i) & 31] for i in reversed(range(11)))
    return clock + "".join(DIGITS[byte & 31] for byte in os.urandom(11))


def socket_pair():
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


class SpoolFile:
    """A message file read by another reader than the house's own."""

    def __init__(self, path):
        self.path = path
        self.is_whole, self.number, self.recipients, self.marks, self.notes = False, None, [], "", b""
        with open(path, "rb") as f:
            data = f.read()
        if len(data) < HEADER or data[:8] != b"STAFET1\n":
            return
        mlen, elen, n = int(data[8:24], 16), int(data[25:41], 16), int(data[42:50], 16)
        end = HEADER + mlen + elen
        if len(data) < end + n:
            return
        self.number = number_of(data[HEADER:HEADER + mlen])
        self.recipients = [part[1:].decode() for part in data[HEADER + mlen:end].split(b"\0") if part[:1] == b"T"]
        self.marks = data[end:end + n].decode("latin-1")
        self.notes = data[end + n:]
        self.is_whole = self.number != -1 and len(self.recipients) == n and not set(self.marks) - set(".KDB")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def read_notes(data):
    """(number of good notes, what is left behind them)."""
    good = 0
    while True:
        head = re.match(rb"([0-9a-f]{4}) ([0-9a-f]{8}) ", data)
        body = data[head.end():head.end() + int(head.group(1), 16)] if head else b""
        if not body.endswith(b"\n") or crc32c(body) != int(head.group(2), 16):
            return good, data
        good, data = good + 1, data[head.end() + len(body):]
