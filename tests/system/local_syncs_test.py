#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Which syncs a delivery makes (CONTRACTS 3, step 6), by strace: the file before its rename, always; the folder behind it, but for the last
recipient where the journal carries it. On tmpfs nothing is left out."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from dialoglib import frames, smtp  # noqa: E402

CALL = "op=deliver id=1h5r2k0p9v3m8a4c6e7g0q from= moff=0 mlen=17 last=%d"
RECIPIENT = "n=0 orig=joe@example.test kind=mailbox home=domains/example.test/joe"


def make_house(below, **settings):
    folder = tempfile.mkdtemp(prefix="local.", dir=below)
    for name in ("tmp", "new", "cur"):
        os.makedirs("%s/domains/example.test/joe/Maildir/%s" % (folder, name))
    os.mkdir(folder + "/control")
    for name, value in {"me": "mx.test", **settings}.items():
        with open("%s/control/%s" % (folder, name), "w", encoding="ascii") as f:
            f.write(value + "\n")
    with open(folder + "/message", "wb") as f:
        f.write(b"Subject: hi\n\nyes\n")
    return folder


def deliver(folder, last):
    """(calls in their order, what the log said of the journal)"""
    ours, theirs = socket.socketpair()
    with theirs, open(folder + "/log", "wb") as log:
        process = subprocess.Popen(["strace", "-f", "-e", "trace=fsync,fdatasync,sync_file_range,renameat2", "-o", folder + "/trace", smtp.BIN + "/stafet-local"],
                                   cwd=folder, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=log)
    fd = os.open(folder + "/message", os.O_RDONLY)
    bytes_sent = frames.frame("Q", frames.words_to_fields((CALL % last).split())) + frames.frame("R", frames.words_to_fields(RECIPIENT.split()))
    socket.send_fds(ours, [bytes_sent + frames.frame("E")], [fd])
    os.close(fd)
    ours.shutdown(socket.SHUT_WR)
    while ours.recv(4096):
        pass
    ours.close()
    process.wait(60)
    with open(folder + "/trace", encoding="ascii") as f:
        calls = re.findall(r"^\d+ +(fsync|fdatasync|renameat2)\(", f.read(), re.M)
    with open(folder + "/log", encoding="ascii") as f:
        journal = re.search(r"^maildirs journal=(\w+)", f.read(), re.M).group(1)
    shutil.rmtree(folder)
    return calls, journal


def main():
    results = smtp.Results()
    both, one = ["fsync", "renameat2", "fsync"], ["fsync", "renameat2"]
    calls, journal = deliver(make_house("/tmp"), 0)
    results.ok(calls == both, "a_recipient_with_others_behind_him_is_synced_twice", calls)
    calls, journal = deliver(make_house("/tmp"), 1)
    results.ok(calls == (one if journal == "ordered" else both), "the_last_one_once_where_the_journal_is_%s" % journal, calls)
    calls, journal = deliver(make_house("/tmp", spoolsync="two"), 1)
    results.ok(calls == both, "spoolsync_two_leaves_nothing_out", calls)
    calls, journal = deliver(make_house("/dev/shm"), 1)
    results.ok(calls == both and journal == "unknown", "tmpfs_is_no_journal", (calls, journal))
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
