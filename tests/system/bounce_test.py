#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Bounces in a private instance, read as mail programs read them: single, double and triple, what NOTIFY and RET ask, and a
message whose bytes come back whole."""
import email
import email.policy
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.instance import run  # noqa: E402

MESSAGE = ("From: Änn <ann@example.test>\nTo: joe@example.test\nSubject: Grüße\nMIME-Version: 1.0\n"
           "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\nMessage-ID: <original@example.test>\n"
           "Date: Wed, 25 Nov 2026 04:36:35 +0000\n\nBody ä\n.\n--=_x\n\nend without line end").encode()


def fields(group):
    return {name.lower(): value for name, value in group.items()}


def single(house, tap):
    house.tool("sendmail", "-f", "ann@example.test", "-V", "QQ+31", "joe@example.test", "nosuch@example.test", "none@example.test",
               input=MESSAGE)
    mail = house.next_mail("ann", 0)
    tap.ok(mail is not None, "a_bounce_comes", house.log("send"))
    report = email.message_from_bytes(mail, policy=email.policy.default)
    tap.is_equal(report["Return-Path"], "<>", "with_a_null_sender")
    tap.is_equal((report["Subject"], report["To"], report["From"].split("@")[0]), ("failure notice", "ann@example.test", "MAILER-DAEMON"), "to_the_sender")
    tap.is_equal(report["Auto-Submitted"], "auto-replied", "that_says_it_is_automatic")
    tap.is_equal((report["In-Reply-To"], report["References"]), ("<original@example.test>",) * 2, "in_the_thread_of_the_original")
    tap.is_equal((report.get_content_type(), report.get_param("report-type")), ("multipart/report", "delivery-status"), "is_a_report")
    tap.is_equal([p.get_content_type() for p in report.iter_parts()], ["text/plain", "message/delivery-status", "message/rfc822"], "of_three_parts")
    tap.is_equal((report.defects, [p.defects for p in report.walk() if p.defects]), ([], []), "without_defects")
    notice, status, copy = list(report.iter_parts())
    text = notice.get_content()
    tap.ok(text.startswith("Hi. This is the ") and "\n\n--- Below this line is a copy of the message.\n" in text, "its_text_is_qsbmf", text)
    paragraphs = dict(re.findall(r"^<([^>]+)>:\n((?:.+\n)+)", text, re.M))
    tap.is_equal(sorted(paragraphs), ["none@example.test", "nosuch@example.test"], "a_paragraph_each")
    tap.ok(all(p.startswith("Sorry, no mailbox here by that name. (#5.1.1)") and "postmaster" in p for p in paragraphs.values()),
           "that_says_why_and_who_can_help", paragraphs)
    groups = [fields(g) for g in status.get_payload()]
    tap.is_equal(groups[0].get("original-envelope-id"), "QQ1", "the_envelope_id_comes_back")
    tap.ok(groups[0].get("reporting-mta", "").startswith("dns; "), "the_host_names_itself", groups[0])
    tap.is_equal([(g["final-recipient"], g["action"], g["status"]) for g in groups[1:]],
                 [("rfc822; nosuch@example.test", "failed", "5.1.1"), ("rfc822; none@example.test", "failed", "5.1.1")], "a_status_each")
    boundary = report.get_boundary().encode()
    original = mail.split(b"\nReturn-Path: <ann@example.test>\n")[1].split(b"\n--" + boundary + b"--\n")[0]
    tap.ok(original.endswith(MESSAGE), "the_message_comes_back_byte_for_byte", original[-200:])
    tap.is_equal(copy.get_content()["Message-ID"], "<original@example.test>", "and_is_a_message")


def asked(house, tap):
    seen = len(house.mails("ann"))
    house.tool("sendmail", "-f", "ann@example.test", "-N", "never", "nosuch@example.test", input=MESSAGE)
    tap.ok(house.wait(lambda: "bounce-unwanted" in house.log("send")), "notify_never_is_kept", house.log("send")[-2000:])
    house.tool("sendmail", "-f", "ann@example.test", "-R", "hdrs", "nosuch@example.test", input=MESSAGE)
    mail = house.next_mail("ann", seen)
    tap.is_equal(len(house.mails("ann")), seen + 1, "and_brings_nothing")
    parts = [p.get_content_type() for p in email.message_from_bytes(mail, policy=email.policy.default).iter_parts()]
    tap.is_equal(parts[2:], ["text/rfc822-headers"], "ret_hdrs_brings_the_header")
    tap.ok("Body ä".encode() not in mail, "and_no_more")


def double_and_triple(house, tap):
    seen = len(house.mails("postmaster"))
    house.tool("sendmail", "-f", "gone@example.test", "nosuch@example.test", input=MESSAGE)
    mail = house.next_mail("postmaster", seen)
    tap.ok(mail is not None and mail.startswith(b"Return-Path: <#@[]>\n"), "a_bounce_that_bounced_goes_to_the_postmaster", mail)
    report = email.message_from_bytes(mail or b"", policy=email.policy.default)
    text = report.get_body(("plain",)).get_content()
    tap.ok("I tried to deliver a bounce message to this address, but the bounce bounced!" in text and "<gone@example.test>:" in text,
           "in_the_words_of_double_bounces", text)
    inner = [p for p in report.walk() if p.get_content_type() == "multipart/report"]
    tap.is_equal(len(inner), 2, "with_the_first_bounce_inside")
    house.control("doublebounceto", "nobody-there")
    house.control("doublebouncehost", "example.test")
    house.wait(lambda: False, 1.2)  # settings are looked at once a second
    house.tool("sendmail", "-f", "gone@example.test", "nosuch@example.test", input=MESSAGE)
    tap.ok(house.wait(lambda: "triple bounce: discarding bounce/" in house.log("send")), "a_triple_bounce_is_logged_and_dropped", house.log("send")[-2000:])
    tap.is_equal(len(house.mails("postmaster")), seen + 1, "and_reaches_nobody")


run(single, asked, double_and_triple)
