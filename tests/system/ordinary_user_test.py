#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A whole instance of an ordinary user: one uid, closed folders, sockets for that uid alone, the same programs and mail."""

import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import ORDINARY_USER, Instance, as_user, expect, expect_equal, expect_match, expect_same, is_root, letter, play, retrieve, run  # noqa: E402


def owner_of(house):
    return os.stat(house.home).st_uid


def every_process_runs_as_its_owner(house):
    owner = owner_of(house)
    for pid, command in house.processes().items():
        expect_equal(os.stat(f"/proc/{pid}").st_uid, owner, f"uid of {command}")
    expect(owner != 0, "the owner is root")


def every_file_is_its_owners_and_closed_to_others(house):
    owner = owner_of(house)
    for folder, folders, files in os.walk(house.home):
        for name in folders + files if "/supervise" not in folder else []:
            state = os.lstat(os.path.join(folder, name))
            expect_equal(state.st_uid, owner, f"owner of {folder}/{name}")
            expect(not stat.S_ISREG(state.st_mode) or not state.st_mode & 0o022, f"{folder}/{name} may be written by others")
    for name in ("domains", "auth", "spool", "sockets", "log", "control", "users", "service", "bin"):
        expect_equal(os.stat(house.path(name)).st_mode & 0o77, 0, f"rights of others in {name}")
    for name in os.listdir(house.path("sockets")):
        expect_equal(os.stat(house.path("sockets", name)).st_mode & 0o77, 0, f"rights of others on sockets/{name}")


def mail_comes_by_smtp_and_goes_by_pop3(house):
    sent = letter("an ordinary way")
    house.send("ann@elsewhere.test", house.joe[0], sent)
    house.wait_files(house.joe)
    p = house.pop(house.joe)
    expect_same(retrieve(p, 1), sent)
    p.dele(1)
    p.quit()
    expect_equal(house.files(house.joe), [], "what is left after DELE")


def sendmail_works_for_its_owner(house):
    house.as_owner([house.path("bin/sendmail"), "-t", "-i"], stdin=f"To: {house.ann[0]}\nSubject: by hand\n\n.\nend\n", cwd=house.home)
    expect(b"\n\n.\nend\n" in house.wait_messages(house.ann)[0])


def trace_and_status_tell_its_owner_the_same(house):
    message = house.send("ann@elsewhere.test", house.joe[0], letter("traced"))
    house.wait_log("send", "end msg")
    house.wait_spool_empty()
    output = house.tool("stafet-trace", message)
    for program in ("smtpd", "send", "local"):
        expect_match(rf" {program} ", output, "trace")
    expect_match("^all services answer", house.instance("status"), "status")


def a_service_that_dies_comes_back_and_stop_leaves_nothing(house):
    os.kill(house.service_pid("smtpd"), 9)
    house.wait_for_answers()
    held = house.pop(house.joe)
    house.stop()
    expect_equal(house.processes(), {}, "processes")
    expect_equal(os.listdir(house.path("sockets")), [], "sockets")
    held.close()
    house.start()


def a_low_port_is_told(house):
    house.stop()
    house.write("service/smtpd/env/PORT", "25\n")
    if is_root():
        output = run(as_user(house.user, ["sh", "-c", f"cd '{house.path('service/smtpd')}' && exec ./run"]), code=111)
        expect("25" in output and "ermission" in output, output)
    house.write("service/smtpd/env/PORT", f"{house.smtp_port}\n")


TESTS = (every_process_runs_as_its_owner, mail_comes_by_smtp_and_goes_by_pop3, sendmail_works_for_its_owner,
         trace_and_status_tell_its_owner_the_same, every_file_is_its_owners_and_closed_to_others,
         a_service_that_dies_comes_back_and_stop_leaves_nothing, a_low_port_is_told)


def main():
    with Instance(user=ORDINARY_USER if is_root() else None) as house:
        return play(TESTS, house)


if __name__ == "__main__":
    sys.exit(main())
