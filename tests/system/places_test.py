#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Users, modes, sockets of a house as root makes it: who runs what, who owns what, who may call whom."""

import glob
import grp
import os
import pwd
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import Instance, expect, expect_equal, is_root, letter, play, run, wait_until  # noqa: E402

# Paths (globs) that have to be there: owner:group, mode.
PLACES = (
    (". control users bin service log", "root:root", 0o755),
    ("control/* users/cdb users/assign", "root:root", 0o644),
    ("service/*/run", "root:root", 0o755),
    ("domains", "vmail:vchkpw", 0o755),
    ("domains/*", "vmail:vchkpw", 0o2770),
    ("domains/*/.qmail-*", "vmail:vchkpw", 0o640),
    ("domains/*/.full", "vmail:vchkpw", 0o2750),
    ("domains/*/.full/*", "vmail:vchkpw", 0o640),
    ("domains/*/[a-z]*/", "vmail:vchkpw", 0o700),
    ("domains/*/*/Maildir domains/*/*/Maildir/*/", "vmail:vchkpw", 0o700),
    ("domains/*/*/Maildir/[nc][eu][wr]/*", "vmail:vchkpw", 0o600),
    ("domains/*/vpasswd domains/*/vpasswd.cdb", "stafeta:vchkpw", 0o600),
    ("auth", "stafeta:vchkpw", 0o700),
    ("spool", "stafets:stafetm", 0o710),
    ("spool/lock", "stafets:stafetm", 0o600),
    ("spool/trigger", "stafets:stafetm", 0o620),
    ("spool/tmp spool/new", "stafets:stafetm", 0o3730),
    ("spool/cur spool/later spool/hold spool/bad spool/later/*", "stafets:stafetm", 0o700),
    ("spool/later/*/*", "stafetq:stafetm", 0o660),
    ("sockets", "root:stafet", 0o2755),
    ("sockets/rcpt sockets/auth sockets/queue sockets/local sockets/pop3", "root:stafet", 0o770),
    ("sockets/inject sockets/ctl", "root:stafet", 0o777),
    ("log/*/", "stafetl:stafetop", 0o2750),
    ("instance.env", "root:root", 0o600),
)
RUNS_AS = {"smtpd": "stafetd", "rcptd": "stafeta", "authd": "stafeta", "queue": "stafetq", "inject": "stafetq", "send": "stafets",
           "local": "vmail", "pop3-login": "stafetp", "pop3d": "vmail"}
ALL_CALLERS = "root stafetd stafetp stafeta stafetq stafets vmail stafetl nobody".split()
# socket: (the question, who may ask it)
CALLERS = {"rcpt": ("op=probe", "stafetd stafets vmail"), "auth": ("op=probe", "stafetd stafetp"), "queue": ("op=probe", "stafetd stafets vmail"),
           "local": ("op=probe", "stafets"), "pop3": ("op=probe", "stafeta"), "ctl": ("do=stat", "root stafetl stafets"),
           "inject": ("op=probe", " ".join(ALL_CALLERS))}


def use_it(house):
    """So that each kind of file is there: a delivered message, one that waits, a login."""
    house.send("ann@elsewhere.test", house.joe[0], letter("stays"))
    house.wait_files(house.joe)
    house.pop(house.joe).quit()
    run(["sh", "-c", f"printf 'To: x@remote.test\\n\\nwaits\\n' | {house.path('bin/sendmail')} -t"], env={**os.environ, "STAFET_HOME": house.home})
    wait_until(lambda: glob.glob(house.path("spool/later/*/*")), "a message for another host waits")


