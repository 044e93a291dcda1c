#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""More than there is room for: half-open connections, a disk without bytes or inodes, a full log disk. One private instance on a
small disk of its own (root only: it mounts)."""

import contextlib
import glob
import os
import resource
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(TESTS, "crash"))
import alone  # noqa: E402
from disk import Disk  # noqa: E402
from house import wait_until  # noqa: E402
from places import program  # noqa: E402
from tap import Tap  # noqa: E402

CLIENTS, A_SOURCE = 1000, 50
MEGABYTE = 1 << 20
BYTES_PER_INODE = 16384  # of control/spoolreserve
HALVES = (b"", b"EHLO half.test\r\nMAIL FR", b"EHLO half.test\r\nMAIL FROM:<a@half.test>\r\nRCPT TO:<{user}>\r\nDATA\r\nSubject: half\r\n")
BOUND = 5  # seconds in which a client is served while all others hang: the promise of this test


class Instance:
    def __init__(self, folder):
        self.folder = folder
        self.tool("new", folder, "--port-base", str(free_base()))
        self.env = dict(line.split("=", 1) for line in self.tool("env", folder).replace("'", "").splitlines())
        self.user, self.port = self.env["USER1"], int(self.env["SMTP_PORT"])
        self.user2 = self.env["USER2"]
        self.home2 = os.path.join(folder, "domains", self.env["DOMAIN"], self.user2.split("@")[0])

    def tool(self, *args):
        done = subprocess.run([program("stafet-instance"), *args], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"stafet-instance {args}: {done.stdout}{done.stderr}")
        return done.stdout

    def status(self):
        done = subprocess.run([self.env["BIN"] + "/stafet-status", "-H", self.folder], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def control(self, name, text):
        with open(os.path.join(self.folder, "control", name), "w", encoding="ascii") as f:
            f.write(text + "\n")

    def send(self, subject, user=None, size=100, timeout=60):
        """The code of the refusal, or of the last answer."""
        text = f"Subject: {subject}\r\n\r\n" + "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * (size // 72)
        try:
            with smtplib.SMTP("127.0.0.1", self.port, "client.test", timeout) as client:
                client.sendmail("sender@client.test", [user or self.user], text)
                return 250, ""
        except smtplib.SMTPRecipientsRefused as e:
            return list(e.recipients.values())[0]
        except smtplib.SMTPResponseException as e:
            return e.smtp_code, e.smtp_error
        except OSError as e:
            return 0, str(e)

    def spool(self):
        return [p for pattern in ("new/*", "cur/*", "later/*/*") for p in glob.glob(os.path.join(self.folder, "spool", pattern))]

    def later(self):
        return glob.glob(os.path.join(self.folder, "spool/later/*/*"))

    def subjects(self, user):
        found = []
        for path in glob.glob(os.path.join(self.folder, "domains", self.env["DOMAIN"], user.split("@")[0], "Maildir/new/*")):
            with open(path, encoding="utf-8", errors="replace") as f:
                found += [line[9:].strip() for line in f if line.startswith("Subject: ")]
        return sorted(found)

    def hurry(self):
        """Everything that waits is due now."""
        subprocess.run(["s6-svc", "-a", os.path.join(self.folder, "service/send")], check=True)


def free_base():
    for base in range(16000, 17000, 200):
        try:
            for port in (base + 25, base + 110):
                with socket.socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
    raise RuntimeError("no free ports")


# Half-open connections.

def half_open(instance, number):
    sock = socket.socket()
    sock.settimeout(30)
    sock.bind((f"127.0.0.{2 + number // A_SOURCE}", 0))
    sock.connect(("127.0.0.1", instance.port))
    greeting = sock.recv(200)
    sock.sendall(HALVES[number % len(HALVES)].replace(b"{user}", instance.user.encode()))
    return sock, greeting


def test_half_open(tap, instance):
    resource.setrlimit(resource.RLIMIT_NOFILE, (CLIENTS + 200, max(CLIENTS + 200, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    clients, greeted = [], 0
    try:
        for number in range(CLIENTS):
            sock, greeting = half_open(instance, number)
            clients.append(sock)
            greeted += greeting.startswith(b"220 ")
        tap.ok(greeted == CLIENTS, f"{greeted}_clients_are_greeted_and_stop_in_the_middle")
        began = time.monotonic()
        answer = instance.send("through the crowd", timeout=BOUND)
        delivered = wait_until(lambda: "through the crowd" in instance.subjects(instance.user), BOUND)
        took = time.monotonic() - began
        tap.ok(answer[0] == 250, "a_whole_client_is_served_beside_them", [str(answer)])
        tap.ok(delivered and took < BOUND, "and_its_mail_is_in_the_mailbox_within_5_s", [f"{took:.2f} s"])
        tap.note(f"served and delivered in {took:.2f} s beside {CLIENTS} half-open connections")
        code, text = instance.status()
        tap.ok(code == 0, "stafet_status_finds_all_well", text.splitlines())
    finally:
        for sock in clients:
            sock.close()
    wait_until(lambda: instance.send("after the crowd")[0] == 250, 30)
    tap.ok(wait_until(lambda: "after the crowd" in instance.subjects(instance.user), 30), "and_goes_on_when_they_have_gone")


# A full disk: no bytes, or no inodes.

def fill(folder, leave):
    """A file that leaves about so many bytes free to root."""
    path = os.path.join(folder, "filler")
    with open(path, "ab") as f:
        while True:
            free = os.statvfs(folder)
            room = free.f_bavail * free.f_frsize - leave
            if room < 65536:
                break
            try:
                os.posix_fallocate(f.fileno(), os.fstat(f.fileno()).st_size, room // 2)
            except OSError:
                break
    return path


@contextlib.contextmanager
def few_bytes(folder, leave):
    filler = fill(folder, leave)
    yield
    os.unlink(filler)


@contextlib.contextmanager
def few_inodes(folder, leave):
    """Empty files, which take no room."""
    filler = os.path.join(folder, "filler")
    os.mkdir(filler)
    for number in range(os.statvfs(folder).f_ffree - leave):
        os.mknod(os.path.join(filler, str(number)))
    yield
    shutil.rmtree(filler)


def wait_in_spool(instance, word, count):
    """Messages for a mailbox whose owner is just changing it (sticky): they wait."""
    os.chmod(instance.home2, 0o1700)
    answers = [instance.send(f"{word} {i}", instance.user2, 20000)[0] for i in range(count)]
    wait_until(lambda: len(instance.later()) >= count, 30)
    return answers == [250] * count and len(instance.later()) == count


def delivered(instance, wanted, seconds=60):
    """All that waits comes, and each once."""
    os.chmod(instance.home2, 0o700)
    end = time.monotonic() + seconds
    while instance.subjects(instance.user2) != wanted and time.monotonic() < end:
        instance.hurry()
        time.sleep(0.5)
    return instance.subjects(instance.user2) == wanted


def test_full_disk(tap, instance, kind, few):
    """kind: what there is too little of; few: less than the reserve of it, made when it is entered."""
    wanted = sorted(instance.subjects(instance.user2) + [f"{kind} {i}" for i in range(20)])
    tap.ok(wait_in_spool(instance, kind, 20), f"{kind}:_twenty_messages_lie_in_the_spool", instance.spool())
    with few:
        code, text = instance.send("too late", size=2000)
        tap.ok(code == 452 and b"4.3.1" in text, f"{kind}:_below_the_reserve_new_mail_is_refused_with_452_4.3.1", [f"{code} {text}"])
        tap.ok(delivered(instance, wanted) and not instance.spool(), f"{kind}:_and_what_lies_there_is_delivered_from_the_reserve",
               instance.subjects(instance.user2))
    tap.ok(instance.send("with room again")[0] == 250, f"{kind}:_with_room_again_mail_is_taken")
    wait_until(lambda: not instance.spool(), 30)


def test_nothing_left(tap, instance, kind, none):
    """No reserve can help here: nothing is lost, and nobody has to repair anything."""
    wanted = sorted(instance.subjects(instance.user2) + [f"no {kind} {i}" for i in range(5)])
    tap.ok(wait_in_spool(instance, f"no {kind}", 5), f"{kind}:_five_more_lie_there", instance.spool())
    with none:
        code, text = instance.send("no room", size=2000)
        tap.ok(code == 452 and b"4.3.1" in text, f"{kind}:_a_disk_without_one_refuses_too", [f"{code} {text}"])
        os.chmod(instance.home2, 0o700)
        instance.hurry()
        time.sleep(1)
        code, text = instance.status()
        tap.ok(code != 0 and "DISK FULL" in text, f"{kind}:_stafet_status_says_that_the_disk_is_full", text.splitlines())
    tap.ok(delivered(instance, wanted), f"{kind}:_afterwards_all_of_it_is_delivered_once", instance.subjects(instance.user2))


# A full log disk.

def own_log_disk(instance):
    """A disk of 2 MB in the place of log/; the loggers are started anew on it."""
    log = os.path.join(instance.folder, "log")
    subprocess.run(["cp", "-a", log, log + ".kept"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", log], check=True)
    subprocess.run(["cp", "-a", log + ".kept/.", log], check=True)


def test_full_log_disk(tap, instance):
    log = os.path.join(instance.folder, "log")
    filler = fill(log, 0)
    with open(filler, "ab", buffering=0) as f:
        try:
            while f.write(b"x" * 4096):
                pass
        except OSError:
            pass
    before = len(instance.subjects(instance.user))
    answers = [instance.send(f"silent {i}")[0] for i in range(30)]
    tap.ok(answers == [250] * 30 and wait_until(lambda: len(instance.subjects(instance.user)) == before + 30, 30),
           "a_full_log_disk_does_not_stop_mail", [str(answers)])
    code, text = instance.status()
    tap.ok(code != 0 and "DISK FULL: log" in text, "stafet_status_says_that_it_is_full", text.splitlines())
    os.unlink(filler)
    instance.send("audible")
    tap.ok(wait_until(lambda: "audible" in instance.subjects(instance.user), 30) and wait_until(lambda: log_tells(log, 31), 60),
           "with_room_again_the_lines_that_waited_are_written", [str(count_lines(log))])
    wait_until(lambda: instance.status()[0] == 0, 20)
    code, text = instance.status()
    tap.ok(code == 0, "and_stafet_status_finds_all_well", text.splitlines())


def count_lines(log):
    """Messages that send has logged."""
    found = 0
    for path in glob.glob(log + "/send/*"):
        with open(path, "rb") as f:
            found += f.read().count(b" new msg ")
    return found


def log_tells(log, most):
    return count_lines(log) >= most


def main():
    tap = Tap()
    if os.geteuid() != 0:
        tap.ok(False, "this_test_needs_root", ["it mounts small disks: run make check as root"])
        tap.done()
    if "STAFET_ALONE" not in os.environ:
        os.environ["STAFET_ALONE"] = "1"
        os.execvp("unshare", [*alone.wrapper(), sys.executable, os.path.abspath(__file__)])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="stafet-overload.") as folder:
        os.chmod(folder, 0o755)
        with Disk(folder, "ext4", 200) as disk:
            instance = Instance(os.path.join(disk.mountpoint, "house"))
            try:
                own_log_disk(instance)
                instance.tool("start", instance.folder)
                test_half_open(tap, instance)
                instance.control("spoolreserve", str(8 * MEGABYTE))
                test_full_disk(tap, instance, "bytes", few_bytes(disk.mountpoint, 6 * MEGABYTE))
                test_nothing_left(tap, instance, "bytes", few_bytes(disk.mountpoint, 0))
                test_full_disk(tap, instance, "inodes", few_inodes(disk.mountpoint, 8 * MEGABYTE // BYTES_PER_INODE - 100))
                test_nothing_left(tap, instance, "inodes", few_inodes(disk.mountpoint, 0))
                test_full_log_disk(tap, instance)
            finally:
                instance.tool("stop", instance.folder)
                subprocess.run(["umount", os.path.join(instance.folder, "log")], check=False)
                instance.tool("remove", instance.folder)
    tap.done()


if __name__ == "__main__":
    main()
