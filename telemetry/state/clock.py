"""Event time: how far it has come, and which times are still or already taken."""

import time
from collections.abc import Callable

from telemetry.state.limits import Limits

_NS = 1_000_000_000


class EventTime:
    """The newest time of any data, never ahead of the wall clock: a service whose clock runs ahead moves nothing."""

    def __init__(self, limits: Limits, wall_clock: Callable[[], float] = time.time) -> None:
        self._limits = limits
        self._wall_clock = wall_clock
        self._newest_s: int | None = None
        self._lateness_s = limits.lateness_s

    @property
    def watermark_s(self) -> int | None:
        """Event time in Unix seconds up to which data is taken as complete."""
        return None if self._newest_s is None else self._newest_s - self._lateness_s

    def advance(self, newest_ns: int) -> None:
        """Note the end of a span or the time of a metric point."""
        newest_s = min(newest_ns // _NS, int(self._wall_clock()))
        self._newest_s = newest_s if self._newest_s is None else max(self._newest_s, newest_s)

    def finish(self) -> None:
        """Wait no longer for late data, because none will come."""
        self._lateness_s = 0

    def taken_ns(self) -> tuple[int, int]:
        """Return the oldest and newest event time in nanoseconds that is taken now."""
        newest_ns = int((self._wall_clock() + self._limits.future_s) * _NS)
        if self._newest_s is None:
            return 0, newest_ns
        return (self._newest_s - self._limits.retention_s) * _NS, newest_ns
