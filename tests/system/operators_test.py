#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What operators see and do: stafet-qstat, stafet-qread and stafet-qctl with a real send."""
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.instance import run  # noqa: E402


def stat(house):
    return json.loads(house.tool("stafet-qstat", "--json").stdout)


def read(house, *words):
    return [json.loads(line) for line in house.tool("stafet-qread", "--json", *words).stdout.splitlines()]


def defer(house, recipient, waiting):
    """A message that waits, since it is for another host; its id."""
    before = {m["id"] for m in read(house)}
    house.tool("sendmail", "-f", "ann@example.test", recipient, input=b"Subject: waits\n\nhi\n")
    house.wait(lambda: stat(house)["later"] == waiting)
    return ({m["id"] for m in read(house)} - before).pop()


def looking(house, tap):
    tap.is_equal(house.tool("stafet-qstat").stdout, b"messages in queue: 0\nmessages in queue but not yet preprocessed: 0\n", "an_empty_queue")
    tap.is_equal(house.tool("stafet-qread").stdout, b"", "has_no_messages")
    first = defer(house, "x@elsewhere.test", 1)
    tap.is_equal(stat(house)["later"], 1, "a_deferred_message_is_counted")
    line = house.tool("stafet-qread").stdout.decode()
    tap.ok(re.fullmatch(r"\d+ \w{3} \d{4} \d\d:\d\d:\d\d GMT  #%s  \d+  <ann@example\.test> \n\t(remote|local)\tx@elsewhere\.test\n" % first, line),
           "and_listed_as_qmail_qread_does", line)
    message = read(house)[0]
    tap.is_equal((message["from"], message["why"], message["n"], message["tries"]), ("ann@example.test", "no-route", 1, 1), "with_its_reason")
    tap.is_equal([(r["to"], r["mark"]) for r in message["recipients"]], [("x@elsewhere.test", ".")], "and_its_recipient")
    tap.ok(message["recipients"][0]["text"].startswith("4.4.4 "), "and_his_note", message)
    long = house.tool("stafet-qread", "--long", first).stdout.decode()
    tap.ok("; next: " in long and "why: no-route" in long, "long_says_when_it_is_tried_next", long)
    tap.is_equal(([len(read(house, "--why", w)) for w in ("no-route", "full")], len(read(house, "--to", "@elsewhere.test")), len(read(house, "--from", "x@y.test"))),
                 ([1, 0], 1, 0), "filters_choose")
    tap.is_equal(house.tool("stafet-qread", "0" * 22, code=None).returncode, 1, "an_unknown_id_is_1")


def acting(house, tap):
    first = read(house)[0]["id"]
    second = defer(house, "y@other.test", 2)
    tap.is_equal(house.tool("stafet-qctl", "hold", first).stdout, b"hold: 1 message\n", "a_message_is_held")
    tap.ok(house.wait(lambda: (stat(house)["hold"], stat(house)["later"]) == (1, 1)), "and_waits_no_more", stat(house))
    tap.is_equal(house.tool("stafet-qctl", "--dry-run", "delete", "--to", "y@other.test").stdout.decode().splitlines()[-1],
                 "would delete: 1 message", "a_dry_run_tells")
    tap.is_equal(stat(house)["later"], 1, "and_does_nothing")
    tap.is_equal(house.tool("stafet-qctl", "delete", second).stdout, b"delete: 1 message\n", "a_message_is_deleted")
    tap.ok(house.wait(lambda: stat(house)["later"] == 0), "and_gone", stat(house))
    tap.is_equal(house.tool("stafet-qctl", "release", first).stdout, b"release: 1 message\n", "a_held_message_is_released")
    tap.ok(house.wait(lambda: (stat(house)["hold"], stat(house)["later"]) == (0, 1)), "and_waits_again", stat(house))
    tries = read(house)[0]["tries"]
    house.tool("stafet-qctl", "retry")
    tap.ok(house.wait(lambda: any(m["tries"] > tries for m in read(house))), "retry_tries_at_once", read(house))
    tap.is_equal(house.tool("stafet-qctl", "bounce", "--from", "ann@example.test").stdout, b"bounce: 1 message\n", "a_message_is_given_up")
    mail = house.next_mail("ann", 0)
    tap.ok(mail is not None and b"<x@elsewhere.test>:\n" in mail, "and_its_sender_is_told", mail)
    tap.is_equal(house.tool("stafet-qctl", "delete", code=None).returncode, 100, "deleting_all_has_to_be_said")


def refusing(house, tap):
    if os.getuid() != 0:
        return
    environ = dict(os.environ, STAFET_HOME=house.folder)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", os.path.join(house.env["BIN"], "stafet-qstat")],
                          check=False, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tap.ok(done.returncode == 100 and b"only root and members of the group stafetop may ask here" in done.stdout, "nobody_else_may_ask", done)


run(looking, acting, refusing)
