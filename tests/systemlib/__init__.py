# SPDX-License-Identifier: ISC
"""What the system tests share: house (a private instance), tap (tests are functions, TAP), mail (messages); instance gives both to
tests that count their checks by themselves; imap (a client); imapmodel and what begins with imap beside it: what an IMAP server should
say, of mailboxes (boxes), of messages (steps, search, thread), of mail (mail)."""

import sys

sys.dont_write_bytecode = True

from .house import BIN, ORDINARY_USER, TOP, Instance, as_user, free_port_base, is_free, is_root, run  # noqa: E402, F401
from .mail import expect_same, letter, parse, retrieve, split_trace  # noqa: E402, F401
from .tap import Failure, expect, expect_equal, expect_match, play, wait_until  # noqa: E402, F401
