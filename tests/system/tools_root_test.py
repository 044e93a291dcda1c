#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""As root, the v tools and vchkpw name nothing below a folder that another user can write: every call with a path is traced, with the
user id of the process that makes it. Started by an ordinary user they change no user id at all."""
import os
import re
import subprocess
import sys
import tempfile

BIN = os.environ.get("STAFET_BIN") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/bin")
IS_ROOT = os.geteuid() == 0
AUTH, MAIL, GROUP = (64021, 64023, 64022) if IS_ROOT else (os.geteuid(), os.geteuid(), os.getegid())
CALL = re.compile(r"^(\d+) +([a-z0-9_]+)\((.*)$")
# What root may look at in his own folder: the folder domains/ and auth/ themselves.
ALLOWED = re.compile(r"^(domains|auth|.*/domains|.*/auth)$")
TOOLS = (("vadddomain", "example.test", "secret"), ("vadddomain", "-e", "joe", "other.test", "secret"), ("vadduser", "joe@example.test", "secret"),
         ("vadduser", "-q", "1M", "ann@example.test", "secret"), ("vpasswd", "joe@example.test", "other"), ("vuserinfo", "joe@example.test"),
         ("vuserinfo", "-D", "example.test"), ("vdominfo",), ("vdominfo", "example.test"), ("valias", "-i", "a@b.test", "sales@example.test"),
         ("valias", "example.test"), ("valias", "-d", "sales@example.test"), ("vdeluser", "ann@example.test"), ("vdeluser", "postmaster@example.test"),
         ("vchkpw", "true"), ("vdeldomain", "example.test"))


def paths_of(arguments):
    """Every path that a call names: quoted strings, and descriptors with their path as strace -y shows them."""
    texts = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)
    folder = re.match(r"(?:AT_FDCWD|\d+)<([^>]*)>", arguments)
    return [os.path.join(folder.group(1), text) if folder else text for text in texts]


def judge(trace, home):
    """Calls of a process with user id 0 that name something below domains/ or auth/."""
    complaints, dropped, calls = [], set(), 0
    for line in trace.splitlines():
        found = CALL.match(line)
        if not found:
            continue
        pid, call, arguments = found.groups()
        if call == "setuid" and not arguments.startswith("0") and re.search(r"\) += 0$", arguments):
            dropped.add(pid)
        if pid in dropped or call in ("execve", "setuid"):
            continue
        for path in paths_of(arguments):
            calls += 1
            name = os.path.relpath(os.path.join(home, path), home) if path.startswith(home) or not path.startswith("/") else path
            if re.search(r"(^|/)(domains|auth)(/|$)", name) and not ALLOWED.match(name):
                complaints.append(line[:200])
    return complaints, dropped, calls


def run(home, tool, *words):
    with tempfile.NamedTemporaryFile("r", errors="replace") as log, tempfile.TemporaryFile() as secret:
        secret.write(b"joe@example.test\0other\0\0")
        secret.seek(0)
        saved = os.dup(3) if os.path.exists("/proc/self/fd/3") else None
        os.dup2(secret.fileno(), 3)
        done = subprocess.run(["strace", "-f", "-y", "-qq", "-e", "trace=file,setuid,openat,mkdirat,renameat2,fchmodat", "-o", log.name,
                               os.path.join(BIN, tool), "-H", home, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, pass_fds=(3,))
        if saved is not None:
            os.dup2(saved, 3)
            os.close(saved)
        return done, log.read()


def main():
    number = failed = 0

    def ok(name, complaints):
        nonlocal number, failed
        number, failed = number + 1, failed + bool(complaints)
        print("%s %d - %s" % ("not ok" if complaints else "ok", number, name))
        for line in complaints[:10]:
            print("# " + line)

    bad = '7 openat(AT_FDCWD</h>, "domains/x.test/vpasswd", O_RDONLY) = 3\n'
    ok("a root that opens a file of vmail's folder is found", [] if judge(bad, "/h")[0] else ["it is not"])
    ok("by an open folder too", [] if judge('7 unlinkat(4</h/domains/x.test>, "joe", 0) = 0\n', "/h")[0] else ["it is not"])
    ok("after setuid it is no root", judge("7 setuid(64023)        = 0\n" + bad, "/h")[0])
    with tempfile.TemporaryDirectory(prefix="root.") as folder:
        home = os.path.join(folder, "home")
        for name, owner in (("", None), ("control", None), ("auth", AUTH), ("domains", MAIL)):
            os.mkdir(os.path.join(home, name), 0o700 if name == "auth" else 0o755)
            if owner is not None:
                os.chown(os.path.join(home, name), owner, GROUP)
        for name, text in (("me", "mx.test\n"), ("locals", ""), ("passwordscheme", "$5$\n")):
            with open(os.path.join(home, "control", name), "w", encoding="ascii") as f:
                f.write(text)
        for words in TOOLS:
            done, trace = run(home, *words)
            wanted = 196 if "postmaster@example.test" in words else 0
            complaints, dropped, calls = judge(trace, home)
            if not IS_ROOT:
                complaints = ["%s changed its user id" % words[0]] if dropped else []
            if done.returncode != wanted:
                complaints.append("exit %d: %s" % (done.returncode, done.stdout))
            if calls < 5 or (IS_ROOT and not dropped and words != ("vdominfo", "-n")):
                complaints.append("the trace shows %d paths, %d processes without root" % (calls, len(dropped)))
            ok(" ".join(words), complaints)
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
