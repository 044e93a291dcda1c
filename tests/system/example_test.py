#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What `make run` prints can be copied line by line: each command of the banner, verbatim, in the order in which it stands there."""

import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from systemlib import TOP, expect, expect_equal, expect_match, play, run, wait_until  # noqa: E402


class Example:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "run")
        self.banner = run([os.path.join(TOP, "service/stafet-example"), self.folder])
        self.commands = re.findall(r"^    (?!account )(\S.*\n(?:        \S.*\n)*)", self.banner, re.M)

    def last_log(self):
        return []

    def tidy(self):
        pass

    def remove(self):
        run([os.path.join(TOP, "build/bin/stafet-instance"), "remove", self.folder], code=None)

    def do(self, words):
        """Runs the one command of the banner that holds these words."""
        found = [c for c in self.commands if words in c]
        expect_equal(len(found), 1, f"commands with {words}")
        return run(["sh", "-c", found[0]])

    def mails(self):
        return len(re.findall(r"^\d+ \d+\r?$", self.do("# the list"), re.M))


def the_banner_has_all_its_commands(example):
    expect_equal(len(example.commands), 11, "commands")
    expect("\033" not in example.banner, "colour without a terminal")
    expect_equal(len(set(re.findall(r"account (\S+@\S+)   password (\S+)", example.banner))), 2, "accounts")


def curl_and_swaks_send(example):
    example.do("curl -sS smtp:")
    wait_until(lambda: example.mails() == 1, "one mail in the list")
    expect_match("250 2.0.0 ok", example.do("swaks"), "what swaks says")
    wait_until(lambda: example.mails() == 2, "two mails in the list")


def the_first_mail_is_read(example):
    expect_match("^It works.\r?$", example.do("# the first mail"), "the mail")
    expect_match("hello", example.do("imap:"), "what IMAP tells of it")


def the_newest_mail_is_followed(example):
    output = wait_until(lambda: "end msg" in example.do("stafet-trace") and example.do("stafet-trace"), "the end of the mail's way")
    for program in ("smtpd", "send", "local"):
        expect_match(rf" {program} ", output, "trace")


def all_services_answer(example):
    expect_match("^all services answer$", example.do("stafet-status"), "status")


def another_domain_takes_mail(example):
    example.do("vadddomain")
    example.do("vadduser")
    port = re.search(r"SMTP at \S+ port (\d+)", example.banner).group(1)
    wait_until(lambda: "250 2.0.0 ok" in run(["swaks", "--server", f"127.0.0.1:{port}", "--from", "a@elsewhere.test", "--to", "eve@other.test"],
                                             code=None), "eve gets mail")


def it_is_stopped_and_started_again_with_the_same_accounts(example):
    example.do("stafet-instance stop")
    banner = run([os.path.join(TOP, "service/stafet-example"), example.folder])
    expect_equal(banner, example.banner, "the banner")
    expect_equal(example.mails(), 2, "mails")


def it_is_taken_away(example):
    example.do("stafet-instance remove")
    expect(not os.path.exists(example.folder), "the folder is still there")


TESTS = (the_banner_has_all_its_commands, curl_and_swaks_send, the_first_mail_is_read, the_newest_mail_is_followed, all_services_answer,
         another_domain_takes_mail, it_is_stopped_and_started_again_with_the_same_accounts, it_is_taken_away)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        example = Example(folder)
        try:
            return play(TESTS, example)
        finally:
            example.remove()


if __name__ == "__main__":
    sys.exit(main())
