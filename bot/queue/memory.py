"""A queue in memory with the contract of the real one: for tests, and for a loop within one process."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from agents.ports import Now
from bot.queue.port import Argument

Job = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that waits until `due`."""

    id: str
    name: str
    args: tuple[Argument, ...]
    due: datetime


class MemoryQueue:
    """Keeps jobs until `run_due` runs them."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._numbers = itertools.count(1)
        self._waiting: dict[str, Waiting] = {}
        self._running: set[str] = set()

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """Return the jobs that wait, in the order in which they become due."""
        return tuple(sorted(self._waiting.values(), key=lambda job: job.due))

    @property
    def due(self) -> tuple[Waiting, ...]:
        """Return the jobs whose time has come, in that order."""
        return tuple(job for job in self.waiting if job.due <= self._now())

    async def enqueue(self, name: str, *args: Argument, delay_s: float = 0.0, job_id: str | None = None) -> bool:
        """See `Queue.enqueue`."""
        key = job_id or f"job-{next(self._numbers)}"
        if key in self._waiting or key in self._running:
            return False
        self._waiting[key] = Waiting(key, name, args, self._now() + timedelta(seconds=delay_s))
        return True

    async def run_due(self, jobs: Mapping[str, Job]) -> tuple[BaseException, ...]:
        """Run what is due now, all at once, and return what failed; a failed job is gone, as in the real queue.

        Raises:
            KeyError: a job has no function.
        """
        running = (self._run(job, jobs[job.name]) for job in self.due)
        outcomes = await asyncio.gather(*running, return_exceptions=True)
        return tuple(outcome for outcome in outcomes if outcome is not None)

    async def run_next(self, jobs: Mapping[str, Job]) -> None:
        """Run the job that is due first, and raise what it raises; does nothing when none is due.

        Raises:
            KeyError: the job has no function.
        """
        for job in self.due[:1]:
            await self._run(job, jobs[job.name])

    async def _run(self, job: Waiting, function: Job) -> None:
        del self._waiting[job.id]
        self._running.add(job.id)
        try:
            await function(*job.args)
        finally:
            self._running.discard(job.id)

    async def ping(self) -> None:
        """Return: a queue in this process always answers."""

    async def aclose(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
