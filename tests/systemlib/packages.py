# SPDX-License-Identifier: ISC
"""Debian packages without installing them: downloaded, unpacked into a folder of their own, and seen as parts of /usr and /etc by the
programs that are started `inside` (overlays in a mount namespace; needs root). Nothing of the machine changes."""
import fcntl
import os
import re
import shutil
import subprocess

CACHE = os.environ.get("STAFET_PEERS", "/var/tmp/stafet-peers")


def sh(*argv, **more):
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        raise RuntimeError("%s: exit %d\n%s" % (" ".join(argv), done.returncode, done.stdout[-2000:]))
    return done.stdout


def missing_ones(names, without):
    """The packages that an installation of these would bring, but what begins with a word of `without`."""
    plan = sh("apt-get", "install", "-s", "--no-install-recommends", *names)
    found = re.findall(r"^Inst (\S+)", plan, re.M)
    return [n for n in dict.fromkeys(names + found) if not n.startswith(without)]


def download(names, without, folder):
    debs, root = os.path.join(folder, "debs"), os.path.join(folder, "root")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(debs)
    try:
        wanted = missing_ones(names, without)
        sh("apt-get", "download", "-q", *wanted, cwd=debs)
    except RuntimeError:  # the lists are old, or not there
        sh("apt-get", "update", "-qq")
        wanted = missing_ones(names, without)
        sh("apt-get", "download", "-q", *wanted, cwd=debs)
    for name in sorted(os.listdir(debs)):
        sh("dpkg", "-x", os.path.join(debs, name), root)
    shutil.rmtree(debs)


def unpack(name, packages, without=()):
    """Downloads and unpacks once; the folder that holds usr/, etc/ …"""
    folder, mark = "%s-%s" % (CACHE, name), " ".join(packages)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(folder + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = os.path.join(folder, "complete")
        if not os.path.exists(complete) or open(complete, encoding="ascii").read() != mark:
            download(packages, without, folder)
            with open(complete, "w", encoding="ascii") as f:
                f.write(mark)
    return os.path.join(folder, "root")


def with_users(folder, users):
    """folder/etc: a layer over /etc that knows these users too, {name: number}."""
    etc = os.path.join(folder, "etc")
    os.makedirs(etc, exist_ok=True)
    for name in ("passwd", "group"):
        with open("/etc/" + name, encoding="utf-8") as f:
            text = f.read()
        for user, number in users.items():
            text += "%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n" % (user, number, number) if name == "passwd" else "%s:x:%d:\n" % (user, number)
        with open(os.path.join(etc, name), "w", encoding="utf-8") as f:
            f.write(text)
    return etc


def inside(root, etc, *argv):
    """The words that run argv with root/usr over /usr, etc over /etc."""
    script = "mount -t overlay overlay -o lowerdir=%s/usr:/usr /usr && mount -t overlay overlay -o lowerdir=%s:/etc /etc && exec \"$@\"" % (root, etc)
    return ["unshare", "-m", "sh", "-c", script, "sh", *argv]
