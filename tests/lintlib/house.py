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


def rows_of_settings(root):
    """{control file: (its default and range, its readers)}, as the table of control(5) says."""
    rows = [line[4:].split(" Ta ") for line in read(root, "doc/control.5").split("\n") if line.startswith(".It ") and line.count(" Ta ") == 3]
    return {row[0]: (row[1], re.findall(r"[\w-]+", row[2].split(";")[0])) for row in rows}


NO_DEFAULT = ("none", "not there", "must be there", "by the file system", "empty")


def misfits(setting, told):
    """What a line of -T says that the column of control(5) does not."""
    default, bounds = setting[2].removeprefix("default "), setting[3] if len(setting) > 3 else ""
    word, _, told_range = re.sub(r"[:;].*| \([a-z0-9-]+\)", "", told).partition(", ")
    least, _, most = bounds.partition("..")
    is_told = word in NO_DEFAULT if default in ("(none)", "") else default.removeprefix("=") in word.split(" or ")
    return not is_told or (bounds != "" and told_range not in (least + "-" + most, least + "-"))


def settings(root, build):
    """PROGRAM -T prints the table of control files; each name stands in the program's page, and in control(5) with the program, its
    default and its range. Who is named there as its reader reads it."""
    complaints, rows, seen = [], rows_of_settings(root), {}
    for room, program, source in programs(root):
        if not re.search(r"\bserve(_with_options)?\(|\bcontrol_print\(", read(root, source)):
            continue
        done = subprocess.run([os.path.join(root, build, "bin", program), "-T"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd="/", timeout=20)
        if done.returncode != 0:
            complaints.append("%s -T: exit %d: %s" % (program, done.returncode, done.stdout.strip()))
            continue
        page = "".join(read(root, p) for p in glob.glob("%s/%s.[18]" % (room, program), root_dir=root))
        short = program.removeprefix("stafet-")
        seen[short] = [line.split("\t") for line in done.stdout.splitlines()]
        for setting in seen[short]:
            told, readers = rows.get(setting[0], ("", ()))
            if setting[0] not in page:
                complaints.append("%s: control file %s is not in its page" % (program, setting[0]))
            if short not in readers:
                complaints.append("%s: control file %s is not in doc/control.5 with it" % (program, setting[0]))
            elif misfits(setting, told):
                complaints.append("%s: doc/control.5 says %s of %s" % (program, told, " ".join(setting)))
    return complaints + unread_settings(root, rows, seen)


def unread_settings(root, rows, seen):
    """Readers that control(5) names, but whose -T (those that have none: whose room) knows nothing of the file."""
    complaints, rooms = [], {program.removeprefix("stafet-"): room for room, program, _ in programs(root)}
    for name, (_, readers) in rows.items():
        for reader in readers:
            if name in ("nolandlock", "morercpthosts.cdb"):
                continue  # lib's: sandbox.c, and what stands beside rcpthosts
            if reader in seen:
                is_read = name in (setting[0] for setting in seen[reader])
            elif reader in rooms:
                is_read = any('"%s"' % name in read(root, n) for n in glob.glob(rooms[reader] + "/*.c", root_dir=root))
            else:
                continue  # a word between the names
            if not is_read:
                complaints.append("doc/control.5: %s does not read %s" % (reader, name))
    return complaints


COMMON_LETTERS = "cCpuT"  # of lib/serve: a page tells those that make sense there


def letters_of(root, source):
    """Letters of the options that a program takes: by its own source and the modules of its room that it includes."""
    text, files = "", [source]
    for name in files:  # which grows
        if os.path.exists(os.path.join(root, name)):
            own = read(root, name)
            text += own
            found = re.findall(r'#include "((?!lib/)[a-z0-9]+/[a-z0-9_]+)\.h"', own)
            files += [f + end for f in found for end in (".h", ".c") if f + end not in files]
    strings = re.findall(r'getopt(?:_long)?\([^;]*?"([^"]*)"', text) + re.findall(r'_letters\[\] = "(\+[^"]*)"', text)
    strings += re.findall(r'getopt\([^;]*: "([^"]*)"\)', text) + re.findall(r'serve_with_options\([^;]*?"([^"]*)"', text)
    return set(re.sub(r"[+:]", "", "".join(strings))) | set(re.findall(r'"-([A-Za-z])"', text))


def options(root):
    """A page tells the options that its program takes, all of them and no other."""
    complaints = []
    for room, program, source in programs(root):
        page = "".join(read(root, p) for p in glob.glob("%s/%s.[18]" % (room, program), root_dir=root))
        told = set("".join(re.findall(r"\bFl ([A-Za-z]+)\b", page)))
        common = set(COMMON_LETTERS) if re.search(r"\bserve(_with_options)?\(", read(root, source)) else set()
        taken = letters_of(root, source)
        complaints += ["%s takes -%s, its page does not say so" % (program, c) for c in sorted(taken - told)]
        complaints += ["%s has no -%s, its page says so" % (program, c) for c in sorted(told - taken - common)]
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
