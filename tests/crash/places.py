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


def program(name):
    return there(os.path.join(BIN, name))


def tool(name):
    """What the crash tests themselves have in C."""
    return there(os.path.join(os.path.dirname(BIN), "tests/crash", name))
