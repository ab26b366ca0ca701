"""What Scout lets go of while memory is short: first exemplar traces, then its older half, and again."""

from typing import Final

import structlog

from bot.memory_guard import give_back
from telemetry.state import TelemetryState

log = structlog.get_logger()

KEEP_AT_LEAST_S: Final = 600
"""Detection compares minutes, verification a few windows: ten minutes keep both alive."""


class Shedding:
    """Keeps half as long with every call, until `end` is called."""

    def __init__(self, state: TelemetryState) -> None:
        self._state = state
        self._keep_s = state.limits.retention_s

    def __call__(self) -> None:
        """Shed once."""
        self._keep_s = max(KEEP_AT_LEAST_S, self._keep_s // 2)
        self._state.shed(self._keep_s)
        give_back()
        log.warning("telemetry_shed", keep_s=self._keep_s)

    def end(self) -> None:
        """Keep everything for its time again."""
        self._keep_s = self._state.limits.retention_s
