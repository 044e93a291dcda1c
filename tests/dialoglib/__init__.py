# SPDX-License-Identifier: ISC
"""The dialogue runner's parts: script (files), player (one test), fake (call servers), frames (their bytes)."""
