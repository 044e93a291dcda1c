# SPDX-License-Identifier: ISC
"""Maildirs of realistic mail (imap-pop3.md 1): short text, UTF-8 in quoted-printable and base64, list mail, alternatives,
attachments, messages inside. Deterministic; one set of files, hard links for every server."""

import base64
import os
import random
import subprocess

WORDS = ("the and for with that from this have will your mail time about please meeting report project server number address change order "
         "question answer morning system account service network office paper second company product customer invoice payment").split()


def text(rnd, lines):
    return "".join(" ".join(rnd.choice(WORDS) for _ in range(rnd.randint(6, 12))) + "\n" for _ in range(lines))


def wrap(data):
    encoded = base64.b64encode(data).decode()
    return "".join(encoded[i:i + 76] + "\n" for i in range(0, len(encoded), 76))


def part(rnd, kind):
    """(header fields of content, body)"""
    short = text(rnd, rnd.choice((3, 8, 20, 60)))
    if kind < 35:
        return "Content-Type: text/plain; charset=us-ascii\n", short
    if kind < 45:
        return "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n", short.replace("e", "=C3=A9")
    if kind < 60:
        return "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n", wrap(short.replace("a", "ä").encode())
    if kind < 80:
        html = "<html><body><p>" + short.replace("\n", "<br>\n") + "</p></body></html>\n"
        return ("Content-Type: multipart/alternative; boundary=\"alt\"\n", f"--alt\nContent-Type: text/plain; charset=utf-8\n\n{short}\n--alt\n"
                f"Content-Type: text/html; charset=utf-8\n\n{html}\n--alt--\n")
    if kind < 92:
        data = wrap(rnd.randbytes(rnd.choice((2000, 8000, 40000))))
        return ("Content-Type: multipart/mixed; boundary=\"mix\"\n", f"--mix\nContent-Type: text/plain\n\n{short}\n--mix\n"
                f"Content-Type: application/pdf; name=\"report.pdf\"\nContent-Disposition: attachment; filename=\"report.pdf\"\n"
                f"Content-Transfer-Encoding: base64\n\n{data}\n--mix--\n")
    return ("Content-Type: multipart/mixed; boundary=\"fwd\"\n", f"--fwd\nContent-Type: text/plain\n\nsee below\n--fwd\n"
            f"Content-Type: message/rfc822\n\nFrom: inner@n.test\nSubject: inner\n\n{short}\n--fwd--\n")


def message(rnd, i):
    content, body = part(rnd, rnd.randrange(100))
    subject = f"{rnd.choice(WORDS)} {rnd.choice(WORDS)} {i % 997}"
    reply = f"In-Reply-To: <m{i - 7}@b.test>\nReferences: <m{i - 14}@b.test> <m{i - 7}@b.test>\n" if i % 3 == 0 and i > 14 else ""
    received = "".join(f"Received: from mx{k}.b.test (mx{k}.b.test [192.0.2.{k}])\n  by mx.example.test with ESMTP id {rnd.getrandbits(60):x};\n"
                       f"  Mon, 02 Feb 2026 10:00:0{k} +0000\n" for k in range(3))
    return (f"Return-Path: <p{i % 300}@b.test>\nDelivered-To: u@example.test\n{received}From: Person {i % 300} <p{i % 300}@b.test>\n"
            f"To: \"Some Body\" <u@example.test>, other{i % 11}@c.test\nSubject: {'Re: ' if reply else ''}{subject}\n"
            f"Date: {('Mon', 'Tue', 'Wed')[i % 3]}, {1 + i % 27} Feb 2026 {i % 24:02}:{i % 60:02}:00 +0100\nMessage-ID: <m{i}@b.test>\n{reply}"
            f"MIME-Version: 1.0\nX-Mailer: bench\n{content}\n{body}")


def make(folder, n):
    """folder/cur with n messages, 80 % seen."""
    rnd = random.Random(n)
    for name in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, name))
    for i in range(n):
        data = message(rnd, i).encode()
        wire = len(data) + data.count(b"\n")
        name = f"{1700000000 + i}.M{i % 1000000:06}P{i}.bench,S={len(data)},W={wire}:2,{'S' if i % 5 else ''}"
        path = os.path.join(folder, "cur", name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o666)  # as if it were everybody's own: of another one's file the kernel makes no link, and COPY would copy it
        os.utime(path, (1700000000 + i, 1700000000 + i))


def link(source, target, uid, gid):
    """The same files under another owner's folder."""
    subprocess.run(["cp", "-al", source, target], check=True)
    for name in ("", "cur", "new", "tmp"):
        os.chown(os.path.join(target, name), uid, gid)
