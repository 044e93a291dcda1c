#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The short form of the crash tests: a sample of the points of `make crash`, and the whole proof that the checker sees."""
import os

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../crash/run")
os.execv(RUN, [RUN, "--short"])
