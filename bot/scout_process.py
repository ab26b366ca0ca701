"""The scout process: OTLP in, detection every tick, signals out to the bus."""

import asyncio
import time
from collections import deque

import structlog

from telemetry.bus import Bus
from telemetry.errors import BusUnavailableError
from telemetry.model import Signal
from telemetry.scout import Scout

log = structlog.get_logger()

SIGNALS = "signals"
TICK_S = 1.0
HELD_AT_MOST = 1000


class Watch:
    """Ticks Scout and publishes what it finds; signals wait here while the bus is away."""

    def __init__(self, scout: Scout, bus: Bus) -> None:
        self._scout = scout
        self._bus = bus
        self._held: deque[Signal] = deque(maxlen=HELD_AT_MOST)

    async def run(self) -> None:
        """Tick until cancelled. A tick that takes long makes the next one come at once, not twice."""
        while True:
            started = time.monotonic()
            for signal in self._scout.tick(int(time.time())):
                log.info(
                    "signal_found",
                    group_id=signal.group_id,
                    sequence=signal.sequence,
                    root=signal.root_service,
                    anomalies=len(signal.anomalies),
                )
                self._held.append(signal)
            await self._publish()
            await asyncio.sleep(max(0.05, TICK_S - (time.monotonic() - started)))

    async def _publish(self) -> None:
        while self._held:
            signal = self._held[0]
            try:
                await self._bus.publish(SIGNALS, signal.group_id, signal.model_dump_json().encode())
            except BusUnavailableError as error:
                log.warning("signal_held", reason=str(error), held=len(self._held))
                return
            self._held.popleft()
