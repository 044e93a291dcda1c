# SPDX-License-Identifier: ISC
"""Where the benches write. `disk`: the disk of /var/tmp as it is. `ext4`: Debian's default file system, journal and all, in an image on
that disk. `ram`: the same in memory, where no disk waits and only processor time counts. Unasked: `disk`, but `ext4` where the disk's
own ext4 has no journal: there each create walks over all files deleted in the last minutes, which no ordinary server does."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../crash"))
import alone  # noqa: E402

KINDS = ("disk", "ext4", "ram")
GIGABYTES = {"ext4": 24, "ram": 6}


def run_alone():
    """Starts this program again with mounts and processes of its own, which end with it."""
    if os.environ.get("STAFET_ALONE") != "1":
        os.execvpe("unshare", [*alone.wrapper(), sys.executable, *sys.argv], {**os.environ, "STAFET_ALONE": "1"})


def lacks_journal(path):
    mounts = []
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if os.path.realpath(path).startswith(words[4]):
                mounts.append((len(words[4]), words[words.index("-") + 1], words[2]))
    _, kind, number = max(mounts)
    if kind != "ext4":
        return False
    name = os.path.basename(os.path.realpath(f"/sys/dev/block/{number}"))
    return not any(entry.startswith(f"{name}-") for entry in os.listdir("/proc/fs/jbd2")) if os.path.isdir("/proc/fs/jbd2") else True


def kind_of(words, path):
    """The kind that `--on=KIND` among words asks for."""
    asked = [word[5:] for word in words if word.startswith("--on=")]
    if asked and asked[-1] not in KINDS:
        raise SystemExit(f"--on=: one of {', '.join(KINDS)}")
    return asked[-1] if asked else "ext4" if lacks_journal(path) else "disk"


def prepare(folder, kind):
    """The empty folder becomes a place of that kind; its mounts end with the mount namespace."""
    if kind == "disk":
        return
    image = folder + ".img"
    if kind == "ram":
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={GIGABYTES[kind] + 1}g", "tmpfs", folder], check=True)
        image = os.path.join(folder, "image")
    with open(image, "wb") as f:
        f.truncate(GIGABYTES[kind] << 30)
    try:
        subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    finally:
        if kind == "ext4":
            os.unlink(image)  # the loop device holds it
    os.chmod(folder, 0o755)


def leave(folder):
    """What prepare() mounted is gone, and the folder with it."""
    while os.path.ismount(folder):
        subprocess.run(["umount", "-l", folder], check=True)
    shutil.rmtree(folder, ignore_errors=True)
