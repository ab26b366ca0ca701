"""Ties the life of a child process to its parent's (Linux: prctl(2), PR_SET_PDEATHSIG)."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with(parent_pid: int) -> None:
    """Asks the kernel to kill this process when its parent ends; called in the child, by the parent's pid."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # the parent ended before the request was made
        os._exit(1)


def die_with_parent() -> None:
    """As `die_with`, for a program that was told to watch whoever started it."""
    die_with(os.getppid())
