"""Where own traces and metrics go: OTLP when an endpoint is set, and the text that `/metrics` answers with."""

import contextlib
import platform
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

import structlog
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Meter, NoOpMeter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CollectorRegistry

from bot.memory_guard import resident_bytes
from bot.observability.ids import ChosenIds
from bot.observability.meters import SCOPE, Meters
from bot.observability.observer import Observer
from bot.observability.traces import Traces
from bot.setting_names import reachable
from bot.settings import Settings

log = structlog.get_logger()

PREFIX: Final = "sre-space-"
"""Of the `service.name` of each of our processes. Scout takes no telemetry of these in."""
FLUSH_S: Final = 3.0
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Own:
    """Own observability of one process. `registry` is what `/metrics` tells; `pushes` says whether OTLP is on."""

    observer: Observer = field(default_factory=Observer)
    meter: Meter = field(default_factory=lambda: NoOpMeter(SCOPE))
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    pushes: bool = False


@contextlib.contextmanager
def observing(settings: Settings, process: str, *, scraped: bool) -> Generator[Own]:
    """Yield the own observability of a process; at the end of the block what was not sent yet is.

    Without an endpoint there are no traces, and without being `scraped` no metrics either.
    """
    endpoint = endpoint_of(settings)
    if endpoint is None and not scraped:
        yield Own()
        return
    resource = Resource.create(
        {
            "service.name": PREFIX + process,
            "service.version": version("sre-space"),
            "process.runtime.version": platform.python_version(),
        }
    )
    ids = ChosenIds()
    tracers = None if endpoint is None else _tracers(resource, endpoint, ids)
    registry = CollectorRegistry()
    meters = MeterProvider(_readers(endpoint, registry), resource, shutdown_on_exit=False)
    meter = meters.get_meter(SCOPE)
    meter.create_observable_gauge("process.memory.usage", [_resident], "By", "Resident memory of the process")
    try:
        yield Own(Observer(Traces(tracers, ids), Meters(meter)), meter, registry, pushes=endpoint is not None)
    finally:
        _shut([meters.shutdown] if tracers is None else [tracers.shutdown, meters.shutdown])


def _shut(ways: Sequence[Callable[[], None]]) -> None:
    """Send what was not sent yet, for three seconds at most: a silent Collector must not hold up a stop.

    The SDK itself would try again for ten; what is left then ends with the process.
    """
    threads = [Thread(target=way, daemon=True) for way in ways]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + FLUSH_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        log.warning("own_telemetry_lost", reason=f"the endpoint took nothing for {FLUSH_S:g} s")


def _tracers(resource: Resource, endpoint: str, ids: ChosenIds) -> TracerProvider:
    tracers = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    return tracers


def _readers(endpoint: str | None, registry: CollectorRegistry) -> Sequence[MetricReader]:
    scraped = PrometheusMetricReader(registry=registry, scope_info_enabled=False)
    if endpoint is None:
        return [scraped]
    return [scraped, PeriodicExportingMetricReader(OTLPMetricExporter(f"{endpoint}/v1/metrics"))]


def _resident(_: CallbackOptions) -> Iterable[Observation]:
    return [Observation(resident_bytes())]


def endpoint_of(settings: Settings) -> str | None:
    """Return where own telemetry goes; None when it is not set, or when it is our own Scout.

    Scout that watches the process which it feeds would find its own work, and work more for it.
    """
    endpoint = settings.otlp_endpoint
    if endpoint is None:
        return None
    if _place(endpoint) == _place(settings.scout_url):
        reason = "OTEL_EXPORTER_OTLP_ENDPOINT is Scout's own address"
        log.warning("own_telemetry_left_out", endpoint=endpoint, reason=reason)
        return None
    return endpoint.rstrip("/")


def _place(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    host = reachable(parts.hostname or "").strip("[]")
    return "loopback" if host in _LOOPBACK else host, parts.port or _PORTS.get(parts.scheme)
