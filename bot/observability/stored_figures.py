"""Metrics that are read from the database, where every process's work can be seen."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from agents.ports import Now
from bot.db.errors import DatabaseUnavailableError
from bot.db.figures import Counts, Figures, Waiting

log = structlog.get_logger()

STALE_AFTER_S: Final = 2.0
PUSHED_EVERY_S: Final = 15.0


class StoredFigures:
    """Gauges over the last counts. While the database does not answer they are absent, never old."""

    def __init__(self, meter: Meter, figures: Figures, now: Now, clock: Callable[[], float] = time.monotonic) -> None:
        self._figures = figures
        self._now = now
        self._clock = clock
        self._read_at = float("-inf")
        self._counts: Counts | None = None
        self._turn = asyncio.Lock()
        gauges = {
            "sre_space.inbox.pending": ("1", "Deliveries not dealt with", self._rows(lambda c: c.inbox)),
            "sre_space.inbox.age": ("s", "Age of the oldest of them", self._age(lambda c: c.inbox)),
            "sre_space.outbox.pending": ("1", "Writes to GitHub not carried out", self._rows(lambda c: c.outbox)),
            "sre_space.outbox.age": ("s", "Age of the oldest of them", self._age(lambda c: c.outbox)),
            "sre_space.incidents": ("1", "Incidents by stage", self._stages),
            "sre_space.incidents.suspended": ("1", "Incidents that are no longer woken", self._suspended),
            "sre_space.database.up": ("1", "Whether the database answered", self._up),
        }
        for name, (unit, text, callback) in gauges.items():
            meter.create_observable_gauge(name, [callback], unit, text)

    async def refresh(self) -> None:
        """Read the counts anew if they are older than two seconds."""
        async with self._turn:
            if self._clock() - self._read_at < STALE_AFTER_S:
                return
            try:
                self._counts = await self._figures.counts()
            except DatabaseUnavailableError as error:
                self._counts = None
                log.warning("figures_not_read", reason=str(error))
            self._read_at = self._clock()

    async def keep_fresh(self) -> None:
        """Refresh for ever: for metrics that are pushed without being asked for."""
        while True:
            await self.refresh()
            await asyncio.sleep(PUSHED_EVERY_S)

    def _rows(self, choose: Callable[[Counts], Waiting]) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda _: [] if self._counts is None else [Observation(choose(self._counts).rows)]

    def _age(self, choose: Callable[[Counts], Waiting]) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def ages(_: CallbackOptions) -> Iterable[Observation]:
            if self._counts is None:
                return []
            oldest = choose(self._counts).oldest
            return [Observation(0.0 if oldest is None else (self._now() - oldest).total_seconds())]

        return ages

    def _stages(self, _: CallbackOptions) -> Iterable[Observation]:
        counts = self._counts
        return [] if counts is None else [Observation(n, {"stage": stage}) for stage, n in counts.by_stage.items()]

    def _suspended(self, _: CallbackOptions) -> Iterable[Observation]:
        return [] if self._counts is None else [Observation(self._counts.suspended)]

    def _up(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(0 if self._counts is None else 1)]
