# SPDX-License-Identifier: ISC
"""Results of the crash tests."""

import sys


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, details=()):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good:
            for line in details:
                print(f"#   {line}", flush=True)

    def note(self, text):
        print(f"# {text}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)
