# SPDX-License-Identifier: ISC
"""A process that takes all with it: mounts and processes that it leaves, however it ends, are gone."""

import os

INIT = '"$@"; exit $?'  # the first process of its namespace: a shell reaps what has lost its parent


def wrapper():
    """The words before a command; none where one is not root."""
    if os.geteuid() != 0:
        return []
    return ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", INIT, "sh"]
