# SPDX-License-Identifier: ISC
"""Reads dialogue scripts: one file holds several tests."""
import os


class Test:
    def __init__(self, file, program, name):
        self.file, self.program, self.name, self.lines = file, program, name, []


def read(path):
    """The tests of one file; the folder's name is the program. Lines before the first `==` go in front of every test."""
    program = os.path.basename(os.path.dirname(os.path.abspath(path)))
    common, tests = [], []
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if line.startswith("== "):
                tests.append(Test(path, program, line[3:].strip()))
                tests[-1].lines = list(common)
            elif line.strip() and not line.startswith("#"):
                (tests[-1].lines if tests else common).append((number, line))
    if not tests:
        raise ValueError(path + ": no test in it")
    return tests


def find(paths):
    """All .talk files among files and folders, in order of name."""
    out = []
    for path in paths:
        if os.path.isdir(path):
            for folder, _, names in os.walk(path):
                out += [os.path.join(folder, n) for n in names if n.endswith(".talk")]
        else:
            out.append(path)
    return sorted(out)
