"""The scout process: OTLP in, detection every tick, signals out to the bus."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable

import structlog
from fastapi import FastAPI

from bot.allocator import suit_telemetry
from bot.memory_guard import MemoryGuard
from bot.observability.endpoint import metrics_router
from bot.observability.exporting import PREFIX, Own, observing
from bot.observability.observer import Observer
from bot.observability.scout_figures import ScoutFigures
from bot.process import run_process
from bot.scout_memory import ScoutMemory
from bot.scout_rules import load_rules
from bot.scout_serving import serve
from bot.settings import Settings, SettingsError
from bot.shedding import Shedding
from bot.topics import SIGNALS, guid_of, packed
from bot.web.health import health_router
from bot.wiring import is_loopback, metrics_token, open_bus, query_token
from telemetry.bus import Bus
from telemetry.errors import BusUnavailableError
from telemetry.model import Signal
from telemetry.otlp import OtlpHttp, Receiver
from telemetry.query import query_router
from telemetry.scout import Scout
from telemetry.state import Limits, TelemetryState
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


async def run_scout(settings: Settings) -> None:
    """Receive telemetry and watch it until SIGTERM or SIGINT.

    Raises:
        SettingsError: telemetry is to be taken from other machines without tokens, a port is taken, or the file
            with Scout's rules cannot be used.
        BusUnavailableError: the bus does not answer.
    """
    tokens = _tokens(settings)
    rules = load_rules(settings.scout_config)
    with observing(settings, "scout", scraped=True) as own:
        state = TelemetryState(Limits(ignored_service_prefix=PREFIX))
        figures = ScoutFigures(own.meter)
        guard = guard_of(settings, state, own.observer)
        scout = Scout(state, rules=rules)
        bus = await open_bus(settings)
        receiver = Receiver(state, tokens=tokens, is_overloaded=guard)
        queries = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        queries.include_router(query_router(scout, token=query_token(settings)))
        facts = {"watermark_age_s": lambda: figures.watermark_age_s, "memory": lambda: "short" if guard() else "ok"}
        queries.include_router(health_router({"bus": bus.check}, {}, facts))
        _serve_metrics(queries, settings, own)
        app = OtlpHttp(receiver, queries)

        def ticked() -> None:
            guard()  # also while no telemetry comes
            figures.look(state, receiver.refused, scout)

        memory = ScoutMemory(settings.state_dir / "scout", scout)
        watch = Watch(scout, memory, bus, observer=own.observer, ticked=ticked)
        suit_telemetry()
        try:
            await serve(app, receiver, settings, watch.run())
        finally:
            await watch.stop()
            await bus.close()


def guard_of(settings: Settings, state: TelemetryState, observer: Observer) -> MemoryGuard:
    """Return the guard of Scout's memory, which sheds telemetry for as long as it is closed."""
    shedding = Shedding(state)

    def changed(over: bool) -> None:  # noqa: FBT001 - told whether it is over
        observer.meters.guard(over=over)
        if not over:
            shedding.end()

    return MemoryGuard(settings.memory_limit_mb, changed=changed, relieve=shedding)


def _serve_metrics(app: FastAPI, settings: Settings, own: Own) -> None:
    served, token = metrics_token(settings, settings.scout_host)
    if served:
        app.include_router(metrics_router(own.registry, token))


def _tokens(settings: Settings) -> dict[str, str]:
    """Return tenants by token."""
    tokens = {token.get_secret_value(): tenant for tenant, token in settings.otlp_tokens.items()}
    if not tokens and not is_loopback(settings.scout_host):
        remedy = "Set a token per tenant (tenant=token,…), or keep SRE_SPACE_SCOUT_HOST on loopback"
        raise SettingsError("OTLP_TOKENS", f"is not set, but Scout listens on {settings.scout_host}", remedy)
    return tokens


if __name__ == "__main__":
    run_process(run_scout)
