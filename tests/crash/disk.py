# SPDX-License-Identifier: ISC
"""A disk that loses power: a file system in a loop image, cut off by the shutdown ioctl without a journal flush, then mounted again so
that the journal is replayed. Needs root; tests/crash/run gives each part a mount namespace of its own, so nothing stays mounted when
it dies."""

import fcntl
import os
import struct
import subprocess
import time

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN: _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2
MEGABYTES = {"ext4": 96, "xfs": 320}
MKFS = {"ext4": ("-q", "-F", "-E", "lazy_itable_init=0"), "xfs": ("-q", "-f")}


class Disk:
    def __init__(self, folder, kind="ext4", megabytes=None):
        self.image = os.path.join(folder, f"{kind}.img")
        self.mountpoint = os.path.join(folder, f"{kind}.mnt")
        os.makedirs(self.mountpoint, exist_ok=True)
        with open(self.image, "wb") as f:
            f.truncate((megabytes or MEGABYTES[kind]) << 20)
        subprocess.run([f"/sbin/mkfs.{kind}", *MKFS[kind], self.image], check=True)
        self.is_mounted = False

    def __enter__(self):
        self.mount()
        return self

    def __exit__(self, *_):
        self.unmount()
        os.unlink(self.image)
        os.rmdir(self.mountpoint)

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.mountpoint], check=True)
        self.is_mounted = True

    def settle(self):
        """What happened until now is durable: the next cut tests only what comes."""
        subprocess.run(["sync", "-f", self.mountpoint], check=True)  # and no neighbour's disk: it may be about to lose its power

    def commit_journal(self):
        """The sync of a neighbour's file: names that were made until now become durable, data that nobody synced does not."""
        path = os.path.join(self.mountpoint, "neighbour")
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(fd, b"x")
        os.fsync(fd)
        os.close(fd)

    def cut_power(self):
        """Everything that no sync made durable is gone; mounted again."""
        fd = os.open(self.mountpoint, os.O_RDONLY)
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(fd)
        self.unmount()
        self.mount()

    def unmount(self, tries=100):
        """A process that was just killed may hold it for a moment."""
        while self.is_mounted:
            done = subprocess.run(["umount", self.mountpoint], stderr=subprocess.PIPE, text=True, check=False)
            self.is_mounted = done.returncode != 0
            tries -= 1
            if self.is_mounted and tries == 0:
                raise RuntimeError(done.stderr)
            if self.is_mounted:
                time.sleep(0.05)
