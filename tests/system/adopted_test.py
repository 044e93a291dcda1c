#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""INSTALL by the letter: its indented lines of step 2 and 4 are run as they stand there, at a site of qmail and vpopmail, and its
people, their passwords and their mail are there as before. In namespaces with a /home, an /etc, a /var, ports and processes of their
own (root only)."""

import fcntl
import imaplib
import os
import poplib
import re
import smtplib
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import BIN, TOP, expect, expect_equal, expect_match, is_root, letter, play, run, wait_until  # noqa: E402

MOUNTS = r"""
set -e
over=$1
shift
mount -t tmpfs tmpfs $over
for folder in etc var home; do
    mkdir -p $over/$folder/up $over/$folder/work
    mount -t overlay overlay -o lowerdir=/$folder,upperdir=$over/$folder/up,workdir=$over/$folder/work /$folder
done
rm -rf /var/stafet /var/qmail /var/lib/stafet /home/vpopmail
mkdir /var/qmail
sed -i -E '/^(stafet|vmail:|vchkpw:|vpopmail:|qmail)/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow
exec "$@"
"""
# The passwords are those of openssl passwd -1, as vpopmail has them.
OLD_SITE = r"""
set -e
groupadd --system vchkpw
useradd --system -g vchkpw -d /home/vpopmail -m -s /usr/sbin/nologin vpopmail
cp -r "$1" /home/bin
cd /home/vpopmail
mkdir -m 755 control users
chown vpopmail:vchkpw control users
old() { tool=$1; shift; s6-setuidgid vpopmail /home/bin/$tool -H /home/vpopmail "$@"; }
old vadddomain old.test secretp
old vadduser -q 1M -e '$1$abcdefgh$M9SQaEZpXD/p5gravpsk00' joe@old.test
old valias -i joe@old.test sales@old.test
find domains -name .full -exec rm -r {} +
mkdir -m 755 etc
echo old.test >etc/defaultdomain
mv control users /var/qmail
mkdir -m 2755 /var/qmail/alias
echo '&joe@old.test' >/var/qmail/alias/.qmail-postmaster
echo mx.old.test >/var/qmail/control/me
echo mx.old.test >/var/qmail/control/locals
echo mx.old.test >>/var/qmail/control/rcpthosts
echo 2000000 >/var/qmail/control/databytes
rm /var/qmail/users/assign.lock
printf 'Subject: old\n\nfrom before\n' >domains/old.test/joe/Maildir/cur/1700000000.1.old:2,S
chown vpopmail:vchkpw domains/old.test/joe/Maildir/cur/*
"""
JOE, POSTMASTER, EVE = ("joe@old.test", "secretj"), ("postmaster@old.test", "secretp"), ("eve@old.test", "new word")


def lines_of_install(step):
    """Its blocks, each a script."""
    with open(os.path.join(TOP, "INSTALL"), encoding="ascii") as f:
        text = re.search(rf"^{step}\. .*?(?=^\d\. )", f.read(), re.M | re.S).group(0)
    return [block.replace("\n       ", "\n") for block in re.findall(r"^       (\S.*(?:\n       .*)*)", text, re.M)]


class Site:
    home = "/var/stafet"

    def last_log(self):
        return run(["sh", "-c", f"grep -h -E 'alert|fatal|refused|deferral' {self.home}/log/*/current | tail -n 20"], code=None).splitlines()

    def tidy(self):
        pass

    def shell(self, script):
        return run(["sh", "-e", "-c", script])

    def change(self, script):
        """What the tools do holds a second later, for each member of rcptd and authd."""
        self.shell(script)
        time.sleep(1.1)

    def send(self, recipient, subject):
        with smtplib.SMTP("127.0.0.1", 25, "client.test", timeout=60) as s:
            s.sendmail("ann@elsewhere.test", [recipient], letter(subject))

    def subjects(self, account):
        """By POP3."""
        p = poplib.POP3("127.0.0.1", 110, timeout=60)
        p.user(account[0])
        p.pass_(account[1])
        found = [line for n in range(1, p.stat()[0] + 1) for line in p.retr(n)[1] if line.startswith(b"Subject: ")]
        p.quit()
        return [line.decode()[9:] for line in found]

    def subjects_by_imap(self, account):
        client = imaplib.IMAP4("127.0.0.1", 143, timeout=60)
        client.login(*account)
        number = int(client.select("INBOX")[1][0])
        found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1] if number else []
        client.logout()
        return sorted(part[1].decode().strip()[9:] for part in found if isinstance(part, tuple))

    def wait_for(self, account, subjects):
        wait_until(lambda: self.subjects_by_imap(account) == sorted(subjects), lambda: f"{subjects}, not {self.subjects_by_imap(account)}")


def install_is_followed(site):
    for block in lines_of_install(2):
        site.shell(block)
    expect_equal(len(lines_of_install(4)), 2, "blocks of step 4")
    site.shell(lines_of_install(4)[0])
    site.shell("stafet-instance start /var/stafet")
    expect_match("^all services answer$", site.shell("stafet-status"), "status")


