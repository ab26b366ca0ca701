"""Runs a program that dies with the process that started it: `leash.py PARENT_PID PROGRAM [ARGUMENT …]`.

The supervisor ends its children when it stops. When it is itself killed with SIGKILL it cannot; then the kernel
does (Linux, `prctl(PR_SET_PDEATHSIG)`, which survives exec). Killing them hard is safe, since every process of ours
may be killed at any moment without losing work. This file imports the standard library only: it starts in
milliseconds and then becomes the program.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent, then become the program."""
    parent, *program = sys.argv[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        if os.getppid() != int(parent):  # it ended before the line above took effect
            raise SystemExit(1)
    os.execvp(program[0], program)  # noqa: S606 - the supervisor's own command line, no shell


if __name__ == "__main__":
    main()
