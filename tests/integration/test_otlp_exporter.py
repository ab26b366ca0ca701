"""A real OpenTelemetry SDK delivers to the receiver over a real socket, and nothing is lost."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from telemetry.model import SeriesKey
from telemetry.otlp import create_receiver
from telemetry.state import Edge, TelemetryState

_FAR_FUTURE_S = 4_000_000_000


@dataclass(frozen=True)
class Receiver:
    """A receiver that runs, where it listens, and what it fills."""

    url: str
    state: TelemetryState


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run the receiver under uvicorn on a free port of the loopback interface."""
    state = TelemetryState()
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_receiver(state, tokens={"s3cret": "acme"})
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield Receiver(f"http://127.0.0.1:{listener.getsockname()[1]}", state)
    server.should_exit = True
    thread.join()
    listener.close()


def _provider(receiver: Receiver, service: str, compression: Compression) -> TracerProvider:
    resource = Resource.create(
        {
            "service.name": service,
            "service.version": "1.2.3",
            "vcs.ref.head.revision": "c" * 40,
            "deployment.environment.name": "prod",
        }
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(
        f"{receiver.url}/v1/traces", headers={"Authorization": "Bearer s3cret"}, compression=compression
    )
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=8192, schedule_delay_millis=50))
    return provider


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_every_span_of_the_python_sdk_is_counted(receiver: Receiver, compression: Compression) -> None:
    """Two services, 1,500 requests, of which 30 fail: all are in windows, graph, signatures and exemplars."""
    gateway = _provider(receiver, "gateway", compression)
    quote = _provider(receiver, "quote", compression)
    for number in range(1500):
        _request(gateway, quote, fails=number % 50 == 0)
    gateway.shutdown()
    quote.shutdown()

    state = receiver.state
    assert (state.spans_total, dict(state.dropped)) == (4500, {})
    red = state.red(
        SeriesKey(tenant="acme", environment="prod", service="quote", operation="GET /quote/{sku}"), 0, _FAR_FUTURE_S
    )
    assert (red.requests, red.errors) == (1500, 30)
    edge = Edge("gateway", "quote", "service", "acme", "prod")
    assert edge in state.edges("acme", "prod")
    assert state.edge_red(edge, 0, _FAR_FUTURE_S).requests == 1500
    (signature,) = state.signatures("acme", "prod", 0)
    assert (signature.service, signature.error_type, len(signature.trace_ids)) == ("quote", "ZeroDivisionError", 20)
    assert sum(hit.n for hit in signature.hits) == 30
    assert signature.frames[0].function == "_fail"
    assert signature.frames[0].path.endswith("tests/integration/test_otlp_exporter.py")
    (trace,) = state.exemplars("acme", "prod", "quote", 0, _FAR_FUTURE_S, "error", limit=1)
    assert [span.service for span in trace.spans] == ["gateway", "gateway", "quote"]
    (seen,) = state.versions("acme", "prod", "quote")
    assert (seen.version, seen.revision) == ("1.2.3", "c" * 40)


def _request(gateway: TracerProvider, quote: TracerProvider, *, fails: bool) -> None:
    tracer = gateway.get_tracer("test")
    with (
        tracer.start_as_current_span("GET /", kind=SpanKind.SERVER),
        tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes={"server.address": "quote"}),
    ):
        try:
            with quote.get_tracer("test").start_as_current_span(
                "GET /quote/{sku}", kind=SpanKind.SERVER, attributes={"http.route": "/quote/{sku}"}
            ):
                _fail(0 if fails else 1)
        except ZeroDivisionError:
            assert fails


def _fail(divisor: int) -> float:
    return 1 / divisor


def test_gauges_of_the_python_sdk_arrive_as_pools_and_gauges(receiver: Receiver) -> None:
    """Observable gauges and up-down counters are read under their stable names."""
    exporter = OTLPMetricExporter(f"{receiver.url}/v1/metrics", headers={"Authorization": "Bearer s3cret"})
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider([reader], Resource.create({"service.name": "quote"}), shutdown_on_exit=False)
    meter = provider.get_meter("test")
    pool = {"db.client.connection.pool.name": "main"}
    count = meter.create_up_down_counter("db.client.connection.count", unit="{connection}")
    count.add(2, {**pool, "db.client.connection.state": "used"})
    count.add(0, {**pool, "db.client.connection.state": "idle"})
    meter.create_up_down_counter("db.client.connection.max").add(2, pool)
    meter.create_up_down_counter("db.client.connection.pending_requests").add(7, pool)
    meter.create_observable_gauge("process.memory.usage", [_memory], unit="By")
    provider.shutdown()

    (series,) = receiver.state.pools("acme", "default")
    point = series.points[-1]
    assert (series.service, series.pool_name) == ("quote", "main")
    assert (point.used, point.idle, point.pending, point.maximum) == (2.0, 0.0, 7.0, 2.0)
    gauges = {gauge.name: gauge for gauge in receiver.state.gauges("acme", "default", "quote")}
    assert gauges["process.memory.usage"].points[-1].value == 1e8
    assert gauges["process.memory.usage"].unit == "By"


def _memory(_: object) -> list[Observation]:
    return [Observation(100_000_000)]
