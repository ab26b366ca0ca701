"""One process of a service: started on a socket that outlives it, ready when it says so, drained at the end."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from infra.sandbox.errors import DeployError
from infra.sandbox.parent import die_with

START_TIMEOUT_S = 60.0
DRAIN_TIMEOUT_S = 8.0
_LOG_TAIL_LINES = 3


@dataclass(frozen=True)
class Launch:
    """How a revision of a service is to be started."""

    service: str
    revision: str
    version: str
    folder: Path
    log_path: Path
    arguments: tuple[str, ...]


class ServiceProcess:
    """A running process of a service."""

    def __init__(self, launch: Launch, process: asyncio.subprocess.Process) -> None:
        self.launch = launch
        self._process = process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.returncode is None

    @classmethod
    async def start(cls, launch: Launch, listener: socket.socket) -> "ServiceProcess":
        """Returns the process once it accepts requests on the socket.

        Raises:
            DeployError: The process ended or did not become ready within 60 s; it runs no more.
        """
        ready, ready_end = os.pipe()
        parent_pid = os.getpid()
        with launch.log_path.open("ab") as log:
            # Services get the socket itself: the kernel queues connections while one process follows another.
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"services.{launch.service}", *launch.arguments,
                "--listen-fd", str(listener.fileno()), "--ready-fd", str(ready_end),
                cwd=launch.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(listener.fileno(), ready_end),
                preexec_fn=lambda: die_with(parent_pid),
            )  # fmt: skip
        os.close(ready_end)
        started = cls(launch, process)
        try:
            await started._wait_until_ready(ready)
        except DeployError:
            await started.stop()
            raise
        return started

    async def stop(self) -> None:
        """Ends the process after its open requests, by force after 8 s."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), DRAIN_TIMEOUT_S)
            except TimeoutError:
                self._process.kill()
        await self._process.wait()

    async def _wait_until_ready(self, ready: int) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ready, "rb", buffering=0)
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                said = await reader.read(1)
        except TimeoutError as error:
            raise self._failure(f"not ready within {START_TIMEOUT_S:.0f} s") from error
        finally:
            transport.close()
        if not said:  # the pipe was closed by the end of the process
            raise self._failure(f"ended while starting: {self._log_tail()}")

    def _failure(self, reason: str) -> DeployError:
        return DeployError(self.launch.service, self.launch.revision, reason)

    def _log_tail(self) -> str:
        with self.launch.log_path.open(encoding="utf-8", errors="replace") as log:
            return " | ".join(line.strip() for line in deque(log, _LOG_TAIL_LINES))
