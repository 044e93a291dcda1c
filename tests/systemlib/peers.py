# SPDX-License-Identifier: ISC
"""Debian's dovecot-imapd and courier-imap over Maildirs of an instance: unpacked, not installed, run as the owner of the mail."""
import os
import pwd
import signal
import subprocess

from . import packages
from .house import is_free
from .imap import Imap
from .tap import Failure, wait_until


def owner():
    return pwd.getpwnam("vmail")


class Dovecot:
    """IMAP on a loopback port for one user, whose home is `home`."""

    def __init__(self, folder, port, home, user, password):
        self.folder, self.port = folder, port
        root = packages.unpack("dovecot", ["dovecot-imapd"])
        etc = packages.with_users(folder, {"dovecot": 64102, "dovenull": 64103})
        for name in ("run", "state"):
            os.makedirs(os.path.join(folder, name))
        conf = os.path.join(folder, "dovecot.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"""base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:~/Maildir
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner().pw_uid} gid={owner().pw_gid} home={home}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
""")
        self.words, self.user, self.password, self.process = packages.inside(root, etc, "/usr/sbin/dovecot", "-F", "-c", conf), user, password, None

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        wait_until(lambda: self.process.poll() is not None or not is_free(self.port), "dovecot listens")
        if self.process.poll() is not None:
            with open(self.folder + "/log", encoding="utf-8", errors="replace") as f:
                raise Failure("dovecot does not start: " + f.read())
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def login(self):
        return Imap(self.port, self.user, self.password)


def courier_command(maildir):
    """The words that serve a Maildir on stdin and stdout, as after a login."""
    root = packages.unpack("courier", ["courier-imap", "libgamin0", "courier-authlib"], ("exim4", "libgnutls", "gnutls", "gamin"))
    env = {"LD_LIBRARY_PATH": f"{root}/usr/lib/x86_64-linux-gnu:{root}/usr/lib", "AUTHENTICATED": "user", "MAILDIR": maildir, "IMAP_KEYWORDS": "1",
           "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE", "IMAP_USELOCKS": "0", "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": "1",
           "PROTOCOL": "IMAP", "IMAP_TRASHFOLDERNAME": "Trash"}
    return ["setpriv", f"--reuid={owner().pw_uid}", f"--regid={owner().pw_gid}", "--clear-groups", "env", "-C", maildir,
            *("%s=%s" % pair for pair in env.items()), root + "/usr/bin/imapd", maildir]


class Courier(Imap):
    """A session with Courier's imapd."""

    def __init__(self, maildir):
        self.maildir = maildir
        super().__init__(0)
        self.state = "AUTH"

    def open(self, host="", port=0, timeout=None):
        self.process = subprocess.Popen(courier_command(self.maildir), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
        self.file = self.process.stdout
        self.buffered = open(self.process.stdout.fileno(), "rb", closefd=False)

    def read(self, size):
        return self.buffered.read(size)

    def readline(self):
        return self.buffered.readline()

    def send(self, data):
        self.process.stdin.write(data)

    def shutdown(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.buffered.close()
        self.process.stdout.close()
