#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The programs that call sendmail, really: s-nail, mutt, PHP, cron's call, and an ordinary user without any rights."""
import email
import email.policy
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.instance import run  # noqa: E402


def arrives(house, tap, who, seen):
    mail = house.next_mail("joe", seen)
    tap.ok(mail is not None, who + "_sends_a_mail", house.log("inject")[-1000:] + house.log("send")[-1000:])
    return email.message_from_bytes(mail or b"", policy=email.policy.default)


def s_nail(house, tap):
    sendmail = os.path.join(house.env["BIN"], "sendmail")
    house.tool("/usr/bin/s-nail", "-n", "-S", "sendmail=" + sendmail, "-S", "mta=" + sendmail, "-S", "ttycharset=utf-8",
               "-r", "ann@example.test", "-s", "Grüße", "-b", "postmaster@example.test", "joe@example.test", input="von s-nail ä\n".encode(), env={"LC_ALL": "C.UTF-8"})
    mail = arrives(house, tap, "s_nail", 0)
    tap.is_equal((mail["Return-Path"], mail["Subject"], mail["Bcc"]), ("<ann@example.test>", "Grüße", None), "s_nails_header_is_whole")
    tap.is_equal(mail.get_content(), "von s-nail ä\n", "and_its_text")
    tap.ok(house.next_mail("postmaster", 0) is not None, "its_blind_copy_too")


def mutt(house, tap):
    sendmail = os.path.join(house.env["BIN"], "sendmail")
    attachment = os.path.join(house.base, "data.bin")
    with open(attachment, "wb") as f:
        f.write(bytes(range(256)) * 400)
    house.tool("/usr/bin/mutt", "-n", "-F", "/dev/null", "-e", "set sendmail='%s -oem -oi'" % sendmail, "-e", "set copy=no",
               "-e", "set from=ann@example.test use_envelope_from=yes envelope_from_address=back@example.test dsn_notify='failure,delay' dsn_return=hdrs",
               "-s", "from mutt", "-a", attachment, "--", "joe@example.test", input=b"hello\n", env={"HOME": house.base, "TERM": "dumb"})
    mail = arrives(house, tap, "mutt", 1)
    tap.is_equal((mail["Return-Path"], mail["Subject"]), ("<back@example.test>", "from mutt"), "mutt_sets_the_sender")
    parts = list(mail.iter_attachments())
    tap.ok(len(parts) == 1 and parts[0].get_content() == bytes(range(256)) * 400, "its_attachment_is_whole")


def php(house, tap):
    sendmail = os.path.join(house.env["BIN"], "sendmail")
    code = r'exit(mail("joe@example.test", "from php", "line one\nline two\n", "From: shop@example.test\r\nX-A: b", "-fback@example.test") ? 0 : 1);'
    house.tool("/usr/bin/php", "-n", "-d", "sendmail_path=%s -t -i" % sendmail, "-r", code)
    mail = arrives(house, tap, "php", 2)
    tap.is_equal((mail["Return-Path"], mail["From"], mail["X-A"], mail.get_content()),
                 ("<back@example.test>", "shop@example.test", "b", "line one\nline two\n\n"), "with_php_s_header_and_text")


def cron(house, tap):
    text = b"From: root (Cron Daemon)\nTo: joe@example.test\nSubject: Cron <root@x> job\nAuto-Submitted: auto-generated\n\n.\nout\n.\n"
    house.tool("sendmail", "-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root", input=text)
    mail = arrives(house, tap, "cron", 3)
    tap.is_equal(mail.get_content(), ".\nout\n.\n", "dots_do_not_end_it")
    tap.ok(str(mail["From"]).startswith("root@"), "its_from_line_is_finished", mail["From"])


def ordinary_user(house, tap):
    if os.getuid() != 0:
        return
    environ = dict(os.environ, STAFET_HOME=house.folder, USER="nobody", LOGNAME="nobody")
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", os.path.join(house.env["BIN"], "qmail-inject"),
                           "joe@example.test"], check=False, input=b"Subject: from nobody\n\nhi\n", env=environ, stderr=subprocess.PIPE)
    tap.is_equal((done.returncode, done.stderr), (0, b""), "an_ordinary_user_may_send")
    mail = arrives(house, tap, "nobody", 4)
    tap.ok("invoked by uid 65534" in mail["Received"], "his_uid_is_written_down", mail["Received"])


run(s_nail, mutt, php, cron, ordinary_user)