def owners_and_modes_are_those_of_the_table(house):
    wrong = []
    for patterns, owner, mode in PLACES:
        for pattern in patterns.split():
            found = [p for p in glob.glob(house.path(pattern)) if pattern.endswith("/") or not pattern.endswith("*") or not os.path.islink(p)]
            if pattern.startswith("control/*"):
                found = [p for p in found if os.path.isfile(p)]
            wrong += [] if found else [f"{pattern} is missing"]
            for path in found:
                state = os.lstat(path.rstrip("/"))
                has = f"{pwd.getpwuid(state.st_uid).pw_name}:{grp.getgrgid(state.st_gid).gr_name} {stat.S_IMODE(state.st_mode):o}"
                if has != f"{owner} {mode:o}":
                    wrong.append(f"{os.path.relpath(path, house.home)}: {has}, not {owner} {mode:o}")
    expect(not wrong, "\n".join(wrong))


def no_program_is_setuid(house):
    for path in glob.glob(house.path("bin/*")):
        expect(not os.stat(path).st_mode & (stat.S_ISUID | stat.S_ISGID), path)


def services_run_as_their_users_with_no_more_groups(house):
    allowed = {"stafetd": {"stafet"}, "stafetp": {"stafet"}, "stafeta": {"vchkpw", "stafet", "stafeta"}, "stafetq": {"stafetm", "stafet"},
               "stafets": {"stafetm", "stafet"}, "vmail": {"vchkpw", "stafet"}}
    for service, user in RUNS_AS.items():
        with open(f"/proc/{house.service_pid(service)}/status", encoding="ascii") as f:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        expect_equal({pwd.getpwuid(int(u)).pw_name for u in fields["Uid"].split()}, {user}, f"users of {service}")
        groups = {grp.getgrgid(int(g)).gr_name for g in fields["Gid"].split() + fields["Groups"].split()}
        expect_equal(groups, allowed[user], f"groups of {service}")


def only_binders_and_supervisors_are_root(house):
    for pid, command in house.processes().items():
        name = command.split(" ")[0].rsplit("/", 1)[-1]
        if os.stat(f"/proc/{pid}").st_uid == 0:
            expect(name in ("s6-svscan", "s6-supervise"), f"{command} runs as root")


def sockets_answer_their_callers_alone(house):
    wrong = []
    for sock, (question, callers) in CALLERS.items():
        for user in ALL_CALLERS:
            answer = house.call(None if user == "root" else user, sock, question, code=None).strip()
            is_answered = answer[:2] in ("K ", "D ", "C ", "Z ") and "why=service" not in answer and "why=policy" not in answer
            if is_answered != (user in callers.split()):
                wrong.append(f"{sock}: {user} gets {answer!r}")
    expect(not wrong, "\n".join(wrong))


def a_refused_caller_stands_in_the_log(house):
    house.call("stafetq", "rcpt", "op=probe", code=None)
    uid = pwd.getpwnam("stafetq").pw_uid
    house.wait_log("rcptd", rf"uid={uid}\b")


def vpasswd_is_hidden_from_who_speaks_to_the_network(house):
    for user, name in (("stafetd", f"domains/{house.domain}/vpasswd"), ("stafetp", f"domains/{house.domain}/vpasswd"),
                       ("vmail", f"domains/{house.domain}/vpasswd"), ("stafetq", "spool/new"), ("vmail", "spool/new"),
                       ("stafetd", f"domains/{house.domain}/joe"), ("stafeta", f"domains/{house.domain}/joe"), ("nobody", "log/smtpd")):
        run(["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--init-groups", "sh", "-c",
             f"! ls '{house.path(name)}/' && ! cat '{house.path(name)}'"])


TESTS = (owners_and_modes_are_those_of_the_table, no_program_is_setuid, services_run_as_their_users_with_no_more_groups,
         only_binders_and_supervisors_are_root, sockets_answer_their_callers_alone, a_refused_caller_stands_in_the_log,
         vpasswd_is_hidden_from_who_speaks_to_the_network)


def main():
    if not is_root():
        print("1..1\nok 1 - one user owns everything: ordinary_user_test.py looks at that")
        return 0
    with Instance() as house:
        use_it(house)
        return play(TESTS, house)


if __name__ == "__main__":
    sys.exit(main())
