# SPDX-License-Identifier: ISC
"""Accounts for IMAP clients, and the configuration files that those want."""
import os
import subprocess

from systemlib.imap import Imap


class User:
    """A new account of an instance with a folder for its client's files."""

    def __init__(self, house, name):
        self.name, self.password = "%s@%s" % (name, house.env["DOMAIN"]), "secret"
        house.tool("vadduser", "-H", house.folder, self.name, self.password)
        self.home = os.path.join(house.base, name)
        self.maildir = os.path.join(house.env["DOMAINS"], house.env["DOMAIN"], name, "Maildir")
        self.port = int(house.env["IMAP_PORT"])
        os.makedirs(self.home)

    def login(self):
        return Imap(self.port, self.name, self.password)

    def fill(self, mailbox, *subjects, flags=None):
        client = self.login()
        client.create(mailbox)
        for subject in subjects:
            client.append(mailbox, flags, None, mail(subject))
        client.logout()

    def subjects(self, mailbox):
        """{subject: flags}, of a mailbox whose mails all have another one."""
        client = self.login()
        if client.select('"%s"' % mailbox, readonly=True)[0] != "OK":
            return None
        found = {subject_of(line): set(line.split(b"FLAGS (")[1].split(b")")[0].decode().split()) - {"\\Recent"}
                 for line in client.messages("FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)]").values()}
        client.logout()
        return found

    def write(self, name, text):
        path = os.path.join(self.home, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def run(self, *words, input="", code=0, timeout=120):
        """A client's output, stdout and stderr; another exit code is an error."""
        environ = dict(os.environ, HOME=self.home, LC_ALL="C.UTF-8", TERM="xterm")
        done = subprocess.run(words, check=False, input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ,
                              cwd=self.home, timeout=timeout, errors="replace")
        if code is not None and done.returncode != code:
            raise RuntimeError("%s: exit %d, wanted %d: %s" % (words, done.returncode, code, done.stdout))
        return done.stdout


def mail(subject, body="hello"):
    return ("From: Joe <joe@example.test>\r\nTo: Ann <ann@example.test>\r\nSubject: %s\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\n"
            "Message-ID: <%s@client.test>\r\n\r\n%s\r\n" % (subject, subject.replace(" ", "."), body)).encode()


def subject_of(line):
    return line.split(b"Subject: ")[1].split(b"\r\n")[0].decode()


def mbsync_config(user, near, tunnel=None):
    """tunnel: a command that serves the mail on stdin and stdout."""
    login = f"Host 127.0.0.1\nPort {user.port}\nUser {user.name}\nPass {user.password}\nSSLType None\nAuthMechs LOGIN"
    way = f"Tunnel {tunnel}" if tunnel else login
    return user.write("mbsyncrc", f"""IMAPAccount a
{way}

IMAPStore far
Account a

MaildirStore near
Path {near}/
Inbox {near}/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
""")


def fetchmail_config(user, more=""):
    """Each mail that comes becomes a line "got SUBJECT" of home/got, in one write."""
    take = user.write("take", "#!/bin/sh\nsubject=$(sed -n 's/^Subject: //p')\necho \"got $subject\" >>%s/got\n" % user.home)
    os.chmod(take, 0o700)
    return user.write("fetchmailrc", f"""poll 127.0.0.1 protocol IMAP service {user.port} auth password
user "{user.name}" password "{user.password}" keep sslproto '' mda "{take}" {more}
""")


def offlineimap_config(user, near):
    return user.write("offlineimaprc", f"""[general]
accounts = a
metadata = {user.home}/offlineimap
socktimeout = 60
[Account a]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {near}
[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {user.port}
remoteuser = {user.name}
remotepass = {user.password}
ssl = no
starttls = no
""")
