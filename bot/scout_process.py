"""The scout process: OTLP in, detection every tick, signals out to the bus."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette

from bot.memory_guard import MemoryGuard
from bot.observability.endpoint import metrics_router
from bot.observability.exporting import PREFIX, Own, observing
from bot.observability.observer import Observer
from bot.observability.scout_figures import ScoutFigures
from bot.process import run_process
from bot.scout_rules import load_rules
from bot.settings import Settings, SettingsError
from bot.shedding import Shedding
from bot.topics import SIGNALS, guid_of
from bot.web.health import health_router
from bot.web.server import Server
from bot.wiring import is_loopback, metrics_token, open_bus, query_token
from telemetry.bus import Bus
from telemetry.errors import BusUnavailableError
from telemetry.model import Signal
from telemetry.otlp.app import create_receiver
from telemetry.query import query_router
from telemetry.scout import Scout
from telemetry.state import Limits, TelemetryState

log = structlog.get_logger()

TICK_S = 1.0
HELD_AT_MOST = 1000


class Watch:
    """Ticks Scout and publishes what it finds; signals wait here while the bus is away."""

    def __init__(self, scout: Scout, bus: Bus, *, observer: Observer, ticked: Callable[[], None]) -> None:
        self._scout = scout
        self._bus = bus
        self._observer = observer
        self._ticked = ticked
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
            self._ticked()
            await asyncio.sleep(max(0.05, TICK_S - (time.monotonic() - started)))

    async def _publish(self) -> None:
        while self._held:
            signal = self._held[0]
            try:
                with self._observer.publishing(guid_of(signal)):
                    await self._bus.publish(SIGNALS, signal.group_id, signal.model_dump_json().encode())
            except BusUnavailableError as error:
                log.warning("signal_held", reason=str(error), held=len(self._held))
                return
            self._held.popleft()


async def run_scout(settings: Settings) -> None:
    """Receive telemetry and watch it until SIGTERM or SIGINT.

    Raises:
        SettingsError: telemetry is to be taken from other machines without tokens, or the file with
            Scout's rules cannot be used.
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
        app = create_receiver(state, tokens=tokens, is_overloaded=guard)
        queries = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        queries.include_router(query_router(scout, token=query_token(settings)))
        facts = {"watermark_age_s": lambda: figures.watermark_age_s, "memory": lambda: "short" if guard() else "ok"}
        queries.include_router(health_router({"bus": bus.check}, {}, facts))
        _serve_metrics(queries, settings, own)
        app.mount("/", queries)

        def ticked() -> None:
            guard()  # also while no telemetry comes
            figures.look(state)

        log.info("scout_started", host=settings.scout_host, port=settings.scout_port)
        try:
            await _serve(app, settings, Watch(scout, bus, observer=own.observer, ticked=ticked))
        finally:
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


async def _serve(app: Starlette, settings: Settings, watch: Watch) -> None:
    """Serve and watch; whichever ends first ends the other, and a failed watch fails the process."""
    server = Server(
        uvicorn.Config(
            app,
            host=settings.scout_host,
            port=settings.scout_port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,
        )
    )
    watching = asyncio.create_task(watch.run())
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.wait({serving, watching}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        if watching.done():
            watching.result()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


if __name__ == "__main__":
    run_process(run_scout)
