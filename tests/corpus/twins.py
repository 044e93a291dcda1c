# SPDX-License-Identifier: ISC
"""One Maildir twice, under Debian's dovecot-imapd and under ours: the messages of generate.py and of ../shared/corpus with UIDs, dates, flags
and keywords. twins(folder, texts) gives both sessions, with INBOX selected; the newest messages are recent to them."""
import glob
import os
import shutil
import subprocess

import dovecot
import generate

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("STAFET_BIN", os.path.join(ROOT, "build/bin"))
FIRST_DATE, HOURS = 1_760_000_000, 7
WAITING = 12  # messages in new/
FLAGS = ("", "S", "FS", "R", "RS", "D", "T", "ST", "Sa", "ab", "b", "F")


class Ours(dovecot.Session):
    def __init__(self, folder):
        super().__init__([os.path.join(BIN, "stafet-imapd"), "-m", "Maildir"], os.path.join(folder, "stderr"), cwd=folder)


def corpus(folder):
    """(name, bytes) of each message of ../shared/corpus; none where it is not there."""
    archive = os.path.join(os.path.dirname(ROOT), "shared/corpus/mail.tar.xz")
    if not os.path.exists(archive):
        print("# ../shared/corpus is not there: only our own messages")
        return
    os.makedirs(folder)
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    for path in sorted(p for p in glob.glob(folder + "/**", recursive=True) if os.path.isfile(p)):
        with open(path, "rb") as f:
            yield os.path.relpath(path, folder), f.read()


def messages(folder, every):
    """Our own, and each `every`th of the others."""
    return list(generate.messages()) + list(corpus(folder))[::every]


def uid_of(number):
    return 10 + 2 * number


def name_of(number, text):
    wire = len(text) + text.count(b"\n") - text.count(b"\r\n")
    return f"{1_700_000_000 + number}.M{number}P1.host" + (f",S={len(text)},W={wire}" if number % 3 else "")


def write(path, number, text):
    with open(path, "wb") as f:
        f.write(text)
    os.utime(path, (FIRST_DATE + number * HOURS * 3600,) * 2)


def fill(maildir, texts):
    """All but the newest, as if Dovecot had served them."""
    for part in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(maildir, part))
    lines = []
    for number, text in enumerate(texts[:-WAITING]):
        base = name_of(number, text)
        write(os.path.join(maildir, "cur", f"{base}:2,{FLAGS[number % len(FLAGS)]}"), number, text)
        lines.append(f"{uid_of(number)} :{base}\n")
    with open(os.path.join(maildir, "dovecot-uidlist"), "w", encoding="ascii") as f:
        f.write(f"3 V1700000000 N{uid_of(len(lines))} G00112233445566778899aabbccddeeff\n" + "".join(lines))
    with open(os.path.join(maildir, "dovecot-keywords"), "w", encoding="ascii") as f:
        f.write("0 $Later\n1 green\n")


def deliver(maildir, texts):
    """The newest. Until a session sees them nobody has a UID for them; their owner is the folder's."""
    for number, text in list(enumerate(texts))[-WAITING:]:
        path = os.path.join(maildir, "new", name_of(number, text))
        write(path, number, text)
        shutil.chown(path, os.stat(maildir).st_uid, os.stat(maildir).st_gid)


def start(folder):
    return Ours(os.path.join(folder, "ours")), dovecot.Imap(os.path.join(folder, "theirs"))


def twins(folder, texts):
    """(ours, theirs)"""
    maildirs = [os.path.join(folder, name, "Maildir") for name in ("ours", "theirs")]
    fill(maildirs[0], texts)
    shutil.copytree(*maildirs, copy_function=shutil.copy2)
    for session in start(folder):
        session.command("SELECT INBOX")
        session.close()
    for maildir in maildirs:
        deliver(maildir, texts)
    both = start(folder)
    for session in both:
        session.command("SELECT INBOX")
    return both