def people_log_in_with_their_passwords_and_find_their_mail(site):
    expect_equal(site.subjects(JOE), ["old"], "POP3")
    expect_equal(site.subjects_by_imap(JOE), ["old"], "IMAP")
    expect_equal(site.subjects_by_imap(("joe", JOE[1])), ["old"], "IMAP of a user of etc/defaultdomain")


def a_second_check_within_a_minute_is_told_to_wait(site):
    try:
        site.subjects(JOE)
        expect(False, "the second login was let in")
    except poplib.error_proto as e:
        expect_match(r"\[LOGIN-DELAY\] .*log in again in [1-6]?\d seconds", str(e), "refusal")


def mail_comes_to_mailboxes_aliases_and_the_alias_user(site):
    for number, recipient in enumerate(("joe@old.test", "sales@old.test", "postmaster@mx.old.test")):
        site.send(recipient, f"new {number}")
    site.wait_for(JOE, ["old", "new 0", "new 1", "new 2"])


def settings_of_the_old_site_hold(site):
    with smtplib.SMTP("127.0.0.1", 25, "client.test", timeout=60) as s:
        expect_match("mx.old.test", s.ehlo()[1].decode(), "EHLO")
        expect_equal(s.esmtp_features["size"], "2000000", "databytes")
        s.mail("ann@elsewhere.test")
        expect_equal(s.rcpt("nobody@old.test")[0], 550, "an unknown mailbox")


def the_tools_change_accounts(site):
    site.change(f"vadduser {EVE[0]} '{EVE[1]}'; vpasswd {POSTMASTER[0]} other")
    site.send(EVE[0], "for eve")
    site.wait_for(EVE, ["for eve"])
    expect_equal(site.subjects_by_imap((POSTMASTER[0], "other")), [], "mail of postmaster")
    site.change("vadddomain next.test word; vadduser ann@next.test word; valias -i eve@old.test all@next.test")
    site.send("all@next.test", "by an alias")
    site.send("ann@next.test", "in a new domain")
    site.wait_for(EVE, ["for eve", "by an alias"])
    site.wait_for(("ann@next.test", "word"), ["in a new domain"])
    site.shell("vuserinfo joe@old.test; vdominfo old.test; vdeluser ann@next.test; vdeldomain next.test")


def the_old_tools_go_on_working(site):
    """They run as vpopmail and know nothing of us."""
    site.shell("s6-setuidgid vpopmail test -w /home/vpopmail/domains/old.test/vpasswd")


def passwords_are_parted_from_mail(site):
    site.shell(lines_of_install(4)[1])
    expect_match("^all services answer$", site.shell("stafet-status"), "status")
    output = run(["s6-setuidgid", "vpopmail", "cat", "/home/vpopmail/domains/old.test/vpasswd.cdb"], code=1)
    expect_match("Permission denied", output, "vpopmail reads hashes")
    expect_match("^ *stafeta .*stafet-authd", run(["ps", "-eo", "user:20,args"]), "processes")


def and_all_goes_on(site):
    expect_equal(site.subjects_by_imap(JOE), ["new 0", "new 1", "new 2", "old"], "mail of joe")
    site.send("sales@old.test", "after")
    site.wait_for(JOE, ["old", "new 0", "new 1", "new 2", "after"])
    site.change("vadduser zoe@old.test word; vpasswd joe@old.test other; vadddomain last.test word; vadduser tim@last.test word")
    for account in ("zoe@old.test", "tim@last.test"):
        site.send(account, "hello")
        site.wait_for((account, "word"), ["hello"])
    site.wait_for((JOE[0], "other"), ["old", "new 0", "new 1", "new 2", "after"])
    site.shell("vdeldomain last.test; stafet-instance stop /var/stafet")
    alerts = site.shell(f"grep -h ' alert ' {site.home}/log/*/current || :")
    expect_equal(alerts, "", "alerts in the logs")


TESTS = (install_is_followed, people_log_in_with_their_passwords_and_find_their_mail, a_second_check_within_a_minute_is_told_to_wait,
         mail_comes_to_mailboxes_aliases_and_the_alias_user, settings_of_the_old_site_hold, the_tools_change_accounts, the_old_tools_go_on_working,
         passwords_are_parted_from_mail, and_all_goes_on)


def bring_up_loopback():
    """ifreq: name, flags (IFF_UP); SIOCSIFFLAGS"""
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 1))


def main():
    if not is_root():
        print("not ok 1 - this_test_needs_root\n# it makes users and mounts in namespaces: run make check as root\n1..1")
        return 1
    if "STAFET_ADOPTED" not in os.environ:
        with tempfile.TemporaryDirectory() as over:
            words = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", MOUNTS, "sh", over,
                     sys.executable, os.path.abspath(__file__), *sys.argv[1:]]
            environ = {**os.environ, "STAFET_ADOPTED": "1", "PATH": BIN + ":" + os.environ["PATH"]}
            return subprocess.run(words, env=environ, check=False).returncode
    bring_up_loopback()
    run(["sh", "-c", OLD_SITE, "sh", BIN])
    return play(TESTS, Site())


if __name__ == "__main__":
    sys.exit(main())
