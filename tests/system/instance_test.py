#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""stafet-instance as root: several at once, started, stopped with work under way, updated, removed."""

import os
import re
import shutil
import signal
import socket
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import BIN, TOP, Instance, as_user, expect, expect_equal, expect_match, is_root, letter, play, run, wait_until  # noqa: E402

INSTANCE = os.path.join(BIN, "stafet-instance")
NAMES = ("HOST SMTP_PORT POP3_PORT IMAP_PORT DOMAIN USER1 PASSWORD1 USER2 PASSWORD2 CONTROL SPOOL DOMAINS SOCKETS LOGS BIN STAFET_HOME").split()


def env_names_everything_whatever_the_folder_is_called(house, other):
    lines = house.instance("env").splitlines()
    expect_equal([line.partition("=")[0] for line in lines], NAMES, "what env assigns")
    expect(all("=" in line for line in lines), lines)
    for name, folder in (("CONTROL", "control"), ("SPOOL", "spool"), ("DOMAINS", "domains"), ("SOCKETS", "sockets"), ("LOGS", "log"), ("BIN", "bin")):
        expect_equal(other.env[name], other.path(folder), name)
    expect_equal(os.stat(house.path("instance.env")).st_mode & 0o777, 0o600, "mode of instance.env")


def two_run_at_once_and_mail_reaches_each(house, other):
    for h in (house, other):
        h.send("a@elsewhere.test", h.joe[0], letter(f"for {h.domain}"))
    for h in (house, other):
        expect(f"Subject: for {h.domain}".encode() in h.wait_messages(h.joe)[0])
        h.empty(h.joe)


def start_of_a_running_one_does_nothing(house, _):
    before = {name: house.service_pid(name) for name in ("smtpd", "send")}
    house.start()
    expect_equal({name: house.service_pid(name) for name in before}, before, "process ids")


def new_tells_what_is_wrong(house, _):
    with tempfile.TemporaryDirectory() as folder:
        for complaint, code, args in (
                ("is there and not empty", 111, [house.home]), ("is not a domain name", 111, [folder, "--domain", "Example_test"]),
                ("has no dot", 111, [folder, "--domain", "test"]), ("is not a number", 111, [folder, "--port-base", "x"]),
                ("may hold letters", 111, [folder + "/my mail"]), ("is too long", 111, [folder + "/" + "long" * 40]),
                ("must lie between", 111, [folder, "--port-base", "70000"]), ("usage:", 100, [folder, "--port-base"]),
                ("usage:", 100, [folder, "--wrong", "1"])):
            output = run([INSTANCE, "new", *args], code=code)
            expect(complaint in output, complaint, "in", output)
            expect_equal(os.listdir(folder), [], "what the folder holds")
        for verb in ("start", "stop", "env", "status", "remove", "update"):
            expect("is no instance" in run([INSTANCE, verb, folder], code=111), verb)
        expect("usage:" in run([INSTANCE, "break", folder], code=100))


