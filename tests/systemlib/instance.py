# SPDX-License-Identifier: ISC
"""A private instance for tests that count their checks by themselves.

    def single(house, tap): house.tool("sendmail", "-t", input=b"…"); tap.ok(house.next_mail("ann", 0) is not None, "it_comes")
    run(single, …)
"""
import os
import subprocess
import sys
import time

from . import house


class Tap:
    def __init__(self):
        self.number = self.failed = 0

    def ok(self, good, name, detail=""):
        self.number += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.number, name), flush=True)
        for line in str(detail).splitlines()[:30] if not good else []:
            print("# " + line, flush=True)

    def is_equal(self, got, want, name):
        self.ok(got == want, name, "got:  %r\nwant: %r" % (got, want))

    def done(self):
        print("1..%d" % self.number)
        sys.exit(self.failed > 0)


class Instance(house.Instance):
    @property
    def folder(self):
        return self.home

    @property
    def base(self):
        return self.scratch

    def tool(self, *words, input=b"", code=0, env=None):
        """A program of the instance, as a shell user calls it; its completed process."""
        words = [self.path("bin", words[0]) if "/" not in words[0] else words[0], *words[1:]]
        environ = dict(os.environ, STAFET_HOME=self.home, USER="someone", **(env or {}))
        done = subprocess.run(words, check=False, input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ)
        if code is not None and done.returncode != code:
            raise RuntimeError("%s: exit %d, wanted %d: %s" % (words, done.returncode, code, done.stderr.decode(errors="replace")))
        return done

    def wait(self, question, seconds=30):
        """The first true answer, or the last one."""
        end = time.monotonic() + seconds
        while True:
            answer = question()
            if answer or time.monotonic() > end:
                return answer
            time.sleep(0.05)

    def mails(self, user):
        """The messages of a mailbox, bytes, oldest first."""
        out = []
        for name in self.files(f"{user}@{self.domain}"):
            with open(name, "rb") as f:
                out.append(f.read())
        return out

    def next_mail(self, user, seen):
        """Waits for one message more than `seen`; the newest, None when none came."""
        mails = self.wait(lambda: self.mails(user)[seen:])
        return mails[-1] if mails else None


def run(*tests):
    """Each is called with one instance for all and the Tap; ends the program."""
    tap = Tap()
    with Instance() as house_:
        for test in tests:
            test(house_, tap)
    tap.done()
