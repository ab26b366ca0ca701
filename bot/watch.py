"""Scout's own loop: a tick a second, and what it finds goes out to the bus."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable

import structlog

from bot.observability.observer import Observer
from bot.scout_memory import ScoutMemory
from bot.topics import SIGNALS, guid_of, packed
from telemetry.bus import Bus
from telemetry.errors import BusUnavailableError
from telemetry.model import Signal
from telemetry.scout import Scout
from telemetry.steps import in_turns, whole

log = structlog.get_logger()

TICK_S = 1.0
HELD_AT_MOST = 1000


class Watch:
    """Ticks Scout and publishes what it finds; signals wait here while the bus is away."""

    def __init__(
        self, scout: Scout, memory: ScoutMemory, bus: Bus, *, observer: Observer, ticked: Callable[[], None]
    ) -> None:
        self._scout = scout
        self._memory = memory
        self._bus = bus
        self._observer = observer
        self._ticked = ticked
        self._held: deque[Signal] = deque(memory.load(), maxlen=HELD_AT_MOST)

    async def run(self) -> None:
        """Tick until cancelled. A tick that takes long makes the next one come at once, not twice.

        A signal is on disk before it is told: killed in between, Scout tells it after its restart.
        """
        while True:
            started = time.monotonic()
            held = len(self._held)
            await self._tick()
            await self._memory.keep(self._held, changed=len(self._held) > held)
            held = len(self._held)
            await self._publish()
            await self._memory.keep(self._held, changed=len(self._held) < held)
            self._ticked()
            await asyncio.sleep(max(0.05, TICK_S - (time.monotonic() - started)))

    async def stop(self) -> None:
        """Write what was learned, at the end."""
        await self._memory.keep_all(tuple(self._held))

    async def _tick(self) -> None:
        """Tick in turns with the receiver; when cancelled the tick is done to its end, so that none is kept by half."""
        steps = self._scout.steps(int(time.time()))
        try:
            self._hold(await in_turns(steps))
        except asyncio.CancelledError:
            self._hold(whole(steps))
            raise

    def _hold(self, signals: Iterable[Signal]) -> None:
        for signal in signals:
            log.info(
                "signal_found",
                group_id=signal.group_id,
                sequence=signal.sequence,
                root=signal.root_service,
                anomalies=len(signal.anomalies),
            )
            self._held.append(signal)

    async def _publish(self) -> None:
        while self._held:
            signal = self._held[0]
            try:
                with self._observer.publishing(guid_of(signal)):
                    await self._bus.publish(SIGNALS, signal.group_id, packed(signal))
            except BusUnavailableError as error:
                log.warning("signal_held", reason=str(error), held=len(self._held))
                return
            self._held.popleft()
