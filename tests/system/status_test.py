#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The operator's eyes: stafet-status (up, answering, at its limit, last trouble, full disk) and stafet-trace (one message's way)."""

import os
import pty
import re
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import Instance, expect, expect_equal, expect_match, is_root, letter, play, run, wait_until  # noqa: E402

SERVICES = "authd inject local pop3-login pop3d queue rcptd send smtpd".split()


def on_a_terminal(argv):
    """What a program writes to a terminal."""
    output = []

    def read(fd):
        output.append(os.read(fd, 65536))
        return output[-1]
    saved = os.dup(1)
    with open("/dev/null", "wb") as null:
        os.dup2(null.fileno(), 1)
        try:
            pty.spawn(argv, read, lambda fd: b"")
        finally:
            os.dup2(saved, 1)
            os.close(saved)
    return b"".join(output).decode("utf-8", "replace")


def status_names_each_service_and_its_answer(house):
    output = house.tool("stafet-status")
    for name in SERVICES:
        expect_match(rf"^{name} +up +\d+s +(answers|220 |\+OK)", output, "status")
    expect_match("^smtpd .* 220 mx.example.test ESMTP", output, "status")
    expect_match(r"^pop3-login .* \+OK", output, "status")
    expect_match("^all services answer$", output, "status")
    expect("\033" not in output, "colour without a terminal")
    expect_equal(house.tool("stafet-status", "-q"), "", "what -q says")
    for name in SERVICES:
        expect_equal(re.findall(r".* (?:refused|bad-request|deferred) .*", house.log(name)), [], f"what the questions left in the log of {name}")
    expect("\033[32m" in on_a_terminal([house.path("bin/stafet-status"), "-H", house.home]), "no colour on a terminal")


def status_tells_wrong_use(house):
    expect("usage:" in house.tool("stafet-status", "-x", code=100))
    expect("is no home folder" in run([house.path("bin/stafet-status"), "-H", "/nonexistent"], code=100))


def status_sees_a_service_that_is_down(house):
    house.as_owner(["s6-svc", "-wd", "-T", "10000", "-d", house.path("service/local")])
    expect_match("^local +DOWN", house.tool("stafet-status", code=1), "status")
    house.as_owner(["s6-svc", "-u", house.path("service/local")])
    house.wait_for_answers()


def status_sees_a_service_that_does_not_answer(house):
    pid = house.service_pid("smtpd")
    os.kill(pid, signal.SIGSTOP)
    try:
        expect_match("^smtpd .*DOES NOT ANSWER", house.tool("stafet-status", code=1), "status")
    finally:
        os.kill(pid, signal.SIGCONT)
    house.wait_for_answers()


def status_sees_a_limit_that_was_reached(house):
    house.write("service/smtpd/env/CONNECTIONS", "2\n")
    house.restart("smtpd")
    held = []
    for _ in range(3):
        held.append(socket.create_connection((house.host, house.smtp_port)))
        wait_until(lambda: held[-1].recv(1000), "an answer")
    house.wait_log("smtpd", "limit ")
    for sock in held:
        sock.close()
    os.unlink(house.path("service/smtpd/env/CONNECTIONS"))
    house.wait_for_answers()
    expect_match("at its limit: .*2", house.tool("stafet-status"), "status")
    house.restart("smtpd")


def status_tells_the_last_trouble(house):
    with house.smtp() as s:
        s.ehlo()
        parent = house.service_pid("smtpd")
        child = run(["ps", "-o", "pid=", "--ppid", str(parent)]).split()[0]
        os.kill(int(child), signal.SIGABRT)  # a sanitizer would take SIGSEGV for itself
        house.wait_log("smtpd", "child-died")
    expect_match("last trouble: .*child-died.*", house.tool("stafet-status"), "status")


def status_sees_a_full_disk(house):
    run(["mount", "-t", "tmpfs", "-o", "size=900k,nr_inodes=50", "tmpfs", house.path("domains")])
    try:
        expect_match("^DISK FULL: domains has ", house.tool("stafet-status", code=1), "status")
    finally:
        run(["umount", house.path("domains")])
    house.wait_for_answers()


