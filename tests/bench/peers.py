# SPDX-License-Identifier: ISC
"""Private instances of Debian's postfix and dovecot: unpacked from their packages, seen through an overlay in a mount namespace of
their own, so that the machine's /usr and /etc stay as they are."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

CACHE = os.environ.get("STAFET_PEERS", "/var/tmp/stafet-peers")
PACKAGES = ["postfix", "dovecot-pop3d", "dovecot-imapd"]
MARK = "complete-" + "-".join(PACKAGES)
USERS = {"postfix": 64101, "dovecot": 64102, "dovenull": 64103}


def sh(*argv, **kw):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw).stdout


def fetch():
    """Downloads and unpacks the peers once."""
    root = os.path.join(CACHE, "root")
    if os.path.exists(os.path.join(CACHE, MARK)):
        return root
    debs = os.path.join(CACHE, "debs")
    shutil.rmtree(CACHE, ignore_errors=True)
    os.makedirs(debs)
    plan = sh("apt-get", "install", "-s", "--no-install-recommends", *PACKAGES)
    names = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")] or PACKAGES
    sh("apt-get", "download", "-q", *names, cwd=debs)
    for name in sorted(os.listdir(debs)):
        sh("dpkg", "-x", os.path.join(debs, name), root)
    with open(os.path.join(CACHE, MARK), "w", encoding="utf-8"):
        pass
    return root


def make_etc(folder):
    """A layer over /etc that knows the peers' users; postfix also looks for its list of files there."""
    etc = os.path.join(folder, "etc")
    shutil.copytree(os.path.join(fetch(), "etc/postfix"), os.path.join(etc, "postfix"), dirs_exist_ok=True)
    with open("/etc/passwd", encoding="utf-8") as f:
        passwd = f.read()
    with open("/etc/group", encoding="utf-8") as f:
        group = f.read()
    for name, number in USERS.items():
        passwd += f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"
        group += f"{name}:x:{number}:\n"
    group += "postdrop:x:64110:\n"
    for name, text in (("passwd", passwd), ("group", group)):
        with open(os.path.join(etc, name), "w", encoding="utf-8") as f:
            f.write(text)
    return etc


def inside(folder, *argv):
    """Runs a command of the peers in a mount namespace with both layers."""
    root, etc = fetch(), make_etc(folder)
    script = (f"mount -t overlay overlay -o lowerdir={root}/usr:/usr /usr && "
              f"mount -t overlay overlay -o lowerdir={etc}:/etc /etc && exec \"$@\"")
    with tempfile.TemporaryFile("w+") as said:  # a daemon would hold a pipe open
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *argv], stdout=said, stderr=subprocess.STDOUT, check=False)
        said.seek(0)
        output = said.read()
    if done.returncode != 0:
        raise RuntimeError(f"{argv}: {output}")
    return output


def wait_for(question, seconds=20):
    end = time.monotonic() + seconds
    while not question():
        if time.monotonic() > end:
            raise RuntimeError("a peer does not come up")
        time.sleep(0.05)


def read_pid(path):
    try:
        with open(path, encoding="ascii") as f:
            return int(f.read().strip())
    except (OSError, ValueError):
        return 0


def is_alive(pid):
    return pid > 0 and os.path.exists(f"/proc/{pid}")


