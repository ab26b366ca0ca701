"""Memory Guard: says when this process has grown too large, with hysteresis, and gives back what it can."""

import asyncio
import time
from collections.abc import Callable

import psutil
import structlog

from bot.allocator import give_back

log = structlog.get_logger()

RELIEF = 0.9
LOOK_EVERY_S = 0.5
RELIEVE_EVERY_S = 3.0
_MB = 1024 * 1024


def resident_bytes() -> int:
    """Return this process's resident memory."""
    return int(psutil.Process().memory_info().rss)


async def look_often(guard: Callable[[], bool]) -> None:
    """Ask the guard for ever, so that it notices what nobody asks for."""
    while True:
        guard()
        await asyncio.sleep(LOOK_EVERY_S)


class MemoryGuard:
    """True above `limit_mb`, and until the process has shrunk below 90 % of it; looks twice a second at most.

    Each change is logged and told to `changed`. Before it closes, the process gives back what nobody uses; while it
    stays closed, `relieve` is called every three seconds, so that it can open again. Once that has no more to give,
    the limit itself is enough: pages that the allocator keeps must not keep the guard closed for ever.
    """

    def __init__(
        self,
        limit_mb: int,
        *,
        resident: Callable[[], int] = resident_bytes,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[bool], None] = lambda _: None,
        relieve: Callable[[], bool] = give_back,
    ) -> None:
        self._limit = limit_mb * _MB
        self._resident = resident
        self._clock = clock
        self._changed = changed
        self._relieve = relieve
        self._next_look = float("-inf")
        self._next_relief = float("-inf")
        self._over = False
        self._more_to_give = True

    def __call__(self) -> bool:
        """Return whether what can wait should wait now."""
        now = self._clock()
        if now >= self._next_look:
            self._next_look = now + LOOK_EVERY_S
            self._look(now)
        return self._over

    @property
    def _bound(self) -> float:
        return self._limit * (RELIEF if self._over and self._more_to_give else 1)

    def _look(self, now: float) -> None:
        resident = self._resident()
        if resident > self._bound and now >= self._next_relief:
            self._next_relief = now + RELIEVE_EVERY_S
            if self._over:
                self._more_to_give = self._relieve()
            else:
                give_back()
            resident = self._resident()
        over = resident > self._bound
        if over is self._over:
            return
        self._over, self._more_to_give = over, True
        self._changed(over)
        say = log.warning if over else log.info
        say(
            "memory_limit_exceeded" if over else "memory_limit_met",
            rss_mb=resident // _MB,
            limit_mb=self._limit // _MB,
        )
