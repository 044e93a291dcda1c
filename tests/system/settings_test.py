#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Control files: a change holds by itself soon after, at once by SIGHUP, and no service is started again for it."""

import os
import signal
import smtplib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import Instance, expect, expect_equal, expect_match, letter, play, wait_until  # noqa: E402

SERVICES = "smtpd rcptd authd queue inject send local pop3-login pop3d".split()


def greeting(house):
    """The first line, and the lines of EHLO."""
    s = smtplib.SMTP(timeout=60)
    words = s.connect(house.host, house.smtp_port)[1] + b"\n" + s.ehlo("client.test")[1]
    s.quit()
    return words.decode()


def the_greeting_changes_by_itself(house):
    house.control("smtpgreeting", "changed.test")
    wait_until(lambda: "changed.test" in greeting(house), "the new greeting")
    house.control("smtpgreeting", None)
    wait_until(lambda: "mx.example.test ESMTP" in greeting(house), "the old greeting")


def a_hangup_makes_it_hold_at_once(house):
    for n in range(40):  # faster one after the other than a look each second could see
        house.control("smtpgreeting", f"number-{n}.test")
        os.kill(house.service_pid("smtpd"), signal.SIGHUP)
        expect_match(f"number-{n}.test", greeting(house), "greeting")
    house.control("smtpgreeting", None)


def the_size_limit_changes(house):
    house.control("databytes", "2000")
    wait_until(lambda: "SIZE 2000" in greeting(house), "SIZE in EHLO")
    with house.smtp() as s:
        s.ehlo()
        expect_match("^552 5.3.4 .*2000 bytes", "{} {!r}".format(*s.mail("a@elsewhere.test", ["SIZE=2001"])).replace("b'", ""), "reply")
    house.control("databytes", None)
    wait_until(lambda: "SIZE 10485760" in greeting(house), "SIZE in EHLO")


def a_sender_is_refused_from_then_on(house):
    house.control("badmailfrom", "spam@elsewhere.test\n@bad.test")

    def reply(sender):
        with house.smtp() as s:
            s.ehlo()
            return "{} {!r}".format(*s.mail(sender))
    wait_until(lambda: reply("spam@elsewhere.test").startswith("553 b'5.7.1"), "badmailfrom holds")
    expect_match("^553 .*badmailfrom", reply("any@bad.test"), "reply")
    expect_match("^250", reply("good@elsewhere.test"), "reply")
    house.control("badmailfrom", None)
    wait_until(lambda: reply("spam@elsewhere.test").startswith("250"), "badmailfrom is gone")


def a_missing_rcpthosts_refuses_everybody_and_says_so(house):
    with open(house.path("control/rcpthosts"), encoding="ascii") as f:
        before = f.read().rstrip("\n")
    house.control("rcpthosts", None)
    wait_until(lambda: "control/rcpthosts" in house.refusal(house.joe[0]), "it is noticed")
    expect_match(r"^553 5\.7\.1 .*list of its domains, is missing; tell its operator", house.refusal(house.joe[0]), "reply")
    house.control("rcpthosts", before)
    wait_until(lambda: house.refusal(house.joe[0]).startswith("250"), "it is there again")


def a_virtual_domain_leads_elsewhere(house):
    with open(house.path("control/rcpthosts"), encoding="ascii") as f, open(house.path("control/virtualdomains"), encoding="ascii") as g:
        hosts, virtual = f.read().rstrip("\n"), g.read().rstrip("\n")
    house.control("rcpthosts", hosts + "\nalias.test")
    house.control("virtualdomains", virtual + f"\nalias.test:{house.domain}")
    wait_until(lambda: house.refusal("joe@alias.test").startswith("250"), "the alias domain")
    house.send("a@elsewhere.test", "joe@alias.test", letter("by an alias domain"))
    expect(b"by an alias domain" in house.wait_messages(house.joe)[0])
    house.empty(house.joe)
    house.control("rcpthosts", hosts)
    house.control("virtualdomains", virtual)
    wait_until(lambda: house.refusal("joe@alias.test").startswith("553"), "the alias domain is gone")


def a_nonsense_value_keeps_the_old_and_is_told(house):
    house.control("databytes", "a lot")
    wait_until(lambda: greeting(house) and "control-error file=control/databytes" in house.log("smtpd"), "it stands in the log")
    expect("SIZE 10485760" in greeting(house), greeting(house))
    house.control("databytes", None)


def no_service_was_started_again(house):
    expect_equal({name: house.service_pid(name) for name in SERVICES}, house.pids, "process ids")


TESTS = (the_greeting_changes_by_itself, a_hangup_makes_it_hold_at_once, the_size_limit_changes, a_sender_is_refused_from_then_on,
         a_missing_rcpthosts_refuses_everybody_and_says_so, a_virtual_domain_leads_elsewhere, a_nonsense_value_keeps_the_old_and_is_told,
         no_service_was_started_again)


def main():
    with Instance() as house:
        house.pids = {name: house.service_pid(name) for name in SERVICES}
        return play(TESTS, house)


if __name__ == "__main__":
    sys.exit(main())
