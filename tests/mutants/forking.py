"""Runs work in forked processes that cannot run for ever, fill the memory or print."""

import contextlib
import os
import resource
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

BROKEN = 3
"""The exit code of work that raised: a fault of the driver, not of a mutant."""
MEMORY = 4 << 30
POLL_S = 0.003

Work = Callable[[Path], int]
"""Gets a folder of its own, where it may leave files, and returns its exit code."""


@dataclass
class Child:
    """A forked process, its folder, and when it is stopped."""

    pid: int
    folder: TemporaryDirectory[str]
    deadline: float
    began: float = field(default_factory=time.monotonic)
    stopped: str = ""

    def ended(self) -> int | None:
        """Return the exit code (negative: ended by that signal), or None while it runs; it is stopped in time."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.end()  # what its tests started and left running
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > self.deadline and not self.stopped:
            self.stopped = f"stopped after {time.monotonic() - self.began:.0f} s"
            self.end()
        return None

    def end(self) -> None:
        """End the process and all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def said(self) -> str:
        """Return what the work left in its file `said`."""
        path = Path(self.folder.name, "said")
        return path.read_text() if path.exists() else ""


def fork(work: Work, *, cpu_s: float, wall_s: float) -> Child:
    """Start `work` in a process of its own."""
    folder = TemporaryDirectory(prefix="mutant-")
    pid = os.fork()
    if pid:
        return Child(pid, folder, time.monotonic() + wall_s)
    code = BROKEN
    try:
        _confine(cpu_s)
        code = work(Path(folder.name))
    except BaseException:  # noqa: BLE001 - the process ends here in any case, and the parent reads why
        Path(folder.name, "said").write_text(traceback.format_exc())
    finally:
        os._exit(code)


def _confine(cpu_s: float) -> None:
    os.setsid()
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s) + 1, int(cpu_s) + 2))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def wait(children: list[Child]) -> tuple[Child, int]:
    """Return the first of the children that ends, with its exit code; it is taken from the list."""
    while True:
        for child in children:
            code = child.ended()
            if code is not None:
                children.remove(child)
                return child, code
        time.sleep(POLL_S)
