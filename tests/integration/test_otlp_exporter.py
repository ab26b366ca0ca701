"""A real OpenTelemetry SDK delivers to the receiver over a real socket, and nothing is lost."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from telemetry.model import SeriesKey
from telemetry.state import Edge
from telemetry.steps import whole
from tests.support_otlp import Listening, listening

_FAR_FUTURE_S = 4_000_000_000


_AUTHORIZATION = "Bearer s3cret"
_CLIENTS = [f"{protocol}-{compression}" for protocol in ("http", "grpc") for compression in ("none", "gzip")]
_OVER_HTTP = {"traces": OTLPSpanExporter, "metrics": OTLPMetricExporter, "logs": OTLPLogExporter}
_OVER_GRPC = {"traces": GrpcSpanExporter, "metrics": GrpcMetricExporter, "logs": GrpcLogExporter}


@pytest.fixture
def receiver() -> Iterator[Listening]:
    """A receiver that wants a token."""
    with listening(tokens={"s3cret": "acme"}) as at:
        yield at


def _exporter(receiver: Listening, client: str, signal: str) -> Any:
    protocol, _, compression = client.partition("-")
    if protocol == "http":
        coding = Compression.Gzip if compression == "gzip" else Compression.NoCompression
        headers = {"Authorization": _AUTHORIZATION}
        return _OVER_HTTP[signal](f"{receiver.url}/v1/{signal}", headers=headers, compression=coding)
    coding = grpc.Compression.Gzip if compression == "gzip" else grpc.Compression.NoCompression
    return _OVER_GRPC[signal](
        receiver.target, insecure=True, headers={"authorization": _AUTHORIZATION}, compression=coding
    )


def _provider(receiver: Listening, service: str, client: str) -> TracerProvider:
    resource = Resource.create(
        {
            "service.name": service,
            "service.version": "1.2.3",
            "vcs.ref.head.revision": "c" * 40,
            "deployment.environment.name": "prod",
        }
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = _exporter(receiver, client, "traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=8192, schedule_delay_millis=50))
    return provider


@pytest.mark.parametrize("client", _CLIENTS)
def test_every_span_of_the_python_sdk_is_counted(receiver: Listening, client: str) -> None:
    """Two services, 1,500 requests, of which 30 fail: all are in windows, graph, signatures and exemplars."""
    gateway = _provider(receiver, "gateway", client)
    quote = _provider(receiver, "quote", client)
    for number in range(1500):
        _request(gateway, quote, fails=number % 50 == 0)
    gateway.shutdown()
    quote.shutdown()

    state = receiver.state
    assert (state.spans_total, dict(state.dropped), receiver.receiver.refused) == (4500, {}, {})
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
    (trace,) = whole(state.exemplars(("acme", "prod"), frozenset({"quote"}), 0, _FAR_FUTURE_S, "error", limit=1))[
        "quote"
    ]
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


@pytest.mark.parametrize("client", _CLIENTS)
def test_gauges_of_the_python_sdk_arrive_as_pools_and_gauges(receiver: Listening, client: str) -> None:
    """Observable gauges and up-down counters are read under their stable names."""
    exporter = _exporter(receiver, client, "metrics")
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
    assert (receiver.state.points_total, receiver.receiver.refused) == (5, {})


def _memory(_: object) -> list[Observation]:
    return [Observation(100_000_000)]


@pytest.mark.parametrize("client", _CLIENTS)
def test_every_record_of_the_python_sdk_is_counted(receiver: Listening, client: str) -> None:
    """1,500 log records in batches of 512, of which each has its exception."""
    provider = LoggerProvider(Resource.create({"service.name": "quote"}), shutdown_on_exit=False)
    exporter = _exporter(receiver, client, "logs")
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=4096))
    logger = provider.get_logger("test")
    for _ in range(1500):
        logger.emit(severity_number=SeverityNumber.ERROR, body="no", exception=LookupError("out of stock"))
    provider.shutdown()

    assert (receiver.state.logs_total, receiver.receiver.refused) == (1500, {})
    (signature,) = receiver.state.signatures("acme", "default", 0)
    assert (signature.error_type, sum(hit.n for hit in signature.hits)) == ("LookupError", 1500)
