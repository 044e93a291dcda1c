#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Hundreds of sessions of one user id idle at once, more than inotify has instances for: each of them hears of a delivery, of what a
foreign program drops into new/, and of another session's EXPUNGE."""
import os
import smtplib
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib.imap import Imap  # noqa: E402
from systemlib.instance import run  # noqa: E402

ANN, JOE = 200, 100  # sessions
MESSAGE = "From: eve@example.test\r\nSubject: news\r\n\r\nhello\r\n"
WATCHES = "/proc/sys/fs/inotify/max_user_instances"


def idlers(house, user, number):
    out = []
    for _ in range(number):
        client = Imap(int(house.env["IMAP_PORT"]), house.env[user], house.env["PASSWORD" + user[-1]])
        client.select("INBOX")
        out.append((client, client.idle()))
    return out


def heard(sessions, word):
    """How many hear it, and the milliseconds until the last one has."""
    began, count = time.monotonic(), 0
    for client, _ in sessions:
        count += word in client.idle_until(word)
    return count, 1000 * (time.monotonic() - began)


def drop(house, user):
    """As a foreign deliverer does it."""
    box = house.path("domains/example.test", user.split("@")[0], "Maildir")
    owner, name = os.stat(box), "1790000000.M1P1.foreign"
    with open(os.path.join(box, "tmp", name), "w", encoding="ascii") as f:
        f.write(MESSAGE.replace("\r\n", "\n"))
    os.chown(f.name, owner.st_uid, owner.st_gid)
    os.rename(f.name, os.path.join(box, "new", name))


def crowd(house, tap):
    ann, joe = idlers(house, "USER1", ANN), idlers(house, "USER2", JOE)
    with open(WATCHES, encoding="ascii") as f:
        print(f"# {ANN + JOE} sessions idle; inotify has {f.read().strip()} instances a user", flush=True)

    with smtplib.SMTP("127.0.0.1", int(house.env["SMTP_PORT"]), "client.test", 30) as smtp:
        smtp.sendmail("eve@example.test", [house.env["USER1"]], MESSAGE)
    count, taken = heard(ann, b"1 EXISTS")
    print(f"# a delivery: the last of {ANN} after {taken:.0f} ms")
    tap.is_equal(count, ANN, "each_hears_of_a_delivery")

    drop(house, house.env["USER2"])
    count, taken = heard(joe, b"1 EXISTS")
    print(f"# a file in new/: the last of {JOE} after {taken:.0f} ms")
    tap.is_equal(count, JOE, "each_hears_of_what_a_foreign_program_brings")

    client = Imap(int(house.env["IMAP_PORT"]), house.env["USER1"], house.env["PASSWORD1"])
    client.select("INBOX")
    client.store("1", "+FLAGS", r"(\Deleted)")
    client.expunge()
    count, taken = heard(ann, b"1 EXPUNGE")
    print(f"# an EXPUNGE: the last of {ANN} after {taken:.0f} ms")
    tap.is_equal(count, ANN, "each_hears_of_an_expunge")
    client.logout()

    good = 0
    for client, tag in ann + joe:
        good += client.done(tag)[0].startswith(b"OK") and client.say("NOOP")[0].startswith(b"OK")
        client.logout()
    tap.is_equal(good, ANN + JOE, "and_every_session_goes_on")
    wakes = house.path("domains/example.test", "ann", "Maildir/stafet.wake")
    tap.ok(not os.path.isdir(wakes) or not os.listdir(wakes), "no_fifo_is_left")


if __name__ == "__main__":
    run(crowd)
