#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""kill -9 and chosen errnos at each system call by which a v tool changes a file: every file is the old or the new one, whole, and the
tool ends its work when it is called again. One user owns all of the house, so that a tool is one process. A torn file must be found."""
import fcntl
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

STRACE = "/usr/bin/strace"
BIN = os.environ.get("STAFET_BIN") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/bin")
ERRNOS = {"write": "ENOSPC", "fsync": "EIO", "mkdirat": "ENOSPC", "mkdir": "ENOSPC", "renameat2": "EIO", "renameat": "EIO", "rename": "EIO",
          "unlinkat": "EIO", "unlink": "EIO", "rmdir": "EIO", "openat": "ENOSPC", "fchmod": "EIO", "fchmodat": "EIO", "fchown": "EIO"}
D = "domains/example.test/"


class Tap:
    number = failed = 0

    def ok(self, name, complaints):
        self.number += 1
        self.failed += bool(complaints)
        print("%s %d - %s" % ("not ok" if complaints else "ok", self.number, name), flush=True)
        for line in complaints[:10]:
            print("# " + line, flush=True)


def read(home, name):
    try:
        with open(os.path.join(home, name), "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


def read_cdb(data):
    """{key: first value}; ValueError where it is torn."""
    if data is None or len(data) < 2048:
        raise ValueError("no cdb")
    tables = struct.unpack("<512I", data[:2048])
    at, end, records = 2048, min([t for t in tables[::2] if t] or [len(data)]), {}
    while at < end:
        key_len, value_len = struct.unpack_from("<II", data, at)
        key, value = data[at + 8:at + 8 + key_len], data[at + 8 + key_len:at + 8 + key_len + value_len]
        at += 8 + key_len + value_len
        records.setdefault(key, value)
    if at != end or sum(tables[1::2]) * 8 + end != len(data):
        raise ValueError("torn cdb")
    return records


def passwords_of(home, folder=D):
    """Lines of vpasswd by name; ValueError where text or cdb is torn, or the cdb knows what no version of the text has."""
    text = read(home, folder + "vpasswd")
    if text is None or not text.endswith(b"\n"):
        raise ValueError("torn vpasswd")
    lines = {}
    for line in text.splitlines():
        if line.count(b":") != 6:
            raise ValueError("torn line %r" % line)
        lines[line.split(b":")[0]] = line.split(b":", 1)[1]
    return lines, read_cdb(read(home, folder + "vpasswd.cdb"))


def judge_passwords(home, before, after):
    """Text and cdb are each one of two versions, and the cdb is never ahead of the text."""
    try:
        text, cdb = passwords_of(home)
    except (ValueError, struct.error) as e:
        return [str(e)]
    # A new hash has a new salt: of a name that both versions know only the folder must be the same.
    complaints = []
    for what, found in (("vpasswd", text), ("vpasswd.cdb", cdb)):
        if set(found) not in (set(before), set(after)):
            complaints.append("%s has the mailboxes %s" % (what, sorted(found)))
        complaints += ["%s: %r is torn" % (what, found[n]) for n in found if found[n].count(b":") != 5]
    if not complaints and set(cdb) == set(after) != set(before) and set(text) == set(before):
        complaints.append("the cdb is ahead of the text")
    return complaints


def judge_house(home, names):
    """users/assign, its cdb and the lists are whole; a domain that mail is taken for has everything it needs."""
    complaints = []
    assign = read(home, "users/assign")
    if not assign.endswith(b".\n"):
        complaints.append("torn users/assign")
    try:
        cdb = read_cdb(read(home, "users/cdb"))
    except (ValueError, struct.error) as e:
        return complaints + [str(e)]
    for name in ("rcpthosts", "virtualdomains"):
        lines = read(home, "control/" + name)
        if lines and (not lines.endswith(b"\n") or not set(lines.split()) <= {n.encode() for d in names for n in (d, d + ":" + d)}):
            complaints.append("torn control/%s: %r" % (name, lines))
    for domain in (read(home, "control/rcpthosts") or b"").split():
        routed = domain + b":" + domain in (read(home, "control/virtualdomains") or b"").split()
        if not routed or b"!" + domain + b"-" not in cdb:
            complaints.append("mail is taken for %r, which has no folder" % domain)
            continue
        try:
            passwords_of(home, "domains/%s/" % domain.decode())
        except (ValueError, struct.error) as e:
            complaints.append("mail is taken for %r: %s" % (domain, e))
    return complaints


class Bench:
    """A house that is put back before each try."""

    def __init__(self, folder):
        self.home, self.template = os.path.join(folder, "home"), os.path.join(folder, "template")
        for name in ("control", "auth", "domains"):
            os.makedirs(os.path.join(self.home, name), 0o755 if name == "control" else 0o700)
        for name, text in (("me", "mx.test\n"), ("locals", ""), ("passwordscheme", "$5$\n")):
            with open(os.path.join(self.home, "control", name), "w") as f:
                f.write(text)
        self.must("vadddomain", "example.test", "secret")
        for user in ("ann", "joe", "zoe"):
            self.must("vadduser", "-n", user + "@example.test")
        self.must("valias", "-i", "ann@far.test", "sales@example.test")
        shutil.copytree(self.home, self.template)

    def command(self, tool, *words):
        return [os.path.join(BIN, tool), "-H", self.home, *words]

    def run(self, wrapper, command):
        return subprocess.run([*wrapper, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def must(self, *command):
        done = self.run([], self.command(*command))
        if done.returncode != 0:
            sys.exit("%s: exit %d: %s" % (command, done.returncode, done.stdout))

    def put_back(self):
        shutil.rmtree(self.home)
        shutil.copytree(self.template, self.home)

    def points(self, command):
        """(call, ordinal) of each call that changes a file or a folder."""
        with tempfile.NamedTemporaryFile("r", errors="replace") as log:
            self.run([STRACE, "-qq", "-o", log.name], command)
            counts, found = {}, []
            for line in log:
                call = line.split("(")[0]
                counts[call] = counts.get(call, 0) + 1
                is_reading = call == "openat" and "O_CREAT" not in line
                if call in ERRNOS and not is_reading and not re.match(r"write\([12],", line):
                    found.append((call, counts[call]))
        return found

    def break_at(self, command, call, number, fault):
        self.put_back()
        effect = "signal=KILL" if fault == "KILL" else "error=" + fault
        wrapper = [STRACE, "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=%s:%s:when=%d" % (call, effect, number)]
        return self.run(wrapper, command).returncode


ANN, JOE, ZOE, POST, NEW = b"ann", b"joe", b"zoe", b"postmaster", b"new"
OLD = (ANN, JOE, POST, ZOE)
# Tool and words; the mailboxes before and after; exit codes of a second call.
SCENES = (
    (("vpasswd", "joe@example.test", "other"), OLD, OLD, (0,)),
    (("vadduser", "-n", "new@example.test"), OLD, (ANN, JOE, NEW, POST, ZOE), (0, 254, 255)),
    (("vdeluser", "joe@example.test"), OLD, (ANN, POST, ZOE), (0, 246)),
    (("valias", "-i", "joe@far.test", "sales@example.test"), OLD, OLD, (0, 255)),
    (("vadddomain", "other.test", "secret"), OLD, OLD, (0, 242, 243)),
    (("vdeldomain", "other.test"), OLD, OLD, (0, 245)),
)


def judge(bench, before, after):
    alias = read(bench.home, D + ".qmail-sales")
    complaints = [] if alias in (b"ann@far.test\n", b"ann@far.test\njoe@far.test\n") else ["torn alias: %r" % alias]
    complaints += judge_passwords(bench.home, before, after) + judge_house(bench.home, ("example.test", "other.test"))
    for name in read_cdb(read(bench.home, D + "vpasswd.cdb")):
        if not os.path.isdir(os.path.join(bench.home, D, name.decode(), "Maildir/new")) and set(before) <= set(after):
            complaints.append("mailbox %s has no Maildir" % name.decode())
    return complaints


def is_known(bench, name, user):
    return user in read_cdb(read(bench.home, name))


def try_point(bench, scene, point, fault):
    words, before, after, again = scene
    command = bench.command(*words)
    code = bench.break_at(command, *point, fault)
    complaints = judge(bench, before, after)
    if fault == "KILL" and code != -9:
        complaints.append("it was not killed: exit %d" % code)
    is_half_gone = is_known(bench, D + "vpasswd.cdb", b"joe") and not re.search(rb"^joe:", read(bench.home, D + "vpasswd"), re.M)
    second = bench.run([], command)
    if is_half_gone and (second.returncode != 0 or os.path.exists(os.path.join(bench.home, D, "joe"))):
        complaints.append("called again it does not end its work: exit %d" % second.returncode)
    if second.returncode not in again:
        complaints.append("called again: exit %d: %s" % (second.returncode, second.stdout.decode(errors="replace")))
    complaints += judge(bench, after, after)
    return ["%s at %s %d: %s" % (fault, *point, c) for c in complaints]


def run_scene(tap, bench, scene):
    command = bench.command(*scene[0])
    bench.put_back()
    points = bench.points(command)
    kills, errors = [], []
    for point in points:
        kills += try_point(bench, scene, point, "KILL")
        errors += try_point(bench, scene, point, ERRNOS[point[0]])
    few = [] if len(points) >= 4 else ["only %d points" % len(points)]
    tap.ok("%s: killed at each of %d calls" % (scene[0][0], len(points)), few + kills)
    tap.ok("%s: each of them fails" % scene[0][0], errors)


def self_test(tap, bench):
    """Torn files must be found."""
    def tear(name, data):
        bench.put_back()
        with open(os.path.join(bench.home, name), "wb") as f:
            f.write(data)
        return judge_passwords(bench.home, OLD, OLD) + judge_house(bench.home, ("example.test",))
    bench.put_back()
    text, cdb, assign = read(bench.home, D + "vpasswd"), read(bench.home, D + "vpasswd.cdb"), read(bench.home, "users/assign")
    tap.ok("an untouched house is whole", judge(bench, OLD, OLD))
    for name, data in ((D + "vpasswd", text[:-20]), (D + "vpasswd", b""), (D + "vpasswd", text.split(b"\n", 1)[1]), (D + "vpasswd.cdb", cdb[:-8]),
                       (D + "vpasswd.cdb", b""), ("users/assign", assign[:-2]), ("users/cdb", b""), ("control/rcpthosts", b"example.te"),
                       ("control/virtualdomains", b"")):
        tap.ok("a torn %s is found" % name, [] if tear(name, data) else ["it is not"])


def main():
    tap = Tap()
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="tools.", dir=place) as folder, tempfile.TemporaryDirectory(prefix="tools.") as second:
        bench, held = Bench(folder), Bench(second)
        lock = open(os.path.join(held.home, D, ".vpasswd.lock"), "r+")
        fcntl.lockf(lock, fcntl.LOCK_EX)
        waiting = subprocess.Popen(held.command("vpasswd", "joe@example.test", "other"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self_test(tap, bench)
        for scene in SCENES:
            if scene[0][0] == "vdeldomain":
                bench.put_back()
                bench.must("vadddomain", "other.test", "secret")
                shutil.rmtree(bench.template)
                shutil.copytree(bench.home, bench.template)
            run_scene(tap, bench, scene)
        said = waiting.communicate()[0].decode(errors="replace")
        tap.ok("a lock that is held for 30 seconds is told", [] if waiting.returncode == 194 and "locked for more than 30 seconds" in said
               else ["exit %d: %s" % (waiting.returncode, said)])
        lock.close()
    print("1..%d" % tap.number)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
