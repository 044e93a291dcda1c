# SPDX-License-Identifier: ISC
"""Tests that are functions: play(tests, house) calls each one and prints a line of TAP for it. A test fails by expect() or by any
exception; what it said and the last lines of the house's logs follow."""

import re
import sys
import time
import traceback


class Failure(Exception):
    pass


def shown(value):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 2000 else text[:1000] + " ... " + text[-900:]


def expect(condition, *words):
    if not condition:
        raise Failure(" ".join(shown(w) for w in words) or "not so")


def expect_equal(got, want, what="value"):
    expect(got == want, f"{what}:\n  got:  {shown(got)}\n  want: {shown(want)}")


def expect_match(regex, text, what="text"):
    """The match."""
    found = re.search(regex, text, re.M)
    expect(found, f"{what}: no line fits {regex} in:\n{shown(text)}")
    return found


def wait_until(question, what, seconds=30):
    """The first answer of question() that is true; a failure when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        expect(time.monotonic() < end, f"waited {seconds} s for: {what() if callable(what) else what}")
        time.sleep(0.01)


def play(tests, *houses):
    """Each test gets the houses as arguments; what a failed one left is tidied away. The exit code."""
    failed = 0
    chosen = [t for t in tests if not sys.argv[1:] or any(word in t.__name__ for word in sys.argv[1:])]
    for number, test in enumerate(chosen, 1):
        began = time.monotonic()
        try:
            test(*houses)
            print(f"ok {number} - {test.__name__} # {time.monotonic() - began:.1f} s", flush=True)
        except Exception as e:  # whatever a client throws is a failure of this test alone
            failed += 1
            print(f"not ok {number} - {test.__name__}", flush=True)
            lines = str(e).splitlines() if isinstance(e, Failure) else traceback.format_exc().splitlines()
            if isinstance(e, Failure):
                lines += [line.strip() for line in traceback.format_tb(e.__traceback__)[1].splitlines()]
            for house in houses:
                lines += house.last_log()
                house.tidy()
            for line in lines:
                print("#   " + line.encode("ascii", "backslashreplace").decode(), flush=True)
    print(f"1..{len(chosen)}", flush=True)
    return 1 if failed else 0
