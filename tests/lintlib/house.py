# SPDX-License-Identifier: ISC
"""House rules that can be read from the files: each check returns its complaints."""
import glob
import os
import re
import subprocess

ROOMS = ("smtpd", "pop3d", "imapd", "queue", "deliver", "auth", "net", "service")
FILE_LINES, FUNCTION_LINES, README_LINES = 500, 60, 40
LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK|for now|not implemented|unimplemented)\b")


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def sources(root):
    found = [n for p in ("*/*.[ch]", "tests/*/*.[ch]") for n in glob.glob(p, root_dir=root)]
    return sorted(n for n in found if not n.startswith("build"))


def layers(root):
    """A room includes its own headers and lib's; lib its own; skalibs' cdb.h nobody."""
    complaints = []
    for name in sources(root):
        room = name.split("/")[0]
        if room == "tests":
            continue
        for header in re.findall(r'^\s*#\s*include\s*["<]([^">]+)[">]', read(root, name), re.M):
            place = header.split("/")[0]
            if "/" in header and place in ROOMS + ("lib", "tests") and place not in (room, "lib"):
                complaints.append("%s includes %s" % (name, header))
            if header == "skalibs/cdb.h" or (header == "cdb.h" and name != "lib/cdbmap.c"):
                complaints.append("%s includes %s: only lib/cdbmap.c includes <cdb.h>" % (name, header))
    return complaints


def lengths(root):
    complaints = []
    scripts = [n for p in ("tests/*", "tests/*/*", "service/*", ".ci/*") for n in glob.glob(p, root_dir=root)]
    for name in sources(root) + [n for n in scripts if os.path.isfile(os.path.join(root, n)) and not n.endswith((".c", ".h", ".talk"))]:
        try:
            lines = read(root, name).count("\n")
        except OSError:
            continue
        if lines > FILE_LINES and "/seeds/" not in name:
            complaints.append("%s has %d lines" % (name, lines))
    for name in sources(root):
        if name.endswith(".c"):
            complaints += long_functions(name, read(root, name).split("\n"))
    for room in ROOMS + ("lib", "tests", "doc", "."):
        readme = os.path.join(room, "README")
        if not os.path.exists(os.path.join(root, readme)):
            complaints.append(readme + " is missing")
        elif room != "." and read(root, readme).count("\n") > README_LINES:
            complaints.append("%s has %d lines" % (readme, read(root, readme).count("\n")))
    return complaints


def long_functions(name, lines):
    """The style puts a function's braces alone on their lines, at the margin."""
    complaints, start = [], None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_LINES:
                head = next((text for text in reversed(lines[:start - 1]) if text and not text[0].isspace()), "")
                complaints.append("%s:%d: %d lines: %s" % (name, start, number - start - 1, head))
            start = None
    return complaints


def programs(root):
    """(room, program, source) of every program in C."""
    makefile = read(root, "Makefile")
    tools = re.search(r"^VTOOLS := (.*)$", makefile, re.M).group(1).split() + ["vdelivermail"]
    out = []
    for name in sorted(glob.glob("*/*.c", root_dir=root)):
        room, base = name.split("/")
        if base.startswith("stafet-") or base[:-2] in tools:
            out.append((room, base[:-2], name))
    return out


def pages(root):
    complaints = []
    scripts = [("service", s, "service/" + s) for s in ("stafet-instance", "stafet-status", "stafet-trace")]
    for room, program, _ in programs(root) + scripts:
        found = glob.glob("%s/%s.[18]" % (room, program), root_dir=root)
        if not found:
            complaints.append("%s has no page %s/%s.8 or .1" % (program, room, program))
        if not re.search(r"\b%s\b" % re.escape(program.removeprefix("stafet-")), read(root, room + "/README")):
            complaints.append("%s is not in %s/README" % (program, room))
        for page in found:
            if "Sh EXIT STATUS" not in read(root, page):
                complaints.append(page + " does not tell the exit codes")
    return complaints


def readers_of_settings(root):
    """{control file: its readers}, as the table of control(5) says."""
    rows = [line[4:].split(" Ta ") for line in read(root, "doc/control.5").split("\n") if line.startswith(".It ") and line.count(" Ta ") == 3]
    return {row[0]: re.findall(r"[\w-]+", row[2]) for row in rows}


def settings(root, build):
    """PROGRAM -T prints the table of control files; each name stands in the program's page, and in control(5) with the program."""
    complaints, readers = [], readers_of_settings(root)
    for room, program, source in programs(root):
        if not re.search(r"\bserve(_with_options)?\(", read(root, source)):
            continue
        done = subprocess.run([os.path.join(root, build, "bin", program), "-T"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd="/", timeout=20)
        if done.returncode != 0:
            complaints.append("%s -T: exit %d: %s" % (program, done.returncode, done.stdout.strip()))
            continue
        page = "".join(read(root, p) for p in glob.glob("%s/%s.[18]" % (room, program), root_dir=root))
        names = [line.split()[0] for line in done.stdout.splitlines() if line.strip() and not line.startswith(("#", "NAME", "name"))]
        complaints += ["%s: control file %s is not in its page" % (program, n) for n in names if n not in page]
        short = program.removeprefix("stafet-")
        complaints += ["%s: control file %s is not in doc/control.5 with it" % (program, n) for n in names if short not in readers.get(n, ())]
    return complaints


def heads(root):
    return [n + ": no SPDX line" for n in sources(root) if "SPDX-License-Identifier: ISC" not in read(root, n)[:200]]


def words(root):
    complaints = []
    pages_found = [n for e in ("1", "5", "8") for n in glob.glob("*/*." + e, root_dir=root)]
    for name in sources(root) + pages_found:
        for number, line in enumerate(read(root, name).split("\n"), 1):
            if LATER.search(line):
                complaints.append("%s:%d: %s" % (name, number, line.strip()))
    return complaints
