#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Byte for byte: what SMTP took, POP3 gives back behind the trace lines, whatever the bytes are."""

import email.message
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import Instance, expect, expect_equal, expect_match, expect_same, letter, play, retrieve, split_trace  # noqa: E402

MEGABYTE = 1000 * 1000
LIMIT = 10485760


def round_trip(house, *messages, options=(), sender="ann@elsewhere.test", recipient=None):
    """Sends each, gets each by POP3, compares, deletes."""
    address = recipient or house.joe[0]
    with house.smtp() as s:
        for message in messages:
            house.send(sender, address, message, options, session=s)
    files = house.wait_files(house.joe, len(messages))
    p = house.pop(house.joe)
    sizes = [int(line.split()[1]) for line in p.list()[1]]
    got = [retrieve(p, n + 1) for n in range(len(messages))]
    expect_equal(sizes, [len(m) for m in got], "sizes that LIST tells")
    for n, message in enumerate(messages):  # several may come in another order
        same = [m for m in got if split_trace(m)[1] == message]
        expect_same(same[0] if same else got[n], message, f"message {n + 1}")
        p.dele(n + 1)
    for path in files:
        with open(path, "rb") as f:
            expect(b"\r\n" not in f.read(), "stored with CRLF")
    p.quit()
    expect_equal(house.files(house.joe), [], "messages left")


def each_byte_but_nul_and_bare_line_ends(house):
    every = bytes(b for b in range(1, 256) if b not in (10, 13))
    lines = b"".join(bytes([b]) + every[i:i + 40] + bytes([b]) + b"\r\n" for i, b in enumerate(every))
    round_trip(house, letter("every byte", lines), options=["BODY=8BITMIME"])


def nul_bytes(house):
    round_trip(house, letter("NUL", b"a\0b\r\n\0\r\n\0\0\0\r\n.\0\r\n"))


def eight_bit_and_utf8_text(house):
    round_trip(house, letter("latin", "f\u00fcr Ann\r\n".encode("latin-1")), letter("\u00fcber", "\u65e5\u672c\u8a9e \U0001f40e\r\n"), options=["BODY=8BITMIME"])


def bytes_that_are_no_utf8(house):
    round_trip(house, letter("broken", b"\xff\xfe\x80\xc0\xaf\xed\xa0\x80\r\n\xf4\x90\x80\x80\r\n"), options=["BODY=8BITMIME"])


def addresses_in_utf8(house):
    house.dot_qmail("default", "| bin/vdelivermail '' " + house.path("domains", house.domain, "joe") + "\n")
    recipient, sender = f"j\u00f6rg-\u65e5\u672c@{house.domain}", "j\u00fcrgen@m\u00fcller.test"
    message = letter("to \u65e5\u672c", recipient=recipient, sender=sender)
    with house.smtp() as s:
        s.ehlo()
        for command in (f"MAIL FROM:<{sender}> SMTPUTF8 BODY=8BITMIME", f"RCPT TO:<{recipient}>"):
            s.send((command + "\r\n").encode())
            expect_equal(s.getreply()[0], 250, command)
        expect_equal(s.data(message)[0], 250, "DATA")
    house.wait_files(house.joe)
    p = house.pop(house.joe)
    got = retrieve(p, 1)
    expect_same(got, message)
    expect_match(f"^Return-Path: <{sender}>\r?$", got.decode(), "trace")
    expect_match(f"^Delivered-To: .*{recipient}\r?$", got.decode(), "trace")
    expect_match(r"^\s*(Received: .*|.*)with UTF8SMTP", got.decode(), "trace")
    p.dele(1)
    p.quit()
    expect_match("^553 5.6.7 ", house_refusal(house, recipient), "without SMTPUTF8")
    house.dot_qmail("default", "| bin/vdelivermail '' bounce-no-mailbox\n")


def house_refusal(house, recipient):
    with house.smtp() as s:
        s.ehlo()
        s.mail("a@elsewhere.test")
        s.send(f"RCPT TO:<{recipient}>\r\n".encode())
        code, text = s.getreply()
        return f"{code} {text.decode()}"


def attachments(house):
    message = email.message.EmailMessage()
    message["Subject"], message["From"], message["To"] = "\u00e4 picture", "ann@elsewhere.test", house.joe[0]
    message.set_content("see it \u2192\n")
    message.add_attachment(random.Random(1).randbytes(300000), maintype="image", subtype="png", filename="bild \u00e4.png")
    message.add_attachment("plain\n.dot\n", filename="notes.txt")
    round_trip(house, message.as_bytes(policy=message.policy.clone(linesep="\r\n")))


def dots_everywhere(house):
    body = b".\r\n..\r\n...\r\n.a\r\na.\r\n.\r\n\r\n.\r\n\r\n..\r\n" + b".\r\n" * 3000 + b"." * 5000 + b"\r\n.\r\n"
    round_trip(house, letter("dots", body), letter("a dot", ".\r\n"), letter("dots at the end", "x\r\n.\r\n..\r\n"))


def empty_bodies_and_odd_heads(house):
    round_trip(house, letter("empty body", ""), b"Subject: no empty line\r\n", b"\r\nonly a body\r\n", b"no header at all\r\n", b"\r\n",
               b": no name\r\n\r\n", b"From someone Thu Jan  1 00:00:00 1970\r\n\r\nFrom me\r\n>From you\r\n")


