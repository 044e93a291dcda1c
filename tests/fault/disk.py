# SPDX-License-Identifier: ISC
"""A disk that loses power: a file system in a loop image, cut off by the shutdown ioctl without a journal flush, then mounted again so
that the journal is replayed."""

import fcntl
import os
import struct
import subprocess

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN: _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2


class Disk:
    def __init__(self, folder, kind="ext4", megabytes=96):
        self.image = os.path.join(folder, f"{kind}.img")
        self.mountpoint = os.path.join(folder, f"{kind}.mnt")
        self.kind = kind
        os.makedirs(self.mountpoint, exist_ok=True)
        with open(self.image, "wb") as f:
            f.truncate((megabytes if kind == "ext4" else 320) << 20)
        options = ["-q", "-F", "-E", "lazy_itable_init=0"] if kind == "ext4" else ["-q", "-f"]
        subprocess.run([f"/sbin/mkfs.{kind}", *options, self.image], check=True)
        self.is_mounted = False

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.mountpoint], check=True)
        self.is_mounted = True

    def cut_power(self):
        """Everything that no sync made durable is gone; mounted again."""
        fd = os.open(self.mountpoint, os.O_RDONLY)
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(fd)
        self.unmount()
        self.mount()

    def unmount(self):
        if self.is_mounted:
            subprocess.run(["umount", self.mountpoint], check=True)
            self.is_mounted = False

    def remove(self):
        self.unmount()
        os.unlink(self.image)
        os.rmdir(self.mountpoint)
