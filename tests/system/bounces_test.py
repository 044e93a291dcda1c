#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What becomes of mail that cannot be delivered: reports as mail programs read them, what NOTIFY and RET ask, double and triple
bounces, mail that waits and expires."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import Instance, expect, expect_equal, expect_match, letter, parse, play, wait_until  # noqa: E402


MESSAGE = ("From: \u00c4nn <ann@example.test>\nTo: joe@example.test\nSubject: Gr\u00fc\u00dfe\nMIME-Version: 1.0\n"
           "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\nMessage-ID: <original@example.test>\n"
           "Date: Wed, 25 Nov 2026 04:36:35 +0000\n\nBody \u00e4\n.\n--=_x\n\nend without line end").encode()


def sendmail(house, *args, stdin=MESSAGE):
    house.as_owner([house.path("bin/sendmail"), *args], stdin=stdin)


def take(house, account):
    """The one message that comes for the account."""
    raw = house.wait_messages(account)[0]
    house.empty(account)
    return raw, parse(raw)


def parts_of(report, status_type="message/delivery-status"):
    """(words, [fields of each recipient], the returned message or header)"""
    expect_equal(report.get_content_type(), "multipart/report", "type")
    expect_equal(report.get_param("report-type"), "delivery-status", "report-type")
    words, status, returned = report.iter_parts()
    expect_equal((words.get_content_type(), status.get_content_type()), ("text/plain", status_type), "types of the parts")
    expect(returned.get_content_type() in ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"), returned.get_content_type())
    whole, *recipients = status.get_payload()
    expect_match("^dns; *mx.example.test", whole["Reporting-MTA"], "Reporting-MTA")
    expect_equal(report.defects, [], "defects")
    return words.get_content(), recipients, returned


def account_that_waits(house, name):
    """A new account whose mail is tried again later."""
    account = house.account(name)
    house.user_dot_qmail(account[0], "|exit 111\n")
    return account


def delete(house, account):
    """send may have asked for the account a moment ago: mail that waits it asks about anew."""
    house.tool("vdeluser", account[0])


def wait_until_it_waits(house):
    wait_until(lambda: [p for p in house.spooled() if "/later/" in p], "the message waits")


def an_account_deleted_while_mail_waits_is_reported(house):
    gone = account_that_waits(house, "gone")
    house.send(house.ann[0], gone[0], letter("too late"))
    wait_until_it_waits(house)
    delete(house, gone)
    house.push()
    raw, report = take(house, house.ann)
    expect_match("^Return-Path: <>$", raw.decode(), "the report")
    expect_equal((report["Subject"], str(report["To"])), ("failure notice", house.ann[0]), "subject and receiver")
    words, recipients, returned = parts_of(report)
    expect_match(r"^Hi\. This is the ", words, "first line")
    expect_match(rf"^<{gone[0]}>:\nSorry, no mailbox here by that name\. \(#5\.1\.1\)\s\S", words, "the recipient's paragraph, with its explanation")
    expect_equal([(r["Final-Recipient"], r["Action"], r["Status"]) for r in recipients], [(f"rfc822; {gone[0]}", "failed", "5.1.1")], "recipients")
    expect("Subject: too late" in returned.as_string(), returned.as_string())
    house.wait_spool_empty()


def a_report_is_read_by_mail_programs(house):
    """QSBMF in the first part, a group a recipient in the second, the message byte for byte in the third."""
    sendmail(house, "-f", house.ann[0], "-V", "QQ+31", house.joe[0], "nosuch@example.test", "none@example.test")
    raw, report = take(house, house.ann)
    house.wait_messages(house.joe)
    house.empty(house.joe)
    expect_equal((report["From"].split("@")[0], report["Auto-Submitted"]), ("MAILER-DAEMON", "auto-replied"), "From, Auto-Submitted")
    expect_equal((report["In-Reply-To"], report["References"]), ("<original@example.test>",) * 2, "In-Reply-To, References")
    words, recipients, returned = parts_of(report)
    expect_match("^--- Below this line is a copy of the message.$", words, "words")
    paragraphs = dict(re.findall(r"^<([^>]+)>:\n((?:.+\n)+)", words, re.M))
    expect_equal(sorted(paragraphs), ["none@example.test", "nosuch@example.test"], "paragraphs")
    for paragraph in paragraphs.values():
        expect_match(r"^Sorry, no mailbox here by that name\. \(#5\.1\.1\)[^$]*postmaster", paragraph, "who can help")
    expect_equal(list(report.iter_parts())[1].get_payload()[0]["Original-Envelope-Id"], "QQ1", "envelope id")
    expect_equal([(r["Final-Recipient"], r["Action"], r["Status"]) for r in recipients],
                 [(f"rfc822; {name}@example.test", "failed", "5.1.1") for name in ("nosuch", "none")], "recipients")
    original = raw.split(b"\nReturn-Path: <ann@example.test>\n")[1].split(b"\n--" + report.get_boundary().encode() + b"--\n")[0]
    expect(original.endswith(MESSAGE), original)
    expect_equal(returned.get_content()["Message-ID"], "<original@example.test>", "Message-ID of the returned message")


def notify_and_ret_are_kept(house):
    sendmail(house, "-f", house.ann[0], "-N", "never", "nosuch@example.test")
    house.wait_log("send", "bounce-unwanted")
    sendmail(house, "-f", house.ann[0], "-R", "hdrs", "nosuch@example.test")
    raw, report = take(house, house.ann)
    expect_equal(parts_of(report)[2].get_content_type(), "text/rfc822-headers", "type of what comes back")
    expect("Body \u00e4".encode() not in raw, "the body came back")


def the_good_recipients_of_a_message_get_it_once(house):
    gone = account_that_waits(house, "gone2")
    house.send(house.ann[0], [house.joe[0], gone[0]], letter("to two"))
    wait_until_it_waits(house)
    delete(house, gone)
    house.push()
    _, report = take(house, house.ann)
    words, recipients, _ = parts_of(report)
    expect_equal(len(recipients), 1, "recipients in the report")
    expect(house.joe[0] not in words, words)
    expect(b"Subject: to two" in take(house, house.joe)[0])
    house.wait_spool_empty()


def a_message_in_utf8_is_reported_as_one(house):
    house.dot_qmail("refuses", "|echo nicht hier; exit 100\n")
    with house.smtp() as s:
        s.ehlo()
        s.mail(house.ann[0], ["SMTPUTF8", "BODY=8BITMIME"])
        s.rcpt(f"refuses@{house.domain}")
        expect_equal(s.data(letter("Gr\u00fc\u00dfe \u2192"))[0], 250, "DATA")
    raw, report = take(house, house.ann)
    words, _, _ = parts_of(report)
    expect("nicht hier" in words and "Gr\u00fc\u00dfe \u2192".encode() in raw, words)


def a_big_message_does_not_come_back_whole(house):
    body = ("z" * 76 + "\r\n") * 50000
    house.send(house.ann[0], f"refuses@{house.domain}", letter("big", body))
    raw, report = take(house, house.ann)
    parts_of(report)
    expect(b"Subject: big" in raw and len(raw) < len(body) / 2, len(raw))


def a_report_that_nobody_takes_goes_to_the_postmaster(house):
    house.send(f"no-such@{house.domain}", f"refuses@{house.domain}", letter("of nobody"))
    raw, report = take(house, f"postmaster@{house.domain}")
    expect_match(r"^Return-Path: <#@\[\]>$", raw.decode(), "the double bounce")
    text = report.get_body(("plain",)).get_content()
    expect("I tried to deliver a bounce message to this address, but the bounce bounced!" in text and f"<no-such@{house.domain}>:" in text, text)
    expect_equal(len([p for p in report.walk() if p.get_content_type() == "multipart/report"]), 2, "reports in it")
    expect("Subject: of nobody" in raw.decode(), "the message is not in it")
    house.wait_spool_empty()


def a_triple_bounce_is_dropped_and_logged(house):
    house.control("doublebounceto", "nobody-there")

    def is_dropped():
        house.send(f"no-such@{house.domain}", f"refuses@{house.domain}", letter("three times"))
        house.wait_spool_empty()
        return "triple bounce: discarding bounce/" in house.log("send")
    wait_until(is_dropped, "a triple bounce in the log")
    house.control("doublebounceto", None)
    house.empty(f"postmaster@{house.domain}")
    wait_until(lambda: lands_at_postmaster(house), "double bounces reach the postmaster again")


def lands_at_postmaster(house):
    house.send(f"no-such@{house.domain}", f"refuses@{house.domain}", letter("twice"))
    house.wait_spool_empty()
    landed = bool(house.files(f"postmaster@{house.domain}"))
    house.empty(f"postmaster@{house.domain}")
    return landed


def a_report_of_a_report_ends(house):
    """Mail with the empty sender to a name that refuses: nobody is told but the postmaster, nothing circles."""
    house.send("", f"refuses@{house.domain}", letter("from nobody"))
    raw, _ = take(house, f"postmaster@{house.domain}")
    expect("Subject: from nobody" in raw.decode())
    house.wait_spool_empty()


def inject(house, sender, recipient, subject):
    sendmail(house, "-t", "-i", "-f", sender, stdin=f"From: {sender}\nTo: {recipient}\nSubject: {subject}\n\nhello\n")


def waiting(house):
    return json.loads("[" + ",".join(line for line in house.tool("stafet-qread", "--json").splitlines() if line.startswith("{")) + "]")


def mail_for_other_hosts_waits_with_its_reason(house):
    inject(house, house.ann[0], "x@remote.test", "abroad")
    house.wait_log("send", "deferral")
    wait_until_it_waits(house)
    expect_match("^\tremote\tx@remote.test$", house.tool("stafet-qread"), "stafet-qread")
    text = house.tool("stafet-qread", "--long")
    expect_match("does not yet send to other hosts.*The message waits here", text, "the reason")
    message = re.search("[0-9a-v]{22}", house.spooled()[0]).group()
    expect(message in text, f"{message} in {text}")
    expect_equal([m["id"] for m in waiting(house)], [message], "ids in JSON")
    expect_match(r"\b1\b", house.tool("stafet-qstat"), "stafet-qstat")
    expect_match("deferral", house.tool("stafet-trace", message), "trace")


def mail_that_waited_too_long_is_given_up(house):
    house.control("queuelifetime", "1")
    wait_until(lambda: expire(house), "the message is given up")
    _, report = take(house, house.ann)
    words, recipients, _ = parts_of(report)
    expect_match("^<x@remote.test>:$", words, "the recipient")
    expect_match("I'm not going to try again; this message has been in the queue too long", words.replace("\n", " "), "the words")
    expect_match(r"^4\.|^5\.4\.7", recipients[0]["Status"], "status")
    house.wait_spool_empty()
    house.control("queuelifetime", None)
    expect_equal(house.tool("stafet-qread", "--json").strip(), "", "what waits")


def expire(house):
    """send's own word counts: a look at the folders may miss a file that moves."""
    house.push()
    return house.tool("stafet-qread", "--json").strip() == ""


def qread_tells_when_nothing_runs(house):
    house.as_owner(["s6-svc", "-wd", "-T", "10000", "-d", house.path("service/send")])
    output = house.tool("stafet-qread", code=111)
    expect_match("(?i)does not answer|send", output, "stafet-qread")
    house.as_owner(["s6-svc", "-u", house.path("service/send")])
    house.wait_for_answers()


def operators_alone_may_look(house):
    if house.user is None and os.geteuid() == 0:
        expect("x@" not in house.call("nobody", "ctl", "do=list", code=None), "nobody sees the queue")


TESTS = (a_report_is_read_by_mail_programs, notify_and_ret_are_kept, an_account_deleted_while_mail_waits_is_reported, the_good_recipients_of_a_message_get_it_once, a_message_in_utf8_is_reported_as_one,
         a_big_message_does_not_come_back_whole, a_report_that_nobody_takes_goes_to_the_postmaster, a_report_of_a_report_ends,
         a_triple_bounce_is_dropped_and_logged,
         mail_for_other_hosts_waits_with_its_reason, operators_alone_may_look, mail_that_waited_too_long_is_given_up, qread_tells_when_nothing_runs)


def main():
    with Instance() as house:
        return play(TESTS, house)


if __name__ == "__main__":
    sys.exit(main())
