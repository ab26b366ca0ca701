"""What Scout lets go of while memory is short: first exemplar traces, then its older half, and again."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from bot.allocator import give_back
from telemetry.state import TelemetryState

log = structlog.get_logger()

KEEP_AT_LEAST_S: Final = 600
"""Detection compares minutes, verification a few windows: ten minutes keep both alive."""


class Shedding:
    """Keeps half as long with every call, until `end` is called.

    It goes by the wall clock: while telemetry is refused, event time stands still and nothing would grow old.
    """

    def __init__(self, state: TelemetryState, clock: Callable[[], float] = time.time) -> None:
        self._state = state
        self._clock = clock
        self._keep_s = state.limits.retention_s

    def __call__(self) -> bool:
        """Shed once and return whether there is more to give."""
        self._keep_s = max(KEEP_AT_LEAST_S, self._keep_s // 2)
        self._state.shed(int(self._clock()) - self._keep_s)
        give_back()
        log.warning("telemetry_shed", keep_s=self._keep_s)
        return self._keep_s > KEEP_AT_LEAST_S

    def end(self) -> None:
        """Keep everything for its time again."""
        self._keep_s = self._state.limits.retention_s
