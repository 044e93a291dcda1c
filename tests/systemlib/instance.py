# SPDX-License-Identifier: ISC
"""A private instance for a system test, and TAP lines.

    def single(house, tap): house.tool("sendmail", "-t", input=b"…"); tap.ok(house.next_mail("ann", 0) is not None, "it_comes")
    run(single, …)
"""
import glob
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

BIN = os.environ.get("STAFET_BIN") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/bin")


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


class Instance:
    def __enter__(self):
        self.base = tempfile.mkdtemp(prefix="stafet-")
        os.chmod(self.base, 0o755)
        self.folder = os.path.join(self.base, "house")
        self.manage("new", self.folder)
        try:
            self.manage("start", self.folder)
        except BaseException:
            self.__exit__()
            raise
        lines = self.manage("env", self.folder).stdout.splitlines()
        self.env = dict(shlex.split(line)[0].split("=", 1) for line in lines if "=" in line)
        return self

    def __exit__(self, *_):
        subprocess.run([os.path.join(BIN, "stafet-instance"), "remove", self.folder], check=False, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        shutil.rmtree(self.base, ignore_errors=True)

    def manage(self, *words):
        done = subprocess.run([os.path.join(BIN, "stafet-instance"), *words], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError("stafet-instance %s: exit %d\n%s" % (words[0], done.returncode, done.stdout))
        return done

    def tool(self, *words, input=b"", code=0, env=None):
        """A program of the instance, as a shell user calls it; its completed process."""
        words = [os.path.join(self.env["BIN"], words[0]) if "/" not in words[0] else words[0], *words[1:]]
        environ = dict(os.environ, STAFET_HOME=self.folder, USER="someone", **(env or {}))
        done = subprocess.run(words, check=False, input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ)
        if code is not None and done.returncode != code:
            raise RuntimeError("%s: exit %d, wanted %d: %s" % (words, done.returncode, code, done.stderr.decode(errors="replace")))
        return done

    def control(self, name, value):
        with open(os.path.join(self.env["CONTROL"], name), "w", encoding="utf-8") as f:
            f.write(value + "\n")

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
        names = glob.glob(os.path.join(self.env["DOMAINS"], self.env["DOMAIN"], user, "Maildir", "new", "*"))
        out = []
        for name in sorted(names, key=os.path.basename):
            with open(name, "rb") as f:
                out.append(f.read())
        return out

    def next_mail(self, user, seen):
        """Waits for one message more than `seen`; the newest, None when none came."""
        mails = self.wait(lambda: self.mails(user)[seen:])
        return mails[-1] if mails else None

    def log(self, service):
        out = ""
        for name in sorted(glob.glob(os.path.join(self.env["LOGS"], service, "*"))):
            if os.path.basename(name) == "current" or os.path.basename(name).startswith("@"):
                with open(name, encoding="utf-8", errors="replace") as f:
                    out += f.read()
        return out


def run(*tests):
    """Each is called with one instance for all and the Tap; ends the program."""
    tap = Tap()
    with Instance() as house:
        for test in tests:
            test(house, tap)
    tap.done()
