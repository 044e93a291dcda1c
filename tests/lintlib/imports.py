# SPDX-License-Identifier: ISC
"""What a program can ask of libc: nobody imports what invites mistakes, and no program what its README says it must never do."""
import os
import re
import subprocess
from . import house

NOBODY = set("""system popen strcpy strcat stpcpy sprintf vsprintf gets scanf sscanf strtok mktemp tmpnam tempnam tmpfile atoi atol
 gethostbyname gethostbyaddr inet_addr inet_ntoa rand srand random srandom drand48 alloca wordexp dlopen setreuid setresuid""".split())
EXEC = set("execl execle execlp execv execve execvp execvpe fexecve execveat posix_spawn posix_spawnp".split())
IDENTITY = set("setuid setgid seteuid setegid setregid setresgid setgroups initgroups chroot".split())
MAKE = set("""unlink unlinkat remove rmdir rename renameat renameat2 link linkat symlink symlinkat mkdir mkdirat mknod mknodat mkfifo creat creat64
 mkstemp mkdtemp truncate truncate64 chown fchown fchownat lchown chmod fchmodat utime utimes utimensat""".split())
NETWORK = set("getaddrinfo bind listen gethostname".split())

# What each program must never be able to call, by the tables of the rooms' READMEs.
DENIED = {
    "stafet-smtpd": EXEC | IDENTITY | MAKE | NETWORK,
    "stafet-pop3-login": EXEC | IDENTITY | MAKE | NETWORK,
    "stafet-pop3d": EXEC | IDENTITY | NETWORK,
    "stafet-imap-login": EXEC | IDENTITY | MAKE | NETWORK,
    "stafet-imapd": EXEC | IDENTITY | NETWORK | {"connect"},
    "stafet-rcptd": EXEC | IDENTITY | NETWORK | {"unlink", "unlinkat", "rename", "renameat", "renameat2", "connect"},
    "stafet-authd": EXEC | IDENTITY | NETWORK,
    "stafet-queue": EXEC | IDENTITY | NETWORK | {"opendir", "readdir", "fdopendir", "connect"},
    "stafet-inject": IDENTITY | MAKE | NETWORK | EXEC,
    "stafet-qread": EXEC | IDENTITY | MAKE | NETWORK,
    "stafet-qstat": EXEC | IDENTITY | MAKE | NETWORK,
    "stafet-qctl": EXEC | IDENTITY | MAKE | NETWORK,
    "stafet-send": EXEC | IDENTITY | NETWORK,
    "stafet-local": IDENTITY | NETWORK,
    "vdelivermail": IDENTITY | NETWORK,
    "stafet-call": EXEC | IDENTITY | MAKE | NETWORK,
    "stafet-probe": EXEC | IDENTITY | MAKE | {"bind", "listen"},
    "stafet-bind": IDENTITY | MAKE | {"accept", "accept4", "fork", "vfork", "recv", "recvmsg"},
    "vchkpw": NETWORK | {"socket", "connect", "chown", "fchownat"},
    "stafet-adopt": IDENTITY | MAKE | {"socket", "fork"},
}
for tool in "vadddomain vdeldomain vadduser vdeluser vpasswd vuserinfo vdominfo valias".split():
    DENIED[tool] = EXEC | NETWORK | {"socket", "connect", "accept", "accept4"}


def imported(root, build, program):
    """Of a program that carries the C library in itself its twin is asked."""
    twin = os.path.join(root, build, "twins", program)
    path = twin if os.path.exists(twin) else os.path.join(root, build, "bin", program)
    done = subprocess.run(["nm", "-D", "-u", path], stdout=subprocess.PIPE, text=True, check=True)
    names = {line.split()[-1].split("@")[0] for line in done.stdout.splitlines() if line.strip()}
    return names | {m.group(1) for n in names for m in [re.fullmatch(r"__(?:isoc99_)?(\w+?)(?:_chk)?", n)] if m}


def complaints_of(program, names):
    return ["%s imports %s" % (program, n) for n in sorted(names & (NOBODY | DENIED.get(program, set())))]


def check(root, build):
    complaints = []
    for _, program, _ in house.programs(root):
        names = imported(root, build, program)
        complaints += complaints_of(program, names) if names else [program + " shows no imports: is it static without a twin?"]
    return complaints


def self_test(root, build):
    """stafet-bind execs: taken for smtpd it must be found out."""
    names = imported(root, build, "stafet-bind")
    return [] if complaints_of("stafet-smtpd", names) else ["stafet-bind passes as stafet-smtpd"]
