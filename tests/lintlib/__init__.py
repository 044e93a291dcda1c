# SPDX-License-Identifier: ISC
"""Checks of tests/lint that no ready tool makes: house (files, layers, pages), imports (what a program can call)."""
