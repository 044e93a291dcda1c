#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The TCP services both ways (bound by stafet-bind and forking by themselves; under tcpserver), and the service folders under
daemontools instead of s6."""

import imaplib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import Instance, expect, expect_equal, expect_match, expect_same, letter, play, retrieve, run, wait_until  # noqa: E402


TCP_SERVICES = ("smtpd", "pop3-login", "imap-login")


def command_of(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return f.read().replace(b"\0", b" ").decode()


def imap(house):
    client = imaplib.IMAP4(house.host, int(house.env["IMAP_PORT"]), timeout=60)
    client.login(*house.joe)
    expect_equal(client.select("INBOX")[0], "OK", "SELECT")
    return client


def expect_mail_goes_through(house, subject):
    sent = letter(subject)
    message = house.send("ann@elsewhere.test", house.joe[0], sent)
    house.wait_files(house.joe)
    client = imap(house)
    expect_match(f"Subject: {subject}", client.fetch("1", "(BODY.PEEK[HEADER])")[1][0][1].decode(), "what IMAP shows")
    client.logout()
    p = house.pop(house.joe)
    got = retrieve(p, 1)
    expect_same(got, sent)
    expect_match(r"127\.0\.0\.1", got.split(b"\r\n\r\n")[0].decode(), "the client's address in Received")
    p.dele(1)
    p.quit()
    house.wait_log("smtpd", rf"id={message}\b")
    expect_match(r"connect .*ip=127\.0\.0\.1", house.log("smtpd"), "log of smtpd")


def both_bound_the_program_forks_by_itself(house):
    for service in TCP_SERVICES:
        pid = house.service_pid(service)
        expect_match(rf"stafet-{service} ", command_of(pid))
        expect_equal(os.readlink(f"/proc/{pid}/fd/0")[:7], "socket:", f"descriptor 0 of {service}")
    expect_mail_goes_through(house, "bound")
    house.wait_spool_empty()


def children_of(pid):
    return run(["ps", "-o", "pid=", "--ppid", str(pid)], code=None).split()


def a_client_costs_a_fork_and_no_exec(house):
    parent = house.service_pid("smtpd")
    with house.smtp() as s:
        s.ehlo()
        child = wait_until(lambda: children_of(parent), "a child of smtpd")[0]
        expect_equal(command_of(child), command_of(parent), "the child's program")


def under_tcpserver(house):
    for service in TCP_SERVICES:
        house.write(f"service/{service}/env/SUPERSERVER", "tcpserver\n")
        house.restart(service)
        expect_match("^tcpserver ", command_of(house.service_pid(service)))
    expect_mail_goes_through(house, "under tcpserver")


def tcpserver_keeps_the_limit_of_connections(house):
    house.write("service/smtpd/env/CONNECTIONS", "1\n")
    house.restart("smtpd")
    with house.smtp() as s:
        s.noop()
        wait_until(lambda: run(["sh", "-c", f"exec 3<>/dev/null; timeout 0.3 curl -s telnet://{house.host}:{house.smtp_port} </dev/null"], code=None) == "",
                   "a second client waits")
    os.unlink(house.path("service/smtpd/env/CONNECTIONS"))


def one_address_alone_is_bound(house):
    for how in ("tcpserver", ""):
        house.write("service/pop3-login/env/SUPERSERVER", how + "\n")
        house.write("service/pop3-login/env/ADDRESS", "127.0.0.2\n")
        house.restart("pop3-login")
        listening = run(["sh", "-c", "cat /proc/net/tcp /proc/net/tcp6"])
        expect_match(rf": 0200007F:{house.pop3_port:04X} 00000000:0000 0A", listening, "listening sockets")
        expect(f" 00000000:{house.pop3_port:04X}" not in listening and f"{'0' * 32}:{house.pop3_port:04X}" not in listening, "every address is bound")
    os.unlink(house.path("service/pop3-login/env/ADDRESS"))
    house.restart("pop3-login")


def by_ipv6_too(house):
    os.unlink(house.path("service/smtpd/env/SUPERSERVER"))
    house.write("service/smtpd/env/ADDRESS", "0\n")
    house.restart("smtpd")
    greeting = house.as_owner([house.path("bin/stafet-probe"), "::1", str(house.smtp_port)])
    expect(greeting.startswith("220 "), greeting)
    house.wait_log("smtpd", r"connect .*ip=::1")


def under_daemontools(house):
    """svscan, supervise and its log pipe run the same folders."""
    house.stop()
    with open(os.path.join(house.scratch, "svscan.log"), "wb") as log:
        svscan = subprocess.Popen([house.path("bin/stafet-adopt"), "svscan", house.path("service")], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    services = sorted(name for name in os.listdir(house.path("service")) if os.path.exists(house.path("service", name, "run")))
    folders = [house.path("service", name) for name in services]
    try:
        house.wait_for_answers()
        expect_mail_goes_through(house, "under daemontools")
        output = house.tool("stafet-status")
        for name in services:
            expect_match(rf"^{name} +up +\d+s", output, "status")
        run(["svc", "-d", house.path("service/rcptd")])
        wait_until(lambda: house.status_code() == 1, "status sees that rcptd is down")
        expect_match("^rcptd +DOWN", house.tool("stafet-status", code=1), "status")
        run(["svc", "-u", house.path("service/rcptd")])
        house.wait_for_answers()
    finally:
        svscan.terminate()
        svscan.wait()
        run(["svc", "-dx", *folders])
        run(["svc", "-dx", *[os.path.join(f, "log") for f in folders]])
        wait_until(lambda: not house.processes(), lambda: f"nothing runs any more: {house.processes()}")


def and_under_s6_again(house):
    house.start()
    expect_mail_goes_through(house, "under s6 again")


TESTS = (both_bound_the_program_forks_by_itself, a_client_costs_a_fork_and_no_exec, under_tcpserver, tcpserver_keeps_the_limit_of_connections,
         one_address_alone_is_bound, by_ipv6_too, under_daemontools, and_under_s6_again)


def main():
    with Instance() as house:
        return play(TESTS, house)


if __name__ == "__main__":
    sys.exit(main())
