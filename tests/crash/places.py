# SPDX-License-Identifier: ISC
"""Where the built programs are."""

import os
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BIN = os.environ.get("STAFET_BIN", os.path.join(TOP, "build/bin"))
sys.path.insert(0, os.path.join(TOP, "tests"))


def there(path):
    if not os.path.exists(path):
        raise SystemExit(f"Bail out! {path} is missing: run make")
    return path


def program(name, takes_preloads=False):
    """One that carries the C library in itself takes no preload: it has a twin that does."""
    twin = os.path.join(os.path.dirname(BIN), "twins", name)
    if takes_preloads and os.path.exists(twin):
        return twin
    path = there(os.path.join(BIN, name))
    with open(path, "rb") as f:
        if takes_preloads and b"ld-linux" not in f.read(4096):
            raise SystemExit(f"Bail out! {path} takes no preload and has no twin: run make crash-tools")
    return path


def tool(name):
    """What the crash tests themselves have in C."""
    return there(os.path.join(os.path.dirname(BIN), "tests/crash", name))