def trace_shows_one_message_of_a_session_in_order(house):
    with house.smtp() as s:
        first = house.send("one@elsewhere.test", house.joe[0], letter("first"), session=s)
        s.mail("refused@elsewhere.test")
        s.rcpt(f"nobody-here@{house.domain}")
        s.rset()
        second = house.send("two@elsewhere.test", [house.joe[0], house.ann[0]], letter("second"), session=s)
    house.wait_files(house.joe, 2)
    house.wait_spool_empty()
    house.wait_log("smtpd", "quit .*|closed .*")
    for message, sender, other in ((first, "one@", "two@"), (second, "two@", "one@")):
        output = house.tool("stafet-trace", message)
        lines = output.splitlines()
        expect_match(r"^\d{4}-\d\d-\d\d$", lines[0], "the day")
        times = [line.split()[0] for line in lines[1:]]
        expect_equal(times, sorted(times), "times")
        programs = [line.split()[1] for line in lines[1:]]
        order = [programs.index(name) for name in ("smtpd", "send", "local")]
        expect_equal(order, sorted(order), f"order of {programs}")
        expect(sender in output and other not in output, output)
        expect_match(r"delivery \d+: success", output, "trace")
        expect_match(r"connect .*ip=127\.0\.0\.1", output, "trace")
        expect_match(r"end msg", output, "trace")
    expect("nobody-here" not in house.tool("stafet-trace", first), "another transaction's line")


def trace_is_coloured_on_a_terminal(house):
    message = house.send("ann@elsewhere.test", house.joe[0], letter("coloured"))
    house.wait_spool_empty()
    plain = house.tool("stafet-trace", message)
    coloured = on_a_terminal([house.path("bin/stafet-trace"), "-H", house.home, message])
    expect("\033" not in plain and "\033[" in coloured, plain, coloured)
    expect_equal(re.sub(r"\033\[\d*m", "", coloured).replace("\r\n", "\n").split(), plain.split(), "words without colours")


def trace_tells_what_it_does_not_know(house):
    expect("no line of" in house.tool("stafet-trace", "0" * 22, code=1))
    expect("is not an id" in house.tool("stafet-trace", "../x", code=100))
    expect("usage:" in house.tool("stafet-trace", code=100))
    expect("has no log folder" in run([house.path("bin/stafet-trace"), "-H", "/nonexistent", "0" * 22], code=100))


def trace_reads_rotated_logs(house):
    message = house.send("ann@elsewhere.test", house.joe[0], letter("rotated"))
    house.wait_spool_empty()
    before = house.tool("stafet-trace", message)
    for name in ("smtpd", "send"):
        house.as_owner(["s6-svc", "-a", house.path("service", name, "log")])
        wait_until(lambda: [f for f in os.listdir(house.path("log", name)) if f.startswith("@")], f"log/{name} is rotated")
    expect_equal(house.tool("stafet-trace", message), before, "trace")


def operators_read_logs_without_being_root(house):
    group = subprocess.getoutput("getent group stafetop").split(":")[2]
    message = house.send("ann@elsewhere.test", house.joe[0], letter("seen"))
    house.wait_spool_empty()
    argv = [house.path("bin/stafet-trace"), "-H", house.home, message]
    expect_match("success", run(["setpriv", "--reuid=nobody", "--regid=nogroup", f"--groups={group}", *argv]), "trace")
    run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *argv], code=1)


TESTS = (status_names_each_service_and_its_answer, status_tells_wrong_use, status_sees_a_service_that_is_down,
         status_sees_a_service_that_does_not_answer, status_sees_a_limit_that_was_reached, status_tells_the_last_trouble,
         trace_shows_one_message_of_a_session_in_order, trace_is_coloured_on_a_terminal, trace_tells_what_it_does_not_know, trace_reads_rotated_logs)
OF_ROOT = (status_sees_a_full_disk, operators_read_logs_without_being_root)


def main():
    with Instance() as house:
        return play(TESTS + (OF_ROOT if is_root() else ()), house)


if __name__ == "__main__":
    sys.exit(main())
