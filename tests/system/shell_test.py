#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Mail from users of the machine: sendmail as PHP, cron and people call it, qmail-inject, qmail-queue; refusals with exit codes."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import Instance, as_user, expect, expect_equal, expect_match, is_root, parse, play, run, wait_until  # noqa: E402


def shell_user():
    return "nobody" if is_root() else None


def call(house, name, *args, stdin="", env=(), **kw):
    """A shell user's call of that name; the home folder is told by the environment."""
    argv = as_user(shell_user(), [house.path("bin", name), *args])
    return run(argv, stdin=stdin, env={"PATH": os.environ["PATH"], "STAFET_HOME": house.home, **dict(env)}, cwd="/", **kw)


def take(house, account):
    raw = house.wait_messages(account)[0]
    house.empty(account)
    return raw.decode("utf-8", "surrogateescape"), parse(raw)


def sendmail_takes_recipients_from_the_header(house):
    call(house, "sendmail", "-t", "-i", stdin=f"To: {house.joe[0]}\nCc: \"Ann, of course\" <{house.ann[0]}>\nBcc: postmaster@{house.domain}\nSubject: three\n\n.\ntext\n")
    for account in (house.joe[0], house.ann[0], f"postmaster@{house.domain}"):
        raw, message = take(house, account)
        expect_equal((message["Subject"], message["Bcc"]), ("three", None), account)
        expect(raw.endswith("\n\n.\ntext\n"), raw)
        expect_match(r"^From: .*@", raw, "a From line")
        expect_match(r"^Date: ", raw, "a Date line")
        expect_match(r"^Message-I[dD]: <", raw, "a Message-Id line")


def the_trace_names_the_uid(house):
    call(house, "sendmail", house.joe[0], stdin="Subject: whose\n\n")
    raw, _ = take(house, house.joe)
    expect_match(rf"uid {os.geteuid() if not is_root() else 65534}\b", raw, "Received")
    house.wait_log("inject", r"injected .*uid=\d+")


def a_dot_is_text_without_i_too(house):
    call(house, "sendmail", house.joe[0], stdin="Subject: a dot\n\nfirst\n.\nsecond\n")
    raw, _ = take(house, house.joe)
    expect(raw.endswith("first\n.\nsecond\n"), raw)


def envelope_and_full_name_are_set(house):
    call(house, "sendmail", "-i", "-f", "boss@elsewhere.test", "-F", "The Boss", "--", house.joe[0], stdin="Subject: named\n\nx\n")
    raw, message = take(house, house.joe)
    expect_match("^Return-Path: <boss@elsewhere.test>$", raw)
    expect_match("The Boss", str(message["From"]), "From")


def cron_s_way(house):
    call(house, "sendmail", "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "ann", stdin="From: root (Cron Daemon)\nTo: ann\nSubject: Cron <root@host> job\n"
         "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\n.\nj\u00f6b output\n.\n")
    _, message = take(house, house.ann)
    expect_equal(message.get_content(), ".\nj\u00f6b output\n.\n", "text")
    expect_match(f"^root@{house.domain}$", message["From"].addresses[0].addr_spec, "From")


def php_s_mail(house):
    script = (f"exit(mail('{house.joe[0]}', 'from php', \"Gr\u00fc\u00dfe\\n.\\nend\", \"From: shop@elsewhere.test\\r\\nContent-Type: text/plain; charset=utf-8\\r\\n\", "
              "'-fshop@elsewhere.test') ? 0 : 1);")
    run(as_user(shell_user(), ["php", "-d", f"sendmail_path={house.path('bin/sendmail')} -t -i", "-r", script]),
        env={"PATH": os.environ["PATH"], "STAFET_HOME": house.home})
    raw, message = take(house, house.joe)
    expect_match("^Return-Path: <shop@elsewhere.test>$", raw)
    expect_equal((message["Subject"], message.get_content()), ("from php", "Gr\u00fc\u00dfe\n.\nend\n"), "the mail")


def lines_that_end_with_crlf_are_stored_with_lf(house):
    call(house, "sendmail", "-t", "-i", stdin=f"To: {house.joe[0]}\r\nSubject: windows\r\n\r\ntext\r\n")
    raw, message = take(house, house.joe)
    expect_equal(message["Subject"], "windows", "subject")
    expect("windows\n\ntext\n" in raw or "windows\n\ntext\r\n" in raw, raw)


