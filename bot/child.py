"""One supervised program: started, watched, started again after a growing wait, stopped when asked."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil
import structlog

from bot import leash, run_files
from bot.db.backoff import backoff
from bot.log_file import LogFile
from bot.run_files import RunFile, State
from telemetry.errors import SreSpaceError

log = structlog.get_logger()

Ready = Callable[[], Awaitable[bool]]
Prepare = Callable[[], Awaitable[None]]
Echo = Callable[[str, str], None]

_STEADY_S: Final = 30.0
_TAIL_LINES: Final = 15
_LINE_BYTES: Final = 64 * 1024
_DRAIN_S: Final = 2.0


class ProgramFailedError(SreSpaceError):
    """A program ended, or did not get ready, at its first start; `output` is the end of what it said."""

    def __init__(self, name: str, reason: str, output: str) -> None:
        super().__init__(f"{name} {reason}." + (f" It said:\n{output}" if output else ""))
        self.name = name
        self.reason = reason
        self.output = output


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    `prepare` is called once before the first start. `ready` says whether it does its work by now; None means: as
    soon as it runs.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    url: str | None = None
    prepare: Prepare | None = None
    ready: Ready | None = None
    ready_timeout_s: float = 60.0
    grace_s: float = 25.0


@dataclass(slots=True)
class Child:
    """A program with its process."""

    program: Program
    state_dir: Path
    echo: Echo
    restarts: int = 0
    _process: asyncio.subprocess.Process | None = None
    _keeper: asyncio.Task[None] | None = None
    _pump_task: asyncio.Task[None] | None = None
    _log: LogFile = field(init=False)

    def __post_init__(self) -> None:
        """Open the log."""
        self._log = LogFile(self.state_dir / "log" / f"{self.program.name}.log")

    @property
    def keeper(self) -> asyncio.Task[None] | None:
        """Return the task that keeps the program running; it ends only when something failed here."""
        return self._keeper

    async def start(self) -> None:
        """Start the program, return when it is ready, and from then on keep it running.

        Raises:
            ProgramFailedError: it ended before it was ready, or did not get ready in time.
        """
        if self.program.prepare is not None:
            await self.program.prepare()
        process = await self._spawn()
        try:
            async with asyncio.timeout(self.program.ready_timeout_s):
                while not await self._is_ready():
                    if process.returncode is not None:
                        await self._drain()
                        raise self._failed(f"ended with status {process.returncode}")
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise self._failed(f"was not ready within {self.program.ready_timeout_s:g} s") from error
        self._say(State.RUNNING)
        self._keeper = asyncio.create_task(self._keep(process))

    def _failed(self, reason: str) -> ProgramFailedError:
        return ProgramFailedError(self.program.name, reason, self._log.tail(_TAIL_LINES))

    async def _is_ready(self) -> bool:
        return self.program.ready is None or await self.program.ready()

    async def _spawn(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", leash.__file__, str(os.getpid())),
            *self.program.command,
            env=dict(self.program.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            process_group=0,  # Ctrl-C goes to the supervisor alone, which stops its children in order
        )
        self._process = process
        self._pump_task = asyncio.create_task(self._pump(process))
        self._say(State.STARTING)
        log.info("program_started", program=self.program.name, pid=process.pid)
        return process

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            status = await process.wait()
            await self._drain()
            failures = 1 if time.monotonic() - started > _STEADY_S else failures + 1
            wait_s = backoff(failures, first_s=0.5, cap_s=30).total_seconds()
            log.warning("program_ended", program=self.program.name, status=status, again_in_s=wait_s)
            self._say(State.WAITING)
            await asyncio.sleep(wait_s)
            self.restarts += 1
            process = await self._spawn()
            self._say(State.RUNNING)

    async def _drain(self) -> None:
        """Wait for the rest of what an ended program said; a grandchild of it may hold the pipe open."""
        if self._pump_task is not None:
            await asyncio.wait({self._pump_task}, timeout=_DRAIN_S)
            self._pump_task.cancel()

    async def _pump(self, process: asyncio.subprocess.Process) -> None:
        """Copy what the program says to its log and to whoever watches, line by line, whatever the lines' length."""
        if process.stdout is None:
            return
        rest = b""
        while chunk := await process.stdout.read(_LINE_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._line(line)
        if rest:
            self._line(rest)

    def _line(self, line: bytes) -> None:
        self._log.write(line)
        self.echo(self.program.name, line.decode(errors="replace"))

    def _say(self, state: State) -> None:
        pid = self._process.pid if self._process and state is not State.WAITING else None
        run_files.write(
            self.state_dir,
            RunFile(
                name=self.program.name,
                state=state,
                pid=pid,
                create_time=create_time(pid),
                url=self.program.url,
                log=str(self._log.path),
                restarts=self.restarts,
                since=datetime.now(UTC),
            ),
        )

    async def stop(self) -> None:
        """Ask the program to end, wait for it, and kill it when it does not."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), self.program.grace_s)
            except TimeoutError:
                log.warning("program_killed", program=self.program.name, grace_s=self.program.grace_s)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        await self._drain()
        self._log.close()
        run_files.remove(self.state_dir, self.program.name)


def create_time(pid: int | None) -> float | None:
    """Return when a process began, in seconds since 1970; None when there is none."""
    if pid is None:
        return None
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None
