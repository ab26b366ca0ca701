"""The senses of the bot: the receiver of telemetry, Scout over it, and its query API."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI

from bot.app.access import is_loopback, metrics_token, query_token
from bot.memory_guard import MemoryGuard
from bot.observability.endpoint import metrics_router
from bot.observability.exporting import PREFIX, Own
from bot.observability.observer import Observer
from bot.observability.scout_figures import ScoutFigures
from bot.scout_memory import ScoutMemory
from bot.settings import Settings, SettingsError
from bot.shedding import Shedding
from bot.watch import Watch
from bot.web.health import health_router
from telemetry.bus import Bus
from telemetry.otlp import OtlpHttp, Receiver
from telemetry.query import query_router
from telemetry.rules import ScoutConfig
from telemetry.scout import Scout
from telemetry.state import Limits, TelemetryState


@dataclass(frozen=True)
class Senses:
    """What the scout process serves and runs: OTLP and queries in one application, and the watch beside it."""

    app: OtlpHttp
    receiver: Receiver
    watch: Watch


def build_senses(
    settings: Settings, own: Own, bus: Bus, *, tokens: Mapping[str, str] | None = None, rules: ScoutConfig | None = None
) -> Senses:
    """Return the senses for these settings; findings go to `bus`. `tokens` are tenants by bearer token."""
    state = TelemetryState(Limits(ignored_service_prefix=PREFIX))
    figures = ScoutFigures(own.meter)
    guard = guard_of(settings, state, own.observer)
    scout = Scout(state, rules=rules or ScoutConfig())
    receiver = Receiver(state, tokens=dict(tokens or {}), is_overloaded=guard)
    queries = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    queries.include_router(query_router(scout, token=query_token(settings)))
    facts = {"watermark_age_s": lambda: figures.watermark_age_s, "memory": lambda: "short" if guard() else "ok"}
    queries.include_router(health_router({"bus": bus.check}, {}, facts))
    served, token = metrics_token(settings, settings.scout_host)
    if served:
        queries.include_router(metrics_router(own.registry, token))

    def ticked() -> None:
        guard()  # also while no telemetry comes
        figures.look(state, receiver.refused, scout)

    memory = ScoutMemory(settings.state_dir / "scout", scout)
    watch = Watch(scout, memory, bus, observer=own.observer, ticked=ticked)
    return Senses(app=OtlpHttp(receiver, queries), receiver=receiver, watch=watch)


def guard_of(settings: Settings, state: TelemetryState, observer: Observer) -> MemoryGuard:
    """Return the guard of Scout's memory, which sheds telemetry for as long as it is closed."""
    shedding = Shedding(state)

    def changed(over: bool) -> None:  # noqa: FBT001 - told whether it is over
        observer.meters.guard(over=over)
        if not over:
            shedding.end()

    return MemoryGuard(settings.memory_limit_mb, changed=changed, relieve=shedding)


def tokens_of(settings: Settings) -> dict[str, str]:
    """Return tenants by token.

    Raises:
        SettingsError: there are none, and Scout is reached over the network.
    """
    tokens = {token.get_secret_value(): tenant for tenant, token in settings.otlp_tokens.items()}
    if not tokens and not is_loopback(settings.scout_host):
        remedy = "Set a token per tenant (tenant=token,…), or keep SRE_SPACE_SCOUT_HOST on loopback"
        raise SettingsError("OTLP_TOKENS", f"is not set, but Scout listens on {settings.scout_host}", remedy)
    return tokens
