# SPDX-License-Identifier: ISC
"""Messages for tests, and what has become of them on their way."""

import email
import email.policy

from .tap import expect

TRACE = (b"return-path:", b"delivered-to:", b"received:")


def letter(subject, body="hello\r\n", sender="ann@elsewhere.test", recipient="joe@example.test", extra=""):
    """A message with CRLF line ends, as bytes."""
    head = f"From: {sender}\r\nTo: {recipient}\r\nSubject: {subject}\r\n{extra}\r\n"
    return head.encode() + (body if isinstance(body, bytes) else body.encode())


def split_trace(message):
    """(trace lines, the rest): the lines that a house puts in front, with their continuations."""
    at = 0
    while True:
        end = message.find(b"\n", at) + 1
        line = message[at:end]
        is_continuation = at > 0 and line[:1] in (b" ", b"\t")
        if not end or not (is_continuation or line.lower().startswith(TRACE)):
            return message[:at], message[at:]
        at = end


def expect_same(got, sent, what="message"):
    """Byte for byte the same behind the trace lines."""
    trace, rest = split_trace(got)
    expect(trace, f"{what}: no trace lines before it: {got[:200]!r}")
    if rest != sent:
        at = next((i for i, (a, b) in enumerate(zip(rest, sent)) if a != b), min(len(rest), len(sent)))
        expect(False, f"{what}: {len(rest)} bytes came, {len(sent)} were sent; they differ at {at}: "
               f"{rest[max(at - 20, 0):at + 40]!r} for {sent[max(at - 20, 0):at + 40]!r}")


def retrieve(pop, number):
    """The bytes that POP3 gives for a message, CRLF line ends."""
    return b"".join(line + b"\r\n" for line in pop.retr(number)[1])


def parse(message):
    return email.message_from_bytes(message, policy=email.policy.default)
