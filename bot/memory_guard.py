"""Memory Guard: says when this process has grown too large to take more telemetry, with hysteresis."""

import time
from collections.abc import Callable

import psutil

RELIEF = 0.9
LOOK_EVERY_S = 0.5
_MB = 1024 * 1024


def resident_bytes() -> int:
    """Return this process's resident memory."""
    return int(psutil.Process().memory_info().rss)


class MemoryGuard:
    """True above `limit_mb`, and until the process has shrunk below 90 % of it; looks twice a second at most."""

    def __init__(
        self,
        limit_mb: int,
        *,
        resident: Callable[[], int] = resident_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit_mb * _MB
        self._resident = resident
        self._clock = clock
        self._next_look = float("-inf")
        self._over = False

    def __call__(self) -> bool:
        """Return whether telemetry should be answered with 503 now."""
        if self._clock() >= self._next_look:
            self._next_look = self._clock() + LOOK_EVERY_S
            self._over = self._resident() > self._limit * (RELIEF if self._over else 1)
        return self._over