def descendants(pid):
    """pid and everything below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as f:
                    parents.setdefault(int(f.read().rpartition(")")[2].split()[1]), []).append(int(name))
            except OSError:
                continue
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


class Peer:
    pid_file = ""

    def pid(self):
        return read_pid(self.pid_file)

    def stop(self):
        pid = self.pid()
        if not is_alive(pid):
            return
        below = descendants(pid)
        os.kill(pid, signal.SIGTERM)
        try:
            wait_for(lambda: not is_alive(pid), 10)
        finally:
            for each in below:
                if is_alive(each):
                    os.kill(each, signal.SIGKILL)


class Postfix(Peer):
    """SMTP on a loopback port, `users` mailboxes u0@example.test … in Maildirs below folder/mail. delivers=False: no queue manager, so
    accepted mail stays in incoming/."""

    def __init__(self, folder, port, users, delivers=True):
        self.folder, self.port, self.users = folder, port, users
        self.conf = os.path.join(folder, "conf")
        self.pid_file = os.path.join(folder, "queue/pid/master.pid")
        self.delivers = delivers

    def configure(self):
        root = fetch()
        for name in ("conf", "queue", "data", "mail", "log"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        os.chown(os.path.join(self.folder, "data"), USERS["postfix"], USERS["postfix"])
        os.chown(os.path.join(self.folder, "mail"), 64120, 64120)
        for i in range(self.users):
            for part in ("", "/tmp", "/new", "/cur"):
                path = os.path.join(self.folder, f"mail/u{i}{part}")
                os.makedirs(path, exist_ok=True)
                os.chown(path, 64120, 64120)
        with open(os.path.join(self.conf, "boxes"), "w", encoding="ascii") as f:
            f.write("".join(f"u{i}@example.test u{i}/\n" for i in range(self.users)))
        settings = {
            "compatibility_level": "3.6", "queue_directory": f"{self.folder}/queue", "data_directory": f"{self.folder}/data",
            "command_directory": "/usr/sbin", "daemon_directory": "/usr/lib/postfix/sbin", "mail_owner": "postfix",
            "setgid_group": "postdrop", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "myhostname": "mx.bench.test",
            "mydestination": "", "mynetworks": "127.0.0.0/8", "virtual_mailbox_domains": "example.test",
            "virtual_mailbox_base": f"{self.folder}/mail", "virtual_mailbox_maps": f"texthash:{self.conf}/boxes",
            "virtual_uid_maps": "static:64120", "virtual_gid_maps": "static:64120", "virtual_minimum_uid": "1000",
            "maillog_file": f"{self.folder}/log/mail.log", "maillog_file_prefixes": self.folder, "alias_maps": "", "alias_database": ""}
        if not self.delivers:
            settings["in_flow_delay"] = "0"  # else it waits a second a message, since nobody empties incoming/
        with open(os.path.join(self.conf, "main.cf"), "w", encoding="ascii") as f:
            f.write("".join(f"{k} = {v}\n" for k, v in settings.items()))
        with open(os.path.join(root, "usr/share/postfix/master.cf.dist"), encoding="ascii") as f:
            lines = f.read().splitlines()
        with open(os.path.join(self.conf, "master.cf"), "w", encoding="ascii") as f:
            for line in lines:
                words = line.split()
                if len(words) >= 8 and not line.startswith(("#", " ")):
                    if words[0] == "smtp" and words[1] == "inet":
                        words[0] = f"127.0.0.1:{self.port}"
                    if words[0] == "qmgr" and not self.delivers:
                        continue
                    words[4] = "n"
                    line = " ".join(words)
                f.write(line + "\n")

    def start(self):
        self.configure()
        inside(self.folder, "/usr/sbin/postfix", "-c", self.conf, "start")
        wait_for(lambda: is_alive(self.pid()))

    def new_folders(self):
        return [os.path.join(self.folder, f"mail/u{i}/new") for i in range(self.users)]


class Dovecot(Peer):
    """POP3 on a loopback port (and IMAP on another) over Maildirs folder/mail/u0/Maildir …; every user has the same $6$ hash.
    tuned: as imap-pop3.md 6 says (processes kept, very dirty syncs, auth cache)."""
    TUNED = """
maildir_very_dirty_syncs = yes
maildir_stat_dirs = no
auth_cache_size = 10 M
service imap-login {
  service_count = 0
  process_min_avail = 2
}
service imap {
  service_count = 1000
  process_min_avail = 4
}
"""

    def __init__(self, folder, port, password_hash, imap_port=0, tuned=False):
        self.folder, self.port, self.hash = folder, port, password_hash
        self.imap_port, self.tuned = imap_port, tuned
        self.pid_file = os.path.join(folder, "run/master.pid")

    def start(self, users):
        for name in ("conf", "run", "state", "mail"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        with open(os.path.join(self.folder, "conf/users"), "w", encoding="ascii") as f:
            f.write("".join(f"u{i}@example.test:{{SHA512-CRYPT}}{self.hash}::::::\n" for i in range(users)))
        os.chown(os.path.join(self.folder, "conf/users"), USERS["dovecot"], USERS["dovecot"])
        config = f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.folder}/log
protocols = pop3{" imap" if self.imap_port else ""}
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1000
mail_location = maildir:~/Maildir
mail_max_userip_connections = 1000
passdb {{
  driver = passwd-file
  args = username_format=%u {self.folder}/conf/users
}}
userdb {{
  driver = static
  args = uid=64120 gid=64120 home={self.folder}/mail/%n
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {self.port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
{self.TUNED if self.tuned else ""}
"""
        path = os.path.join(self.folder, "conf/dovecot.conf")
        with open(path, "w", encoding="ascii") as f:
            f.write(config)
        inside(self.folder, "/usr/sbin/dovecot", "-c", path)
        wait_for(lambda: is_alive(self.pid()))