def what_is_not_offered_is_told(house):
    for flag in ("-bs", "-bd", "-bt", "-bv"):
        expect(f"{flag} is not offered" in call(house, "sendmail", flag, code=64), flag)


def qmail_inject_in_its_ways(house):
    call(house, "qmail-inject", "-a", house.joe[0], stdin=f"To: {house.ann[0]}\nSubject: argument only\n\nx\n")
    expect_equal(take(house, house.joe)[1]["Subject"], "argument only", "subject")
    call(house, "qmail-inject", "-h", stdin=f"To: {house.ann[0]}\nSubject: header only\n\nx\n")
    expect_equal(take(house, house.ann)[1]["Subject"], "header only", "subject")
    call(house, "qmail-inject", "-fsender@elsewhere.test", "joe", stdin="Subject: default domain\n\nx\n", env={"QMAILUSER": "jane", "QMAILHOST": "there.test"}.items())
    raw, message = take(house, house.joe)
    expect_match("^Return-Path: <sender@elsewhere.test>$", raw)
    expect_match("jane@there.test", str(message["From"]), "From by the environment")
    expect_equal(house.files(house.ann), [], "what else came")


def queue_with(house, envelope, message, code):
    """qmail-queue: message on descriptor 0, envelope on 1."""
    for name, data in (("message", message), ("envelope", envelope)):
        with open(os.path.join(house.scratch, name), "wb") as f:
            f.write(data)
    argv = as_user(shell_user(), ["sh", "-c", f"'{house.path('bin/qmail-queue')}' <'{house.scratch}/message' 1<'{house.scratch}/envelope'"])
    return run(argv, env={"PATH": os.environ["PATH"], "STAFET_HOME": house.home}, code=code)


def qmail_queue_keeps_its_contract(house):
    to = b"T" + house.joe[0].encode() + b"\0"
    queue_with(house, b"Fsomebody@elsewhere.test\0" + to + b"\0", b"Subject: by queue\n\nraw\n", 0)
    raw, _ = take(house, house.joe)
    expect_match("^Return-Path: <somebody@elsewhere.test>$", raw)
    expect(raw.endswith("Subject: by queue\n\nraw\n"), raw)
    for envelope, code in ((b"X\0", 91), (b"Fa@b.test\0Xjoe\0\0", 91), (b"Fa@b.test\0T" + b"x" * 2000 + b"@b.test\0\0", 11)):
        queue_with(house, envelope, b"Subject: refused\n\n", code)
    queue_with(house, b"Fa@b.test\0" + to, b"Subject: cut off\n\n", 54)
    house.wait_spool_empty()
    expect_equal(house.files(house.joe), [], "what a bad envelope brought")


def no_recipient_is_told(house):
    expect_match("recipient", call(house, "sendmail", "-t", "-i", stdin="Subject: to nobody\n\nx\n", code=64), "words")


def a_bad_address_is_told(house):
    expect_match(r"5\.1\.3|address", call(house, "sendmail", "-i", "a b@x.test", stdin="Subject: x\n\n", code=65), "words")


def too_much_is_told(house):
    house.control("databytes", "1000")
    wait_until(lambda: "databytes" in call(house, "sendmail", "-i", house.joe[0], stdin="Subject: x\n\n" + "y\n" * 2000, code=None), "control/databytes holds")
    call(house, "sendmail", "-i", house.joe[0], stdin="Subject: x\n\n" + "y\n" * 2000, code=69)
    house.control("databytes", None)
    house.wait_spool_empty()
    house.empty(house.joe)


def a_service_that_is_away_is_told(house):
    house.as_owner(["s6-svc", "-wd", "-T", "10000", "-d", house.path("service/inject")])
    output = call(house, "sendmail", "-i", house.joe[0], stdin="Subject: x\n\n", code=75)
    expect_match("(?i)inject|not answer|later", output, "words")
    house.as_owner(["s6-svc", "-u", house.path("service/inject")])
    house.wait_for_answers()


TESTS = (sendmail_takes_recipients_from_the_header, the_trace_names_the_uid, a_dot_is_text_without_i_too, envelope_and_full_name_are_set, cron_s_way,
         php_s_mail, lines_that_end_with_crlf_are_stored_with_lf, what_is_not_offered_is_told, qmail_inject_in_its_ways,
         qmail_queue_keeps_its_contract, no_recipient_is_told, a_bad_address_is_told, too_much_is_told, a_service_that_is_away_is_told)


def main():
    with Instance() as house:
        return play(TESTS, house)


if __name__ == "__main__":
    sys.exit(main())
