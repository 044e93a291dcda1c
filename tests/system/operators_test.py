#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What operators see and do: stafet-qstat, stafet-qread and stafet-qctl with a real send."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import Instance, as_user, expect, expect_equal, expect_match, is_root, play, run, wait_until  # noqa: E402


def stat(house):
    return json.loads(house.tool("stafet-qstat", "--json"))


def read(house, *words):
    return [json.loads(line) for line in house.tool("stafet-qread", "--json", *words).splitlines()]


def defer(house, recipient):
    """A message that waits, since it is for another host; its id."""
    before = {m["id"] for m in read(house)}
    house.as_owner([house.path("bin/sendmail"), "-f", house.ann[0], recipient], stdin="Subject: waits\n\nhi\n")
    return wait_until(lambda: {m["id"] for m in read(house) if m["tries"] > 0 and m["due"] > 0} - before, f"mail to {recipient} waits").pop()


def an_empty_queue_is_told(house):
    expect_equal(house.tool("stafet-qstat"), "messages in queue: 0\nmessages in queue but not yet preprocessed: 0\n", "stafet-qstat")
    expect_equal(house.tool("stafet-qread"), "", "stafet-qread")


def a_deferred_message_is_listed_as_qmail_qread_does(house):
    first = defer(house, "x@elsewhere.test")
    expect_equal(stat(house)["later"], 1, "waiting messages")
    expect_match(rf"\A\d+ \w{{3}} \d{{4}} \d\d:\d\d:\d\d GMT  #{first}  \d+  <ann@example\.test> \n\tremote\tx@elsewhere\.test\n\Z", house.tool("stafet-qread"))
    message = read(house)[0]
    expect_equal((message["from"], message["why"], message["n"]), (house.ann[0], "no-route", 1), "sender, reason, recipients")
    expect_equal([(r["to"], r["mark"], r["site"], r["text"][:6]) for r in message["recipients"]], [("x@elsewhere.test", ".", "elsewhere.test", "4.4.4 ")], "recipients")
    expect_match("; next: .*why: no-route", house.tool("stafet-qread", "--long", first), "--long")


def filters_choose(house):
    for filters, count in ((["--why", "no-route"], 1), (["--why", "full"], 0), (["--to", "@elsewhere.test"], 1), (["--from", "x@y.test"], 0)):
        expect_equal(len(read(house, *filters)), count, filters)
    house.tool("stafet-qread", "0" * 22, code=1)


def messages_are_held_released_and_deleted(house):
    first = read(house)[0]["id"]
    second = defer(house, "y@other.test")
    expect_equal(house.tool("stafet-qctl", "hold", first), "hold: 1 message\n", "hold")
    wait_until(lambda: (stat(house)["hold"], stat(house)["later"]) == (1, 1), "it is held")
    expect_equal(house.tool("stafet-qctl", "--dry-run", "delete", "--to", "y@other.test").splitlines()[-1], "would delete: 1 message", "--dry-run")
    expect_equal(stat(house)["later"], 1, "waiting messages after the dry run")
    expect_equal(house.tool("stafet-qctl", "delete", second), "delete: 1 message\n", "delete")
    wait_until(lambda: stat(house)["later"] == 0, "it is gone")
    expect_equal(house.tool("stafet-qctl", "release", first), "release: 1 message\n", "release")
    wait_until(lambda: (stat(house)["hold"], stat(house)["later"]) == (0, 1), "it waits again")
    house.tool("stafet-qctl", "delete", code=100)  # all of them: that has to be said


def retry_tries_at_once(house):
    tries = read(house)[0]["tries"]
    house.tool("stafet-qctl", "retry")
    wait_until(lambda: any(m["tries"] > tries for m in read(house)), "another try")


def a_message_is_given_up_and_its_sender_told(house):
    expect_equal(house.tool("stafet-qctl", "bounce", "--from", house.ann[0]), "bounce: 1 message\n", "bounce")
    expect(b"<x@elsewhere.test>:\n" in house.wait_messages(house.ann)[0])
    house.wait_spool_empty()


def nobody_else_may_ask(house):
    if is_root():
        output = run(as_user("nobody", [house.path("bin/stafet-qstat"), "-H", house.home]), code=100)
        expect("only root and members of the group stafetop may ask here" in output, output)


TESTS = (an_empty_queue_is_told, a_deferred_message_is_listed_as_qmail_qread_does, filters_choose, messages_are_held_released_and_deleted,
         retry_tries_at_once, a_message_is_given_up_and_its_sender_told, nobody_else_may_ask)


def main():
    with Instance() as house:
        return play(TESTS, house)


if __name__ == "__main__":
    sys.exit(main())
