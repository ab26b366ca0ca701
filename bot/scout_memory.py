"""What Scout has learned on disk: read at the start, written every minute and whenever an incident changes."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from telemetry.detect.memory import KEPT_S
from telemetry.memory import Incidents, Normal, read, write
from telemetry.memory.file import set_aside
from telemetry.model import Signal
from telemetry.scout import Scout
from telemetry.steps import in_turns

log = structlog.get_logger()

EVERY_S = 60.0

T = TypeVar("T", bound=msgspec.Struct)


class ScoutMemory:
    """Keeps a Scout's baselines and open incidents in two files of a folder that belongs to it alone.

    A failed write is said and tried again a minute later: a full disk must not blind Scout.
    """

    def __init__(self, folder: Path, scout: Scout, *, clock: Callable[[], float] = time.time) -> None:
        self._normal = folder / "normal.zst"
        self._incidents = folder / "incidents.zst"
        self._scout = scout
        self._clock = clock
        self._due_s = clock() + EVERY_S

    def load(self) -> tuple[Signal, ...]:
        """Give Scout what the last one of this folder had learned and return the signals that it could not tell."""
        normal = self._read(self._normal, Normal) or Normal()
        incidents = self._read(self._incidents, Incidents) or Incidents()
        try:
            self._scout.load(normal, incidents)
        except ValueError as error:
            for path in (self._normal, self._incidents):
                self._say(path, f"is damaged: {error}", set_aside(path))
            return ()
        series = sum(len(place.series) for place in normal.places)
        opened = sum(group.is_open for place in incidents.places for group in place.groups)
        if series or opened:
            log.info("scout_memory_loaded", series=series, open_incidents=opened, untold=len(incidents.untold))
        return tuple(incidents.untold)

    def _read(self, path: Path, kind: type[T]) -> T | None:
        kept = read(path, kind, self._clock(), KEPT_S)
        if kept.problem is not None:
            self._say(path, kept.problem, kept.set_aside)
        return kept.content

    def _say(self, path: Path, problem: str, aside: Path | None) -> None:
        kept_as = str(aside) if aside else None
        log.warning("scout_memory_unusable", path=str(path), reason=problem, kept_as=kept_as)

    async def keep(self, untold: Iterable[Signal], *, changed: bool) -> None:
        """Write what is due: incidents when they changed, everything once a minute; nothing before the first tick."""
        if not self._scout.has_ticked:
            return
        if self._clock() >= self._due_s:
            self._due_s = self._clock() + EVERY_S
            await self.keep_all(tuple(untold))
        elif changed:
            await self._write(self._incidents, self._scout.dump_incidents(tuple(untold)))

    async def keep_all(self, untold: Sequence[Signal]) -> None:
        """Write everything now; a Scout that has seen nothing has nothing to add to what is there."""
        if not self._scout.has_ticked:
            return
        await self._write(self._normal, await in_turns(self._scout.dump_steps()))
        await self._write(self._incidents, self._scout.dump_incidents(untold))

    async def _write(self, path: Path, content: msgspec.Struct) -> None:
        """Write outside the event loop; what is written is not changed by it meanwhile: Scout ticks after this."""
        try:
            await asyncio.to_thread(write, path, content, self._clock())
        except OSError as error:
            log.warning("scout_memory_not_written", path=str(path), reason=error.strerror or str(error))