def lines_of_all_lengths(house):
    edges = [n + d for n in (0, 76, 78, 512, 998, 1000, 1024, 2048, 4096, 8192, 16384, 32768, 65535, 65536) for d in (-2, -1, 0, 1, 2) if n + d >= 0]
    round_trip(house, letter("lengths", b"".join(b"x" * n + b"\r\n" for n in edges)))


def fifty_thousand_short_lines(house):
    round_trip(house, letter("short lines", b"".join(b"%d\r\n" % n for n in range(50000))), letter("empty lines", b"\r\n" * 50000))


def one_line_of_five_megabytes(house):
    round_trip(house, letter("long line", b"." + b"y" * (5 * MEGABYTE) + b"\r\n"))


def one_megabyte_of_headers(house):
    extra = "".join(f"X-Header-{n}: {'h' * 80}\r\n\t{'folded ' * 9}\r\n" for n in range(6500))
    round_trip(house, letter("headers", extra=extra), letter("one header", extra="X-Long: " + "z" * MEGABYTE + "\r\n"))


def ten_megabytes(house):
    line = random.Random(2).randbytes(57).hex().encode()[:74] + b"\r\n"
    round_trip(house, letter("ten", (line * (10 * MEGABYTE // len(line)))))


def too_much_is_refused_and_explained(house):
    with house.smtp() as s:
        s.ehlo()
        code, text = s.mail("ann@elsewhere.test", [f"SIZE={LIMIT + 1}"])
        expect_match(r"^552 5\.3\.4 .*databytes limit of 10485760 bytes; send it smaller", f"{code} {text.decode()}", "the reply to SIZE")
        s.mail("ann@elsewhere.test")
        s.rcpt(house.joe[0])
        code, text = s.data(letter("too much", b"z" * 70 + b"\r\n" + (b"z" * 70 + b"\r\n") * (LIMIT // 72 + 1)))
        expect_match(r"^552 5\.3\.4 .*databytes limit of 10485760 bytes and was not accepted; send it smaller", f"{code} {text.decode()}", "the reply to DATA")
        house.send("ann@elsewhere.test", house.joe[0], letter("small, behind it"), session=s)
    expect(b"small, behind it" in house.wait_messages(house.joe)[0])
    house.empty(house.joe)


def chunked(house, message, sizes):
    """The replies to BDAT chunks of these sizes, the rest in a last one."""
    with house.smtp() as s:
        s.ehlo()
        s.mail("ann@elsewhere.test", ["BODY=8BITMIME"])
        s.rcpt(house.joe[0])
        at, codes = 0, []
        for size in [*sizes, None]:
            part = message[at:] if size is None else message[at:at + size]
            at += len(part)
            s.send(b"BDAT %d%s\r\n" % (len(part), b" LAST" if size is None else b"") + part)
            codes.append(s.getreply()[0])
        return codes


def chunks_cut_anywhere(house):
    message = letter("chunks", b".\r\n..\r\n\xe4\r\n.\r\nend\r\n")
    cuts = ([], [1] * 40, [0, len(message) - 1], [len(message)], [message.index(b"\r\n\r\n") + 1, 2, 3])
    for message, sizes in [(message, sizes) for sizes in cuts] + [(b"", [])]:
        expect_equal(chunked(house, message, sizes), [250] * (len(sizes) + 1), f"replies to chunks {sizes}")
        house.wait_files(house.joe)
        p = house.pop(house.joe)
        expect_same(retrieve(p, 1), message, f"chunks {sizes}")
        p.dele(1)
        p.quit()


def big_chunks(house):
    message = letter("big chunks", random.Random(3).randbytes(3 * MEGABYTE).replace(b"\r", b"R").replace(b"\n", b"N") + b"\r\n")
    expect_equal(chunked(house, message, [MEGABYTE, 1, MEGABYTE]), [250] * 4, "replies")
    house.wait_files(house.joe)
    p = house.pop(house.joe)
    expect_same(retrieve(p, 1), message)
    p.dele(1)
    p.quit()


def top_and_uidl_fit_the_message(house):
    message = letter("top", "".join(f"line {n}\r\n" for n in range(20)))
    house.send("ann@elsewhere.test", house.joe[0], message)
    path = house.wait_files(house.joe)[0]
    p = house.pop(house.joe)
    whole = retrieve(p, 1)
    head = whole.index(b"\r\n\r\n") + 4
    for n in (0, 1, 5, 20, 1000):
        top = b"".join(line + b"\r\n" for line in p.top(1, n)[1])
        expect_equal(top, whole[:head] + b"".join(line + b"\r\n" for line in whole[head:].split(b"\r\n")[:-1][:n]), f"TOP 1 {n}")
    expect_equal(p.uidl(1).split()[2].decode(), os.path.basename(path).split(":")[0], "UIDL")
    p.dele(1)
    p.quit()


TESTS = (each_byte_but_nul_and_bare_line_ends, nul_bytes, eight_bit_and_utf8_text, bytes_that_are_no_utf8, addresses_in_utf8, attachments,
         dots_everywhere, empty_bodies_and_odd_heads, lines_of_all_lengths, fifty_thousand_short_lines, one_line_of_five_megabytes,
         one_megabyte_of_headers, ten_megabytes, too_much_is_refused_and_explained, chunks_cut_anywhere, big_chunks, top_and_uidl_fit_the_message)


def main():
    with Instance() as house:
        return play(TESTS, house)


if __name__ == "__main__":
    sys.exit(main())
