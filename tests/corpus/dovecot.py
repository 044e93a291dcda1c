# SPDX-License-Identifier: ISC
"""Debian's dovecot-imapd as an oracle: its `imap` program alone, already logged in, on pipes; unpacked from its packages and seen
through an overlay in a mount namespace of its own (needs root). No port, no service, nothing of the machine is touched."""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench"))
import peers  # noqa: E402

UID = 64120


def fetch():
    peers.CACHE = os.environ.get("STAFET_PEERS", "/var/tmp/stafet-peers") + "-imap"
    peers.PACKAGES = ["dovecot-imapd"]
    return peers.fetch()


def make_etc(folder):
    etc = os.path.join(folder, "etc")
    os.makedirs(etc, exist_ok=True)
    for name in ("passwd", "group"):
        with open("/etc/" + name, encoding="utf-8") as f:
            text = f.read()
        for user, number in [*peers.USERS.items(), ("oracle", UID)]:
            text += f"{user}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n" if name == "passwd" else f"{user}:x:{number}:\n"
        with open(os.path.join(etc, name), "w", encoding="utf-8") as f:
            f.write(text)
    return etc


class Session:
    """An IMAP session with a program on pipes, already logged in."""

    def __init__(self, argv, errors, env=None, **more):
        with open(errors, "wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=env, **more)
        self.number, self.question = 0, None
        greeting = self.process.stdout.readline()
        if not greeting.startswith(b"* PREAUTH"):
            raise RuntimeError(f"{argv} says {greeting!r}")

    def line(self):
        """A line with the literals in it."""
        whole = b""
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError(f"{type(self).__name__} is gone after {self.question!r}")
            whole += line
            literal = re.search(rb"\{(\d+)\}\r\n$", line)
            if not literal:
                return whole[:-2]
            whole += self.process.stdout.read(int(literal.group(1)))

    def send(self, text):
        self.number, self.question = self.number + 1, text
        self.process.stdin.write(b"a%d " % self.number + (text if isinstance(text, bytes) else text.encode("latin-1")) + b"\r\n")
        self.process.stdin.flush()

    def receive(self):
        """The tagged reply without its tag, and the untagged lines."""
        tag, lines = b"a%d " % self.number, []
        while True:
            line = self.line()
            if line.startswith(tag):
                return line[len(tag):], lines
            lines.append(line)

    def command(self, text):
        """The untagged lines of the reply; an answer that is not OK is an error."""
        self.send(text)
        reply, lines = self.receive()
        if not reply.startswith(b"OK"):
            raise RuntimeError(f"{text}: {reply!r}")
        return lines

    def close(self):
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait()


class Imap(Session):
    """Dovecot's `imap` on folder/Maildir."""

    def __init__(self, folder):
        root, etc = fetch(), make_etc(folder)
        conf = os.path.join(folder, "dovecot.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"mail_location = maildir:{folder}/Maildir\nbase_dir = {folder}/run\nlog_path = {folder}/log\nssl = no\n"
                    "protocols = imap\nfirst_valid_uid = 1\n")
        os.makedirs(os.path.join(folder, "run"), exist_ok=True)
        subprocess.run(["chown", "-R", f"{UID}:{UID}", folder], check=True)
        os.chmod(folder, 0o755)
        script = (f"mount -t overlay overlay -o lowerdir={root}/usr:/usr /usr && mount -t overlay overlay -o lowerdir={etc}:/etc /etc && "
                  f"exec setpriv --reuid {UID} --regid {UID} --clear-groups /usr/lib/dovecot/imap -c {conf}")
        super().__init__(["unshare", "-m", "sh", "-c", script], os.path.join(folder, "stderr"),
                         {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "USER": "oracle", "HOME": folder, "TZ": "UTC"})


def fill(folder, messages):
    """folder/Maildir: UID n is the n-th message."""
    for part in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(folder, "Maildir", part))
    for number, text in enumerate(messages, 1):
        with open(os.path.join(folder, f"Maildir/cur/{number:06d}.x:2,S"), "wb") as f:
            f.write(text)


def parse(text, at=0):
    """One value: list, bytes (a string), int, None (NIL) or str (an atom); and where it ends."""
    if text[at:at + 1] == b"(":
        values, at = [], at + 1
        while text[at:at + 1] != b")":
            if text[at:at + 1] == b" ":
                at += 1
                continue
            value, at = parse(text, at)
            values.append(value)
        return values, at + 1
    if text[at:at + 1] == b'"':
        string = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.S).match(text, at)
        return re.sub(rb"\\(.)", rb"\1", string.group(1), flags=re.S), string.end()
    if text[at:at + 1] == b"{":
        literal = re.compile(rb"\{(\d+)\}\r\n").match(text, at)
        end = literal.end() + int(literal.group(1))
        return text[literal.end():end], end
    atom = re.compile(rb"[^ ()\[]+(?:\[[^\]]*\](?:<\d+>)?)?|\[").match(text, at)
    word = atom.group().decode("latin-1")
    return int(word) if word.isdigit() else None if word == "NIL" else word, atom.end()


def scratch(name):
    folder = subprocess.run(["mktemp", "-d", f"/tmp/{name}.XXXXXX"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    os.chmod(folder, 0o755)  # imap runs as another user
    return folder


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