def a_failed_new_leaves_nothing_behind(house, _):
    """Here vadddomain fails: a stand-in among copies of the programs."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("bin", "service"):
            shutil.copytree(house.path(name) if name == "bin" else os.path.join(TOP, name), os.path.join(folder, name), symlinks=True)
        with open(os.path.join(folder, "bin/vadddomain"), "w", encoding="ascii") as f:
            f.write("#!/bin/sh\nexit 1\n")
        output = run([os.path.join(folder, "bin/stafet-instance"), "new", os.path.join(folder, "mail")], code=111)
        expect("vadddomain example.test failed" in output, output)
        expect_equal(sorted(os.listdir(folder)), ["bin", "service"], "what is left")


def new_without_a_base_takes_free_ports(*_):
    with tempfile.TemporaryDirectory() as folder:
        home = os.path.join(folder, "mail")
        run([INSTANCE, "new", home])
        ports = re.findall(r"^(?:SMTP|POP3|IMAP)_PORT=(\d+)$", run([INSTANCE, "env", home]), re.M)
        run([INSTANCE, "remove", home])
        expect_equal(len({int(port) - behind for port, behind in zip(ports, (25, 110, 143), strict=True)}), 1, f"port bases of {ports}")
        expect(not os.path.exists(home), "the folder is still there")


def start_tells_a_port_clash(*_):
    with Instance(is_started=False) as third, socket.socket() as taker:
        taker.bind(("127.0.0.1", third.pop3_port))
        taker.listen()
        output = third.instance("start", code=111)
        expect(f"port {third.pop3_port} is taken" in output, output)
        expect_equal(third.processes(), {}, "processes")


def a_killed_service_comes_back(house, _):
    for name in ("smtpd", "rcptd", "send", "local"):
        before = house.service_pid(name)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: house.service_pid(name) not in (0, before), f"{name} is started again")
    house.wait_for_answers()
    house.send("a@elsewhere.test", house.joe[0], letter("after the kill"))
    house.wait_files(house.joe)
    house.empty(house.joe)


def open_smtp(house):
    sock = socket.create_connection((house.host, house.smtp_port))
    expect(sock.recv(1000).startswith(b"220 "))
    return sock


def stop_ends_sessions_and_programs_and_leaves_nothing(house, _):
    """A silent client, one inside DATA, a POP3 session, a program of a .qmail file and its daemon: all go."""
    silent, busy = open_smtp(house), open_smtp(house)
    busy.sendall(b"EHLO x\r\n")
    wait_until(lambda: b"SMTPUTF8" in busy.recv(1000), "the reply to EHLO")
    for command in (b"MAIL FROM:<a@b.test>\r\n", b"RCPT TO:<" + house.ann[0].encode() + b">\r\n", b"DATA\r\n"):
        busy.sendall(command)
        expect(busy.recv(1000)[:1] in (b"2", b"3"), command)
    busy.sendall(b"Subject: half\r\n")
    session = house.pop(house.joe)
    mark = os.path.join(house.scratch, "began")
    house.user_dot_qmail(house.ann[0], f"|setsid -f sleep 1234; cat >/dev/null; echo x >{house.maildir(house.ann[0])}/began; exec sleep 4321\n")
    house.send("a@elsewhere.test", house.ann[0], letter("starts a program"))
    wait_until(lambda: os.path.exists(house.maildir(house.ann[0]) + "/began"), f"the program runs ({mark})")
    programs = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_sleeper(pid)]
    expect_equal(len(programs), 2, "sleeping programs")
    house.stop()
    expect_equal(house.processes(), {}, "processes")
    expect_equal([pid for pid in programs if is_sleeper(pid)], [], "programs of the .qmail file")
    expect_equal(os.listdir(house.path("sockets")), [], "sockets")
    for port in (house.smtp_port, house.pop3_port, int(house.env["IMAP_PORT"])):
        with socket.socket() as sock:
            expect(sock.connect_ex((house.host, port)) != 0, f"port {port} still listens")
    expect(not os.path.exists(house.path("svscan.pid")))
    for service in ("authd", "rcptd"):
        expect("child-died" not in "".join(house.log(service).splitlines()[-1:]), f"the end of {service} counts as trouble")
    run(["flock", "-n", house.path("spool/lock"), "true"])
    for held in (silent, busy, session):
        held.close()


def is_sleeper(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read() in (b"sleep\x001234\x00", b"sleep\x004321\x00")
    except OSError:
        return False


def what_was_under_way_is_there_after_the_next_start(house, _):
    os.unlink(os.path.join(os.path.dirname(house.maildir(house.ann[0])), ".qmail"))
    house.start()
    house.push()
    house.wait_spool_empty()
    expect(b"Subject: starts a program" in house.wait_messages(house.ann)[0])
    house.empty(house.ann)


def stop_ends_a_service_that_hangs(house, _):
    os.kill(house.service_pid("rcptd"), signal.SIGSTOP)
    house.stop()
    expect_equal(house.processes(), {}, "processes")
    house.start()


def update_takes_newer_programs_and_keeps_mail_and_settings(house, _):
    house.send("a@elsewhere.test", house.joe[0], letter("stays"))
    house.wait_files(house.joe)
    house.control("smtpgreeting", "kept.test")
    with open(house.path("bin/stafet-smtpd"), "rb") as f, open(house.path("bin/older"), "wb") as g:
        g.write(f.read() + b"older")
    os.chmod(house.path("bin/older"), 0o755)
    os.rename(house.path("bin/older"), house.path("bin/stafet-smtpd"))
    house.instance("update")
    house.start()
    with open(house.path("bin/stafet-smtpd"), "rb") as f, open(os.path.join(BIN, "stafet-smtpd"), "rb") as g:
        expect(f.read() == g.read(), "the program was not taken over")
    pid = house.service_pid("send")
    house.instance("update")
    expect_equal(house.service_pid("send"), pid, "pid of send after an update without news")
    expect("kept.test" in run([house.path("bin/stafet-probe"), house.host, str(house.smtp_port)]))
    house.wait_files(house.joe)
    house.empty(house.joe)


def another_user_may_not_manage_it(house, _):
    for verb in ("stop", "remove", "update", "start"):
        expect("belongs to another user" in run(as_user("nobody", [house.path("bin/stafet-instance"), verb, house.home]), code=111), verb)
    house.wait_for_answers()


USERS_SCRIPT = r"""
set -e
mkdir -p /var/lib/stafet && mount -t tmpfs tmpfs /var/lib/stafet
mkdir "$1/layer" && mount -t tmpfs tmpfs "$1/layer" && mkdir "$1/layer/up" "$1/layer/work"
mount -t overlay overlay -o lowerdir=/etc,upperdir="$1/layer/up",workdir="$1/layer/work" /etc
sed -i -E '/^(stafet|vmail:|vchkpw:)/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow
mkdir "$1/disk"; "$2" new "$1/one"; "$2" new "$1/two"; "$2" new "$1/disk/three"
id stafetd; id stafeta; id stafetq; id vmail
"$2" remove "$1/one"; id stafets
mount -t tmpfs tmpfs "$1/disk"; "$2" remove "$1/two" 2>&1; id stafets; umount "$1/disk"
echo /gone/without/remove >>/var/lib/stafet/instances
"$2" remove "$1/disk/three" 2>&1; id stafets; ! "$2" remove /gone/never/there 2>&1
"$2" remove /gone/without/remove
! id stafets 2>/dev/null && ! getent group vchkpw && ls -A /var/lib/stafet
"""


def users_are_made_and_go_with_the_last_instance(*_):
    """In a namespace with an /etc and processes of its own, so that the machine keeps its users."""
    with tempfile.TemporaryDirectory() as folder:
        output = run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", USERS_SCRIPT, "sh", folder, INSTANCE])
        for user, groups in (("stafetd", r"gid=\d+\(stafet\)"), ("stafeta", r"gid=\d+\(vchkpw\) groups=.*\(stafet\)"),
                             ("stafetq", r"gid=\d+\(stafetm\) groups=.*\(stafet\)"), ("vmail", r"gid=\d+\(vchkpw\) groups=.*\(stafet\)"),
                             ("stafets", r"gid=\d+\(stafetm\)")):
            expect_match(rf"^uid=\d+\({user}\) {groups}", output)
        expect_match("users stay.*: stafet-instance remove .*/disk/three$", output, "what is told of an instance that is not mounted")
        expect_match("users stay.*: stafet-instance remove /gone/without/remove$", output, "what is told of one that somebody deleted")
        expect_match("/gone/never/there is no instance", output, "of one that never was")
        expect_equal(output.splitlines()[-1], "lock", "what is left in /var/lib/stafet")


TESTS = (env_names_everything_whatever_the_folder_is_called, two_run_at_once_and_mail_reaches_each, start_of_a_running_one_does_nothing,
         new_tells_what_is_wrong, a_failed_new_leaves_nothing_behind, new_without_a_base_takes_free_ports, start_tells_a_port_clash, a_killed_service_comes_back,
         stop_ends_sessions_and_programs_and_leaves_nothing, what_was_under_way_is_there_after_the_next_start,
         stop_ends_a_service_that_hangs, update_takes_newer_programs_and_keeps_mail_and_settings)
OF_ROOT = (another_user_may_not_manage_it, users_are_made_and_go_with_the_last_instance)


def main():
    with Instance() as house, Instance(name="an+other,mail", domain="other.test") as other:
        return play(TESTS + (OF_ROOT if is_root() else ()), house, other)


if __name__ == "__main__":
    sys.exit(main())
