"""The processes of a demo: started with a log file each, and stopped, last started first, whatever happens."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from infra.sandbox.errors import SandboxError
from infra.sandbox.parent import die_with

STOP_S = 12.0


class ProgramEndedError(SandboxError):
    """A program of the demo ended before it was ready; the message holds the end of its log."""


class Fleet:
    """Programs of the demo. Each is a child that ends with this process, even if this is killed."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start `python -m arguments…` with its output in `<logs>/<name>.log`."""
        parent = os.getpid()
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                preexec_fn=lambda: die_with(parent),  # noqa: PLW1509 - started before there are threads
            )
        self._running.append((name, process))

    def check(self) -> None:
        """Raise if any program has ended.

        Raises:
            ProgramEndedError: with the last lines that the program wrote.
        """
        for name, process in self._running:
            if process.poll() is not None:
                raise ProgramEndedError(f"{name} ended with code {process.returncode}:\n{self.tail(name)}")

    def tail(self, name: str, lines: int = 15) -> str:
        """Return the last lines of a program's log."""
        text = (self._logs / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    async def stop(self) -> None:
        """Stop every program and everything it started."""
        while self._running:
            _, process = self._running.pop()
            await asyncio.to_thread(_stop, process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    family = _family(process.pid)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    deadline = time.monotonic() + 2
    while any(child.is_running() for child in family) and time.monotonic() < deadline:
        time.sleep(0.05)
    for child in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    process.wait()


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return []
