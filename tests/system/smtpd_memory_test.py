#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A session's memory does not grow with a message: the process's high-water mark (VmHWM) before and after 10 MB, in lines, in one line, in chunks,
refused and to a queue that has gone. A session that is asked to keep recipients grows: the mark is one that can be seen."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from dialoglib import smtp  # noqa: E402

MEGABYTE = 1 << 20
ALLOWED_KB = 600  # two frames of 64 KiB, the room of their strings, and what an allocator rounds up


def high_water_kb(session):
    with open("/proc/%d/status" % session.process.pid, encoding="ascii") as f:
        return int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1))


def begin(house, sender):
    session = smtp.Session(house)
    session.reply()
    for line in ("EHLO c.test", "MAIL FROM:<%s>" % sender, "RCPT TO:<joe@example.test>"):
        session.command(line)
    return session, high_water_kb(session)


def by_data(house, block, sender="ann@b.test"):
    """(reply, growth in kB) of 10 MB of blocks."""
    session, before = begin(house, sender)
    session.command("DATA")
    for _ in range(10 * MEGABYTE // len(block)):
        session.send(block)
    session.send(b"\r\n.\r\n")
    reply = session.reply()
    growth = high_water_kb(session) - before
    session.close()
    return reply, growth


def by_chunks(house):
    session, before = begin(house, "ann@b.test")
    for i in range(10):
        session.send(b"BDAT %d%s\r\n" % (MEGABYTE, b" LAST" if i == 9 else b"") + b"a" * (MEGABYTE - 2) + b"\r\n")
        reply = session.reply()
    growth = high_water_kb(session) - before
    session.close()
    return reply, growth


def by_recipients(house):
    session, before = begin(house, "ann@b.test")
    for i in range(5000):
        session.command("RCPT TO:<%s%d@example.test>" % ("x" * 600, i))
    growth = high_water_kb(session) - before
    session.close()
    return growth


def main():
    results = smtp.Results()
    if "ASAN_OPTIONS" in os.environ:  # a sanitized program keeps what was freed: not here
        os.environ["ASAN_OPTIONS"] += ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0"
    house = smtp.House(databytes=0, maxrcpt=50000, maxcommands=100000)
    small = smtp.House(databytes=1000)
    try:
        line = (b"a" * 70 + b"\r\n") * 100
        for name, (reply, growth), code in (("lines", by_data(house, line), 250), ("one_line", by_data(house, b"a" * 8192), 250),
                                            ("dots", by_data(house, b"..\r\n" * 1000), 250), ("empty_lines", by_data(house, b"\r\n" * 4000), 250),
                                            ("chunks", by_chunks(house), 250), ("too_much", by_data(small, line), 552),
                                            ("bare_line_ends", by_data(house, b"a\nb\r" * 1000), 550),
                                            ("a_queue_that_has_gone", by_data(house, line, "gone@b.test"), 451)):
            results.ok(reply[0] == code, "10_MB_of_%s_are_answered_%d" % (name, code), reply)
            results.ok(growth <= ALLOWED_KB, "10_MB_of_%s_cost_no_memory" % name, "%d kB more" % growth)
        growth = by_recipients(house)
        results.ok(growth > ALLOWED_KB, "3_MB_of_recipients_are_seen_by_this_measure", "%d kB more" % growth)
    finally:
        house.remove()
        small.remove()
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
